"""Every way to the engine with every kind of bad papers: refused with a sentence, nothing written, nothing changed.

What cannot be prevented is listed in `vcfx_models.papers`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile
from fastapi.testclient import TestClient

from bad_papers import BAD_PAPERS, installed
from live_voice import Voice, running_voice
from papers_stage import refusals
from vcfx.__main__ import main
from vcfx.bench.voice_bench import bench_voice_hops
from vcfx.control import messages as m
from vcfx.control.local import ControlServer, place
from vcfx.control.midi.event import read_event
from vcfx.control.midi.interpreter import Interpreter
from vcfx.control.midi.map_reader import read_map
from vcfx.control.osc.addresses import message_for
from vcfx.control.preset_source import PresetSource
from vcfx.engine.fake_backend import FakeBackend, FakeDevice
from vcfx.engine.session import LiveSession, SessionRequest
from vcfx.errors import VcfxError
from vcfx.hosts.neural_voice import NeuralVoice
from vcfx.offline import renderer_factory, voiced_renderer_factory
from vcfx.presets import Preset, load_preset
from vcfx.presets.model import NodeEntry
from vcfx.web.app import create_app
from vcfx_dsp.node import ProcessSpec
from vcfx_models.voice_library import find_voice
from voice_models import random_voice, save_voice

pytestmark = pytest.mark.timeout(120)
RATE_HZ, HOP = 48_000, 480
HOME = "http://127.0.0.1:8723"


@dataclass
class Place:
    """Where an attempt is made: a bad voice's file, a model, a running voice, its web server, and an empty folder."""

    file: Path
    model: Path
    live: Voice
    web: TestClient
    folder: Path
    printed: Callable[[], str]

    def preset(self) -> Path:
        """A preset's file that names the voice."""
        path = self.folder.parent / "preset.toml"
        chain = f'[[chain]]\nnode = "voice"\nvoice = "{self.file}"\nmodel = "{self.model}"\ndevice = "cpu"\n'
        path.write_text(f'schema_version = 1\nname = "P"\n{chain}')
        return path

    def submit(self, message: m.Message | None) -> str:
        """Have a message refused by the running voice; returns the reason."""
        assert message is not None
        return self.live.refusal(message)

    def told(self, *arguments: str) -> str:
        """Have a command end with 2; returns what it printed."""
        assert main(list(arguments)) == 2
        return self.printed()


def raised(attempt: Callable[[], object]) -> str:
    """Have something refused; returns the sentence."""
    with pytest.raises(VcfxError) as caught:
        attempt()
    return str(caught.value)


def linked(at: Place) -> Path:
    path = at.folder.parent / "link.vcfxvoice"
    path.unlink(missing_ok=True)
    path.symlink_to(at.file)
    return path


def renamed(at: Place) -> Path:
    path = at.folder.parent / "voice.safetensors"
    path.write_bytes(at.file.read_bytes())
    return path


def node_of(at: Place, voice: str, waits: bool) -> NeuralVoice:
    node = NeuralVoice(voice=voice, model=str(at.model), device="cpu")
    node.prepare(ProcessSpec(RATE_HZ, HOP, 1, waits))
    return node


def live_session(at: Place) -> LiveSession:
    backend = FakeBackend([FakeDevice("both", 1, 2, host_api="ASIO")])
    return LiveSession(backend, load_preset(at.preset()), SessionRequest("both", "both"))


def by_midi(at: Place) -> m.Message:
    midi_map = read_map(b'schema_version = 1\nname = "X"\n[[binding]]\non = "program"\nto = "voice"\n', "x.toml")
    interpreter = Interpreter(midi_map, at.live.control.state, lambda kind: (str(at.file),))
    event = read_event([0xC0, 0])
    assert event is not None
    (deed,) = interpreter.take("pad", event)
    return deed.message


def by_http(at: Place, body: dict[str, str]) -> str:
    answer = at.web.post("/api/messages", json=body)
    assert answer.status_code == 409
    return str(answer.json()["reason"])


def by_send(at: Place, *words: str) -> str:
    with ControlServer(at.live.control):
        return at.told("send", *words)


def sound(at: Place) -> str:
    path = at.folder.parent / "in.wav"
    soundfile.write(path, np.zeros(4_800), RATE_HZ)
    return str(path)


