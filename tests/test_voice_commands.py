"""`--voice` and `--reference` of convert and run: as a person meets them."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from refused_commands import told
from vcfx.__main__ import main
from vcfx.cli import convert, run
from vcfx.control.preset_source import PresetSource
from vcfx.errors import PresetError
from vcfx.graph.build import build_graph
from vcfx.graph.graph import INPUT, OUTPUT, Graph
from vcfx.offline import voiced_renderer_factory
from vcfx.presets import Preset, list_presets, load_preset, read_preset
from vcfx.presets.model import NodeEntry, SendEntry
from vcfx.presets.voice_chain import with_voice
from vcfx_models import voice_library
from vcfx_models.reference import Clip, voice_from_clips
from vcfx_models.speaker_encoder import SpeakerEncoder

MALE = Path(__file__).parent / "data" / "male.flac"
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(voice_library, "VOICES_FOLDER", tmp_path / "none")
    monkeypatch.setattr(voice_library, "user_voices_folder", lambda: tmp_path / "yours")
    return tmp_path


def test_convert_speaks_with_another_voice_and_stays_in_line(voice_model: Path, here: Path) -> None:
    voice = str(voice_model / "anna.vcfxvoice")
    assert main(["convert", str(MALE), "-o", "out.wav", "--voice", voice, "--model", str(voice_model)]) == 0
    spoken, rate_hz = soundfile.read("out.wav")
    heard, _ = soundfile.read(MALE)
    assert spoken.shape == heard.shape
    step = rate_hz // 100
    powers = [np.square(sound[: sound.size // step * step]).reshape(-1, step).sum(1) for sound in (heard, spoken)]
    shifts = range(-20, 21)
    alike = [np.corrcoef(np.roll(powers[0], shift), powers[1])[0, 1] for shift in shifts]
    assert abs(shifts[int(np.argmax(alike))]) <= 2, "the loudness of both moves together"


def test_renderers_take_voice_and_preset(voice_model: Path) -> None:
    sound = soundfile.read(MALE, dtype="float32", frames=24_000)[0][None]
    rendered = []
    for name in ("anna", "bert"):
        parameters = {"voice": str(voice_model / f"{name}.vcfxvoice"), "model": str(voice_model)}
        make = voiced_renderer_factory(json.dumps({"preset": "plain", "voice": parameters}))
        renderer = make(44_100, 1, 24_000)
        assert next(iter(renderer.plan._schedule.nodes)).kind == "voice"
        rendered.append(renderer.process(sound))
    assert not np.allclose(rendered[0], rendered[1], atol=1e-3)


@pytest.mark.parametrize(
    ("arguments", "label"),
    [
        (["--voice", "anna"], "anna"),
        (["--voice", "my/own.vcfxvoice", "--preset", "radio"], "own-radio"),
        (["--reference", "a b.flac", "c.flac", "--preset", "x/y.toml"], "a b-y"),
        (["--preset", "radio"], "radio"),
        (["--preset", "mine.toml", "--pitch", "2"], "voice-mine"),
    ],
)
def test_outputs_are_named_after_voice_and_preset(arguments: list[str], label: str) -> None:
    parser = argparse.ArgumentParser()
    convert.add_arguments(parser)
    assert convert._label(parser.parse_args(["x.wav", *arguments])) == label


def test_convert_with_a_reference(voice_model: Path, here: Path, capfd: Capture) -> None:
    long = np.tile(soundfile.read(MALE)[0], 4)
    soundfile.write("clip.wav", long, soundfile.info(MALE).samplerate)
    model = ["--model", str(voice_model), "-q"]
    assert main(["convert", str(MALE), "-o", "out.wav", *model, "--consent", "Nobody", "--reference", "clip.wav"]) == 0
    assert np.abs(soundfile.read("out.wav")[0]).max() > 1e-3
    soundfile.write("short.wav", long[:48_000], 48_000)
    assert "s of speech; needed: 3 s" in told(
        capfd, "convert", "x.wav", *model, "--consent", "Nobody", "--reference", "short.wav"
    )
    assert "there is no such recording" in told(
        capfd, "convert", "x.wav", *model, "--consent", "Nobody", "--reference", "none.wav"
    )
    assert "short.wav" in told(
        capfd, "convert", "x.wav", *model, "--consent", "Nobody", "--reference", "short.wav", "short.wav"
    )


INTERRUPTED = """
import os, signal, sys
from pathlib import Path
import vcfx.engine.portaudio_backend as backend, vcfx.engine.session as session
from vcfx.__main__ import main

