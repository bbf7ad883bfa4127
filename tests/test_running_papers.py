"""Papers of voices while they are spoken with: asked for at each switch, each minute and before a recording."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import soundfile

from live_voice import ANSWER_S, Voice, load, running_voice, wait_until
from vcfx.control import messages as m
from vcfx.control.preset_source import PresetSource
from vcfx.errors import PresetError
from vcfx.graph.plan import PlanSpec, RenderPlan
from vcfx.hosts import papers_watch
from vcfx.hosts.neural_voice import NeuralVoice
from vcfx.hosts.papers_watch import WATCH, PapersWatch
from vcfx.offline import PresetRenderer
from vcfx.presets import Preset
from vcfx.presets.model import NodeEntry
from vcfx_dsp.errors import ParameterError
from vcfx_dsp.node import Block, ProcessSpec
from vcfx_models.errors import ConsentError
from vcfx_models.papers import audit
from vcfx_models.papers.consent import format_time
from vcfx_models.papers.issuing import issue
from vcfx_models.papers.keys import own_key
from vcfx_models.papers.revocation import keep_revocations, revoke
from vcfx_models.voice_library import peek_voice
from vcfx_models.voice_on_disk import save_bundle
from voice_models import consent_for_tests, random_voice

RATE_HZ = 48_000
HOP = RATE_HZ // 100
Enrol = Callable[..., str]


@pytest.fixture
def enrol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Enrol:
    """Enrols a voice in an installation of its own, with fields of the consent changed; returns its file."""
    monkeypatch.setenv("VCFX_DATA_DIR", str(tmp_path / "data"))

    def enrol(name: str, **changes: object) -> str:
        path = tmp_path / f"{name}.vcfxvoice"
        save_bundle(issue(random_voice(name), consent_for_tests(**changes)), path)
        return str(path)

    return enrol


def take_back(file: str) -> None:
    papers, key = peek_voice(Path(file)).papers, own_key()
    assert papers is not None
    assert key is not None
    keep_revocations([revoke(papers.consent.consent_id, format_time(datetime.now(UTC)), "", key)])


def events(event: str) -> list[audit.Detail]:
    return [entry.detail for entry in audit.entries() if entry.event == event]


def speech(seconds: float = 1.0) -> Block:
    time_s = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    tone = np.sum([np.sin(2 * np.pi * 140 * k * time_s) / k for k in range(1, 12)], axis=0)
    return np.ascontiguousarray(0.1 * tone[None], np.float32)


def speaking(file: str, model: Path, waits: bool = False, **parameters: object) -> NeuralVoice:
    node = NeuralVoice(voice=file, model=str(model), device="cpu", **parameters)
    node.prepare(ProcessSpec(RATE_HZ, HOP, 1, waits))
    return node


def said(node: NeuralVoice, sound: Block) -> Block:
    out = np.full_like(sound, np.nan)
    for start in range(0, sound.shape[1], HOP):
        block = np.ascontiguousarray(sound[:, start : start + HOP])
        made = np.empty_like(block)
        node.process(block, made)
        out[:, start : start + HOP] = made
    return out


def test_a_voice_that_is_taken_back_falls_silent_without_a_click(enrol: Enrol, voice_model: Path) -> None:
    anna = enrol("anna", speaker="Anna Example")
    node = speaking(anna, voice_model)
    before = said(node, speech())
    assert node.problem == ""
    take_back(anna)
    node.check_papers()
    assert node.problem == f"{anna}: the consent of Anna Example was taken back"
    after = said(node, speech())
    assert not after[:, HOP:].any()
    assert after[:, :HOP].any(), "it fades"
    bend = np.abs(np.diff(np.concatenate([before, after], axis=1)[0], 2))
    at = before.shape[1]
    assert bend[at - HOP :].max() < 1.5 * bend[at // 2 : at - HOP].max()
    node.check_papers()
    assert [detail["reason"] for detail in events("refused")] == ["the consent of Anna Example was taken back"]


def test_only_a_voice_with_papers_brings_sound_back(enrol: Enrol, voice_model: Path) -> None:
    anna, bert = enrol("anna"), enrol("bert")
    node = speaking(anna, voice_model)
    said(node, speech(0.5))
    take_back(anna)
    node.check_papers()
    node.update(pitch_semitones=3.0)
    node.reset()
    assert not said(node, speech(0.5)).any()
    with pytest.raises(ConsentError, match="was taken back"):
        node.fetch(anna)
    with pytest.raises(ConsentError, match="was taken back"):
        node.update(voice=anna)
    node.update(voice=bert)
    assert node.problem == ""
    assert said(node, speech(0.5)).any()


def test_a_resident_voice_does_not_outlive_its_papers(
    enrol: Enrol, voice_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna, bert = enrol("anna"), enrol("bert")
    node = speaking(anna, voice_model)
    node.update(voice=bert)
    take_back(anna)
    monkeypatch.setattr("vcfx.hosts.admitted_voices.FRESH_S", 0.0)
    with pytest.raises(ConsentError, match="was taken back"):
        node.update(voice=anna)
    assert node.voice is not None
    assert node.voice.name == "bert"
    assert said(node, speech(0.5)).any(), "the present voice goes on"


def test_a_voice_cannot_be_slipped_in_under_anothers_name(enrol: Enrol, voice_model: Path, tmp_path: Path) -> None:
    """What is fetched is not spoken with before it is switched to, whatever it is called."""
    anna, namesake = enrol("anna"), tmp_path / "namesake.vcfxvoice"
    save_bundle(issue(replace(random_voice("bert"), name="anna"), consent_for_tests()), namesake)
    expected = said(speaking(anna, voice_model), speech(0.5))
    node = speaking(anna, voice_model)
    node.fetch(str(namesake))
    np.testing.assert_array_equal(said(node, speech(0.5)), expected)
    node.update(voice=str(namesake))
    assert not np.array_equal(said(node, speech(0.5)), expected)


def test_a_voice_expires_while_it_sounds(enrol: Enrol, voice_model: Path) -> None:
    until = datetime.now(UTC) + timedelta(seconds=3)
    node = speaking(enrol("anna", until=format_time(until)), voice_model)
    node.check_papers()
    assert node.problem == ""
    time.sleep(max(0.0, (until - datetime.now(UTC)).total_seconds()) + 0.1)
    node.check_papers()
    assert "ended on" in node.problem
    said(node, speech(0.02))
    assert not said(node, speech(0.5)).any()


def test_a_file_that_is_being_converted_ends_with_the_sentence(enrol: Enrol, voice_model: Path) -> None:
    anna = enrol("anna")
    parameters = {"voice": anna, "model": str(voice_model), "device": "cpu"}
    renderer = PresetRenderer(Preset("p", chain=(NodeEntry("voice", "voice", parameters),)), RATE_HZ, 1, 4_800)
    assert renderer.process(speech(0.1)).shape == (1, 4_800)
    take_back(anna)
    WATCH.check()
    with pytest.raises(ConsentError, match="was taken back"):
        renderer.process(speech(0.1))


def test_uses_are_logged_when_they_begin(enrol: Enrol, voice_model: Path) -> None:
    node = speaking(enrol("anna"), voice_model)
    node.update(pitch_semitones=3.0)
    node.check_papers()
    speaking(enrol("bert"), voice_model, waits=True)
    assert [(detail["voice"], detail["use"]) for detail in events("used")] == [("anna", "live"), ("bert", "files")]


def test_live_and_files_are_asked_apart(enrol: Enrol, voice_model: Path) -> None:
    live, files = enrol("live", uses=["live"]), enrol("files", uses=["files"])
    speaking(live, voice_model, waits=False)
    speaking(files, voice_model, waits=True)
    with pytest.raises(ConsentError, match="is for live, not for files"):
        speaking(live, voice_model, waits=True)
    with pytest.raises(ConsentError, match="is for files, not for live"):
        speaking(files, voice_model, waits=False)


def test_a_preset_can_ask_for_a_living_speaker(enrol: Enrol, voice_model: Path) -> None:
    anna, live = enrol("anna"), enrol("live", liveness="passed")
    node = speaking(live, voice_model, papers="liveness")
    with pytest.raises(ConsentError, match="without a check that a living person spoke"):
        speaking(anna, voice_model, papers="liveness")
    with pytest.raises(ConsentError, match="without a check"):
        node.fetch(anna)
    with pytest.raises(ConsentError, match="without a check"):
        node.update(voice=anna)
    with pytest.raises(ParameterError, match="papers cannot change while sound runs"):
        node.update(papers="consent")
    node.update(voice=live)


def test_the_watch_asks_by_itself_and_forgets_who_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    class Speaker:
        def __init__(self) -> None:
            self.asked = threading.Semaphore(0)

        def check_papers(self) -> None:
            self.asked.release()

    monkeypatch.setattr(papers_watch, "CHECK_EVERY_S", 0.01)
    watch, kept, removed = PapersWatch(), Speaker(), Speaker()
    watch.add(kept)
    watch.add(removed)
    assert kept.asked.acquire(timeout=ANSWER_S)
    watch.remove(removed)
    assert kept.asked.acquire(timeout=ANSWER_S)
    assert kept.asked.acquire(timeout=ANSWER_S)
    while removed.asked.acquire(blocking=False):
        pass
    assert kept.asked.acquire(timeout=ANSWER_S)
    assert kept.asked.acquire(timeout=ANSWER_S)
    assert not removed.asked.acquire(blocking=False)


@contextmanager
def speaking_live(file: str, model: Path, bank: tuple[str, ...] = (), **presets: Preset) -> Iterator[Voice]:
    def find(name: str) -> Preset:
        return presets[name] if name in presets else load(name)

    source = PresetSource({"voice": file, "model": str(model), "device": "cpu"}, find)
    with running_voice("loud", bank, presets=source) as voice:
        yield voice


def is_silent(voice: Voice) -> bool:
    first = len(voice.device.played)
    return not voice.played(first, 20).any()


def test_a_running_voice_falls_silent_and_says_why(enrol: Enrol, voice_model: Path) -> None:
    anna, bert = enrol("anna"), enrol("bert")
    with speaking_live(anna, voice_model) as voice:
        wait_until(lambda: not is_silent(voice))
        take_back(anna)
        WATCH.check()
        wait_until(lambda: "was taken back" in voice.control.state().problem)
        wait_until(lambda: is_silent(voice))
        assert "was taken back" in voice.refusal(m.SwitchVoice(anna))
        voice.done(m.SwitchVoice(bert))
        wait_until(lambda: not is_silent(voice))
        wait_until(lambda: voice.control.state().problem == "")
        assert voice.control.engine.worker.errors == 0


def test_a_bank_does_not_keep_voices_alive(enrol: Enrol, voice_model: Path) -> None:
    anna, bert = enrol("anna"), enrol("bert")
    own = Preset("Own", chain=(NodeEntry("voice", "v", {"voice": anna, "model": str(voice_model)}),))
    with running_voice("loud", ("own",), presets=PresetSource({}, {"own": own, "loud": load("loud")}.__getitem__)) as v:
        v.wait_for_bank()
        take_back(anna)
        assert "was taken back" in v.refusal(m.SwitchPreset("own"))
        assert v.control.state().preset == "Loud"
        assert not is_silent(v)
        assert bert


def test_panic_with_a_voice_that_was_taken_back_stays_silent_and_says_why(enrol: Enrol, voice_model: Path) -> None:
    anna = enrol("anna")
    with speaking_live(anna, voice_model) as voice:
        wait_until(lambda: not is_silent(voice))
        take_back(anna)
        voice.done(m.Panic())
        voice.done(m.Mute(False))
        wait_until(lambda: "was taken back" in voice.control.state().problem)
        assert is_silent(voice)


def test_a_preset_that_asks_for_a_living_speaker_refuses_switches(enrol: Enrol, voice_model: Path) -> None:
    anna, live = enrol("anna"), enrol("live", liveness="passed")
    strict = {"voice": live, "model": str(voice_model), "papers": "liveness"}
    with running_voice("loud", presets=PresetSource({}, strict_or_loud(strict))) as voice:
        voice.done(m.SwitchPreset("strict"))
        for wish in (m.SwitchVoice(anna), m.SetParameter("v", "voice", anna)):
            assert "without a check that a living person spoke" in voice.refusal(wish)
        assert "papers cannot change" in voice.refusal(m.SetParameter("v", "papers", "consent"))
        assert voice.control.state().voice == live
        voice.done(m.SwitchPreset("loud"))
        voice.done(m.SwitchVoice(anna))
        assert "without a check" in voice.refusal(m.SwitchPreset("strict"))


def strict_or_loud(parameters: Mapping[str, float | str]) -> Callable[[str], Preset]:
    def find(name: str) -> Preset:
        if name == "strict":
            return Preset("Strict", chain=(NodeEntry("voice", "v", parameters),))
        if name == "loud":
            return load(name)
        raise PresetError(f"there is no preset '{name}'")

    return find


def test_a_recording_needs_consent_to_files(enrol: Enrol, voice_model: Path, tmp_path: Path) -> None:
    live = enrol("live", uses=["live"])
    with speaking_live(live, voice_model) as voice:
        wanted: tuple[m.RecordSides, ...] = ("wet", "both")
        for sides in wanted:
            reason = voice.refusal(m.StartRecording(sides, str(tmp_path / "take.wav")))
            assert reason == "a recording cannot be made: live: the consent of Somebody is for live, not for files"
        voice.done(m.StartRecording("dry", str(tmp_path / "dry.wav")))
        voice.done(m.StopRecording())
    assert sorted(path.name for path in tmp_path.glob("*.wav")) == ["dry.wav"]


@pytest.mark.parametrize("way", ["voice", "preset"])
def test_a_recording_ends_before_a_voice_that_may_not_be_recorded(
    enrol: Enrol, voice_model: Path, tmp_path: Path, way: str
) -> None:
    anna, live = enrol("anna"), enrol("live", uses=["live"])
    other = Preset("Other", chain=(NodeEntry("voice", "v", {"voice": live, "model": str(voice_model)}),))
    own = Preset("Own", chain=(NodeEntry("voice", "v", {"voice": anna, "model": str(voice_model)}),))
    take = tmp_path / "take.wav"
    with running_voice("own", presets=PresetSource({}, {"own": own, "other": other}.__getitem__)) as voice:
        began = voice.done(m.StartRecording("wet", str(take))).block
        assert began is not None
        time.sleep(0.3)
        wish = m.SetParameter("v", "voice", live) if way == "voice" else m.SwitchPreset("other")
        changed = voice.done(wish).block
        assert changed is not None
        wait_until(lambda: bool((recording := voice.control.state().recording) and recording.problem))
        recording = voice.control.state().recording
        assert recording is not None
        assert recording.problem == (
            f"the recording to '{take}' has ended: live: the consent of Somebody is for live, not for files"
        )
        frames = soundfile.info(take).frames
        assert 0 < frames <= (changed - began + 1) * voice.control.engine.block
        assert "for live, not for files" in voice.refusal(m.StartRecording("wet", str(tmp_path / "again.wav")))
    assert events("used")[-1]["voice"] == "live"


def test_a_recording_of_a_disguised_voice_needs_nobody(tmp_path: Path, enrol: Enrol) -> None:
    with running_voice("loud") as voice:
        voice.done(m.StartRecording("wet", str(tmp_path / "take.wav")))
        voice.done(m.StopRecording())
    assert soundfile.info(tmp_path / "take.wav").frames > 0


def test_a_plan_asks_no_more_once_it_is_released(enrol: Enrol, voice_model: Path) -> None:
    anna = enrol("anna")
    node = NeuralVoice(voice=anna, model=str(voice_model), device="cpu")
    from vcfx.graph.graph import Graph

    plan = RenderPlan(Graph.of_chain([node]), PlanSpec(RATE_HZ, 1, 480))
    plan.release()
    take_back(anna)
    WATCH.check()
    assert node.problem == ""