def converted(at: Place, *options: str) -> str:
    return at.told("convert", sound(at), "-o", str(at.folder / "out.wav"), *options)


def render(at: Place, preset: bool) -> object:
    if preset:
        return renderer_factory(at.preset())(RATE_HZ, 1, HOP)
    asked = f'{{"preset": null, "voice": {{"voice": "{at.file}", "model": "{at.model}", "device": "cpu"}}}}'
    return voiced_renderer_factory(asked)(RATE_HZ, 1, HOP)


#: way -> the use that it is, and the attempt, which returns how it was refused
WAYS: dict[str, tuple[str, Callable[[Place], str]]] = {
    "library, path": ("live", lambda at: raised(lambda: find_voice(at.file, "live"))),
    "library, name": ("files", lambda at: raised(lambda: find_voice("zoe", "files"))),
    "library, symlink": ("live", lambda at: raised(lambda: find_voice(str(linked(at)), "live"))),
    "library, another ending": ("files", lambda at: raised(lambda: find_voice(renamed(at), "files"))),
    "library, unnoted": ("live", lambda at: raised(lambda: find_voice(at.file, "live", notes_use=False))),
    "node, live": ("live", lambda at: raised(lambda: node_of(at, str(at.file), False))),
    "node, files": ("files", lambda at: raised(lambda: node_of(at, "zoe", True))),
    "node, fetch": ("live", lambda at: raised(lambda: speaker(at).fetch(str(at.file)))),
    "node, update": ("live", lambda at: raised(lambda: speaker(at).update(voice="zoe"))),
    "preset, rendered": ("files", lambda at: raised(lambda: render(at, True))),
    "voice, rendered": ("files", lambda at: raised(lambda: render(at, False))),
    "preset, live session": ("live", lambda at: raised(lambda: live_session(at))),
    "bench": ("files", lambda at: raised(lambda: bench_voice_hops(0.1, {"voice": str(at.file)}))),
    "convert, name": ("files", lambda at: converted(at, "--voice", "zoe")),
    "convert, path": ("files", lambda at: converted(at, "--voice", str(at.file), "--preset", "radio")),
    "run, name": ("live", lambda at: at.told("run", "--voice", "zoe")),
    "run, path": ("live", lambda at: at.told("run", "--voice", str(at.file))),
    "message, voice": ("live", lambda at: at.submit(m.SwitchVoice(str(at.file)))),
    "message, voice by name": ("live", lambda at: at.submit(m.SwitchVoice("zoe"))),
    "message, parameter": ("live", lambda at: at.submit(m.SetParameter("voice", "voice", str(at.file)))),
    "message, preset": ("live", lambda at: at.submit(m.SwitchPreset(str(at.preset())))),
    "http": ("live", lambda at: by_http(at, {"type": "switch_voice", "voice": str(at.file)})),
    "http, preset": ("live", lambda at: by_http(at, {"type": "switch_preset", "preset": str(at.preset())})),
    "send": ("live", lambda at: by_send(at, "switch-voice", str(at.file))),
    "send, parameter": ("live", lambda at: by_send(at, "set-parameter", "voice", "voice", str(at.file))),
    "osc": ("live", lambda at: at.submit(message_for("/vcfx/voice", (str(at.file),)))),
    "midi": ("live", lambda at: at.submit(by_midi(at))),
}
#: Ways that start another process: with one bad voice of each kind of refusal.
SLOW_WAYS: dict[str, Callable[[Place], str]] = {
    "convert, preset": lambda at: converted(at, "--preset", str(at.preset())),
    "convert, preset and model": lambda at: converted(at, "--preset", str(at.preset()), "--model", str(at.model)),
}
ATTEMPTS = [
    pytest.param(way, papers, id=f"{way}: {papers}")
    for papers, bad in BAD_PAPERS.items()
    for way, (use, _) in WAYS.items()
    if use in bad.uses
]