def interrupted(backend, preset, request):
    files = list(Path(os.environ["TMPDIR"]).glob("vcfx-voice-*/*.vcfxvoice"))
    print(len(files), flush=True)
    os.kill(os.getpid(), signal.SIGINT)

backend.PortAudioBackend, session.LiveSession = object, interrupted
sys.exit(main(["run", "--model", sys.argv[1], "--consent", "Nobody", "--reference", sys.argv[2]]))
"""


def test_ctrl_c_while_run_compiles_leaves_no_voice_behind(voice_model: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, str(voice_model), str(MALE)],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 130, done.stderr
    assert "vcfx: interrupted" in done.stderr
    assert done.stdout == "1\n", "the voice made of the recording was there"
    assert not list(tmp_path.glob("vcfx-voice-*"))


def test_a_speaker_network_of_onnx_is_loaded(voice_model: Path) -> None:
    encoder = SpeakerEncoder(voice_model)
    sound, rate_hz = soundfile.read(MALE, dtype="float32")
    voice = voice_from_clips([Clip(np.tile(sound, 4), rate_hz)], "male", encoder)
    assert voice.embedding.shape == (256,)
    assert float(np.linalg.norm(voice.embedding)) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("command", [["convert", "x.wav"], ["run"]])
def test_what_is_not_there_is_one_sentence(command: list[str], voice_model: Path, here: Path, capfd: Capture) -> None:
    voice = str(voice_model / "anna.vcfxvoice")
    assert "there is no voice 'anna', as none is installed" in told(capfd, *command, "--voice", "anna")
    assert "no such voice file" in told(capfd, *command, "--voice", "x.vcfxvoice")
    assert "holds no voice model" in told(capfd, *command, "--voice", voice, "--model", str(here))
    assert "there is no folder 'gone'" in told(capfd, *command, "--voice", voice, "--model", "gone")
    assert "pitch_semitones is 99.0; allowed" in told(capfd, *command, "--voice", voice, "--pitch", "99")
    if command[0] == "run":
        return
    assert "give --preset P, --voice V or --reference CLIP" in told(capfd, *command)
    (here / "x.wav").write_bytes(b"")
    model = ["--model", str(voice_model)]
    assert "no voice is named" in told(capfd, *command, *model, "--pitch", "2", "--preset", "deep")


def test_cuda_without_torch_is_one_sentence(voice_model: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vcfx_models.load_networks.find_spec", lambda name: None)
    voice = ["--voice", str(voice_model / "anna.vcfxvoice"), "--model", str(voice_model)]
    assert "pip install 'vcfx-voice[gpu]'" in told(capfd, "convert", "x.wav", *voice, "--device", "cuda")


def test_help_stays_light() -> None:
    code = (
        "import sys, vcfx.__main__ as m\n"
        "for command in ('convert', 'run', 'voices'):\n"
        "    try: m.main([command, '--help'])\n"
        "    except SystemExit as end: assert end.code == 0\n"
        "heavy = {'numpy', 'numba', 'onnxruntime', 'safetensors', 'torch'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n  --reference CLIP") == 2


PARAMETERS: dict[str, float | str] = {"voice": "anna", "pitch_semitones": 2.0}


@pytest.mark.parametrize("name", [info.name for info in list_presets()])
def test_nothing_of_a_preset_hears_the_unconverted_voice(name: str) -> None:
    preset = load_preset(name)
    voiced = with_voice(preset, PARAMETERS)
    graph = build_graph(voiced)
    assert voiced.on_overload != "dry"
    kinds = [entry.kind for entry in preset.nodes()]
    if "voice" in kinds:
        assert [entry.kind for entry in voiced.nodes()] == kinds
        assert not ways_round_the_voice(graph)
        assert not any(entry.bypass for entry in preset.nodes() if entry.kind == "voice")
    else:
        assert [edge.target for edge in graph.edges_from(INPUT)] == ["voice"]
        assert [entry.kind for entry in voiced.nodes()][1:] == kinds


def ways_round_the_voice(graph: Graph) -> bool:
    """Whether something leads from the input to the output without the voice."""
    reached, open_ends = {INPUT}, [INPUT]
    while open_ends:
        for edge in graph.edges_from(open_ends.pop()):
            if edge.target not in reached | {"voice"}:
                reached.add(edge.target)
                open_ends.append(edge.target)
    return OUTPUT in reached


def test_a_way_round_the_voice_is_found() -> None:
    voice = NodeEntry("voice", "voice", {"voice": "anna"})
    assert not ways_round_the_voice(build_graph(Preset("p", chain=(NodeEntry("gate", "gate"), voice))))
    around = Preset("p", chain=(voice,), sends=(SendEntry("input", "output", 0.0, (NodeEntry("gain", "gain"),)),))
    assert ways_round_the_voice(build_graph(around))


def test_side_roads_from_the_input_and_taken_names_are_led_round() -> None:
    gain = NodeEntry("gain", "voice")
    sends = (SendEntry("input", "output", 0.0, (NodeEntry("gain", "voice-2"),)),)
    voiced = with_voice(Preset("p", on_overload="dry", chain=(gain,), sends=sends), PARAMETERS)
    graph = build_graph(voiced)
    assert [edge.target for edge in graph.edges_from(INPUT)] == ["voice-3"]
    assert voiced.sends[0].source == "voice-3"
    assert voiced.on_overload == "conceal"


def test_a_preset_with_a_voice_takes_the_options() -> None:
    text = b'schema_version = 1\nname = "v"\n[[chain]]\nnode = "voice"\nvoice = "bert"\nclarity = 0.5\n'
    preset = read_preset(text, "v.toml")
    assert with_voice(preset, {"pitch_semitones": 2.0}).chain == (
        NodeEntry("voice", "voice", {"voice": "bert", "clarity": 0.5, "pitch_semitones": 2.0}),
    )
    with pytest.raises(PresetError, match="no voice is named"):
        with_voice(None, {"pitch_semitones": 2.0})
    with pytest.raises(PresetError, match=r"v\.toml: chain 1 \(voice\): voice is 7; allowed: one line of at most"):
        read_preset(text.replace(b'"bert"', b"7"), "v.toml")


def test_the_plain_chain_is_high_pass_gate_voice_limiter() -> None:
    chain = with_voice(None, PARAMETERS).chain
    assert [entry.kind for entry in chain if isinstance(entry, NodeEntry)] == ["filter", "gate", "voice", "limiter"]


def test_a_chosen_voice_is_in_front_of_every_preset() -> None:
    source = PresetSource(dict(PARAMETERS))
    for name in ("plain", "podcast", "robot"):
        first = source.wanted(name).preset.chain[0]
        assert isinstance(first, NodeEntry)
        assert first.kind == "voice"
    source.choose_voice("")
    assert source.wanted("plain").preset == load_preset("plain")


def test_the_node_is_in_the_catalogue(capsys: Capture) -> None:
    assert main(["presets", "nodes", "voice"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("voice              text, default empty; a voice's name")
    assert main(["presets", "nodes", "voice", "--json"]) == 0
    declared = json.loads(capsys.readouterr().out)
    assert declared[0] == {"name": "voice", "default": "", "live": True, "doc": declared[0]["doc"], "text": True}


def test_options_of_both_commands_are_the_same() -> None:
    for module in (convert, run):
        parser = argparse.ArgumentParser()
        module.add_arguments(parser)
        with pytest.raises(SystemExit):
            parser.parse_args(["x.wav", "--voice", "a", "--reference", "b.wav"])