@pytest.fixture(scope="module")
def anna(voice_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A voice that may be used, in the installation that tests share."""
    path = tmp_path_factory.mktemp("anna") / "anna.vcfxvoice"
    save_voice(random_voice("anna"), path)
    return path


@pytest.fixture(scope="module")
def live(voice_model: Path, anna: Path) -> Iterator[Voice]:
    """It runs, and speaks with the good voice."""
    good = NodeEntry("voice", "voice", {"voice": str(anna), "model": str(voice_model), "device": "cpu"})

    def load(name: str) -> Preset:
        return Preset("Good", chain=(good,)) if name == "good" else load_preset(name)

    with running_voice("good", presets=PresetSource({}, load)) as running:
        yield running


@pytest.fixture(scope="module")
def web(live: Voice) -> Iterator[TestClient]:
    """The server before the running voice, as a page of its own machine meets it."""
    with TestClient(create_app(live.control), base_url=HOME, client=("127.0.0.1", 50_000)) as client:
        yield client


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Path]]:
    """Each kind of bad papers has an installation, made when it is first asked for."""
    return {}


@pytest.fixture
def make_place(
    homes: dict[str, tuple[Path, Path]],
    live: Voice,
    web: TestClient,
    voice_model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
    capfd: pytest.CaptureFixture[str],
) -> Iterator[Callable[[str], Place]]:
    """Makes the place for an attempt with papers of a kind."""
    short = Path(f"/tmp/vcfx-bypass-{os.getpid()}-{time.monotonic_ns():x}")
    monkeypatch.setattr(place, "folders", lambda: iter([short]))

    def make(papers: str) -> Place:
        home = homes[papers][0] if papers in homes else tmp_path_factory.mktemp("home")
        monkeypatch.setenv("VCFX_DATA_DIR", str(home))
        if papers not in homes:
            homes[papers] = (home, installed(papers, home))
        (tmp_path / "out").mkdir()
        return Place(homes[papers][1], voice_model, live, web, tmp_path / "out", lambda: capfd.readouterr().err)

    yield make
    if short.exists():
        short.rmdir()


def speaker(at: Place) -> NeuralVoice:
    """The running voice's node."""
    plan = at.live.control.engine.plan
    (node,) = [node for node in map(plan.node, plan.graph.node_names()) if isinstance(node, NeuralVoice)]
    return node


def check(at: Place, papers: str, attempt: Callable[[Place], str]) -> None:
    """Make the attempt: one sentence, in the log, and nothing else."""
    before, running = len(refusals()) if BAD_PAPERS[papers].logged else 0, at.live.control.state().voice
    sentence = attempt(at)
    assert BAD_PAPERS[papers].says in sentence
    assert sentence.strip().isprintable()
    assert not list(at.folder.iterdir())
    spoken = speaker(at).voice
    assert spoken is not None
    assert spoken.name == "anna"
    assert at.live.control.state().voice == running
    if BAD_PAPERS[papers].logged:
        assert len(refusals()) > before


@pytest.mark.parametrize(("way", "papers"), ATTEMPTS)
def test_no_way_leads_round_the_papers(way: str, papers: str, make_place: Callable[[str], Place]) -> None:
    check(make_place(papers), papers, WAYS[way][1])


@pytest.mark.parametrize("papers", ["none", "of a stranger", "expired", "for live"])
@pytest.mark.parametrize("way", SLOW_WAYS)
def test_no_way_of_another_process_does(way: str, papers: str, make_place: Callable[[str], Place]) -> None:
    check(make_place(papers), papers, SLOW_WAYS[way])


IMPORTS = [papers for papers, bad in BAD_PAPERS.items() if bad.uses == ("live", "files") and papers != "locked"]


@pytest.mark.parametrize("papers", IMPORTS)
def test_nothing_bad_is_imported(papers: str, make_place: Callable[[str], Place]) -> None:
    at = make_place(papers)
    library = sorted(path.name for path in at.file.parent.iterdir())
    sentence = at.told("voices", "import", str(at.file), "--as", "guest")
    assert sentence.startswith("vcfx: ")
    assert sentence.strip().isprintable()
    assert sorted(path.name for path in at.file.parent.iterdir()) == library


def test_the_good_voice_goes_every_one_of_these_ways(live: Voice, anna: Path, voice_model: Path) -> None:
    """What refuses everything would pass the tests above."""
    assert find_voice(anna, "live").name == "anna"
    assert isinstance(live.ask(m.SwitchVoice(str(anna))), m.Applied)
    assert isinstance(live.ask(m.SetParameter("voice", "voice", str(anna))), m.Applied)
    node = NeuralVoice(voice=str(anna), model=str(voice_model), device="cpu")
    node.prepare(ProcessSpec(RATE_HZ, HOP, 1, True))
    assert node.problem == ""
