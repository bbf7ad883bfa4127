"""The range of a speaker's voice: found in recordings, remembered from run to run, used from the first word on."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from vcfx.files.conversion import ConvertOptions, convert_file
from vcfx.files.known_speaker import range_in
from vcfx.graph.catalogue import create
from vcfx.graph.graph import Graph
from vcfx.graph.plan import PlanSpec, RenderPlan
from vcfx.hosts.first_voices import first_voices
from vcfx.hosts.neural_voice import NeuralVoice
from vcfx.hosts.speaker_memory import FILE_NAME, MEMORY, MOST_BELIEVED_S, SpeakerMemory
from vcfx.offline import PresetRenderer
from vcfx.presets.voice_chain import with_voice
from vcfx_models.errors import ModelError
from vcfx_models.melody import PRIOR_LOG_F0, SEMITONE, SourceRange
from vcfx_models.speaker_range import RangeScan, SpeakerRange
from voices import vowel

RATE_HZ = 48_000
HIGH = SpeakerRange(math.log(240.0), 0.15, 12.0)


def sung(median_hz: float, seconds: float = 3.0, rate_hz: int = RATE_HZ) -> np.ndarray:
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    return vowel(median_hz * np.exp(0.15 * np.sin(2 * np.pi * 1.3 * time_s)), rate_hz, seconds).astype(np.float32)


def test_a_range_outlives_mistakes_of_the_tracker(rng: np.random.Generator) -> None:
    log_f0 = math.log(120.0) + 0.12 * rng.standard_normal(2_000)
    log_f0[::10] = math.log(560.0)
    found = SpeakerRange.of(log_f0.astype(np.float32))
    assert found is not None
    assert abs(found.log_mean - math.log(120.0)) < 0.1 * SEMITONE
    assert abs(found.log_spread - 0.12) < 0.01
    assert found.voiced_s == pytest.approx(9.0, abs=0.2)


def test_less_than_a_second_of_voice_is_no_range() -> None:
    assert SpeakerRange.of(np.full(199, 5.0, np.float32)) is None
    assert RangeScan(RATE_HZ).range() is None


@pytest.mark.parametrize(
    "numbers", [(0.0, 0.1, 1.0), (5.0, -0.1, 1.0), (5.0, 0.1, -1.0), (math.nan, 0.1, 1.0), (5.0, math.inf, 1.0)]
)
def test_a_range_that_nobody_has_is_refused(numbers: tuple[float, float, float]) -> None:
    with pytest.raises(ModelError, match="of a speaker's range is"):
        SpeakerRange(*numbers)


@given(cuts=st.lists(st.integers(0, 3 * RATE_HZ), max_size=8))
def test_a_recording_may_come_in_any_pieces(cuts: list[int]) -> None:
    scan = RangeScan(RATE_HZ)
    for piece in np.split(sung(200.0), sorted(cuts)):
        scan.hear(piece)
    found = scan.range()
    assert found is not None
    assert abs(found.log_mean - math.log(200.0)) < 0.3 * SEMITONE
    assert abs(found.log_spread - 0.15 / math.sqrt(2.0)) < 0.02


def test_who_is_expected_is_spoken_for_from_the_first_word_on() -> None:
    source = SourceRange()
    assert source.heard is None
    source.known = HIGH
    source.reset()
    assert (source.mean, source.spread) == (HIGH.log_mean, HIGH.log_spread)
    for _ in range(200):
        source.hear(math.log(240.0), 0.9, 0.9)
    assert abs(source.mean - HIGH.log_mean) < 0.01 * SEMITONE
    source.known = None
    source.reset()
    assert source.mean == PRIOR_LOG_F0


def test_another_speaker_than_expected_is_followed() -> None:
    source = SourceRange()
    source.known = SpeakerRange(HIGH.log_mean, HIGH.log_spread, MOST_BELIEVED_S)
    source.reset()
    for index in range(900):  # 2.7 s of voice in 4.5 s
        is_voiced = 0.9 * (index % 100 < 60)
        source.hear(math.log(110.0), is_voiced, is_voiced)
    assert abs(source.mean - math.log(110.0)) < SEMITONE
    assert source.heard is not None
    assert source.heard.log_mean == pytest.approx(math.log(110.0), abs=0.01)


def test_a_few_wild_frames_move_a_settled_range_little(rng: np.random.Generator) -> None:
    source = SourceRange()
    for index in range(3_000):
        log_f0 = math.log(560.0) if index % 20 == 0 else math.log(120.0) + 0.12 * rng.standard_normal()
        source.hear(log_f0, 0.9, 0.9)
    assert abs(source.mean - math.log(120.0)) < 0.6 * SEMITONE


def test_the_memory_goes_from_run_to_run(tmp_path: Path) -> None:
    memory = SpeakerMemory()
    memory.hear(memory, HIGH)
    assert memory.range is None, "closed, it takes in nothing"
    memory.open(tmp_path / "new")
    assert memory.range is None
    memory.hear(memory, HIGH)
    memory.hear(memory, None)
    memory.close()
    assert memory.range is None, "closed, it knows nobody"
    memory.open(tmp_path / "new")
    assert memory.range == SpeakerRange(HIGH.log_mean, HIGH.log_spread, MOST_BELIEVED_S)
    assert [path.name for path in (tmp_path / "new").iterdir()] == [FILE_NAME]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"log_mean": "x"}', '{"log_mean": 99, "log_spread": 0.1, "voiced_s": 3}', "\x00"]
)
def test_a_damaged_memory_counts_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE_NAME).write_text(text)
    memory = SpeakerMemory()
    memory.open(tmp_path)
    assert memory.range is None


def test_a_folder_that_cannot_be_written_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    memory = SpeakerMemory()
    memory.open(tmp_path / "file")
    memory.hear(memory, HIGH)
    memory.close()
    assert (tmp_path / "file").read_text() == ""


def test_only_voices_that_hear_the_speaker_count() -> None:
    graph = Graph.of_chain([create("gain"), voice := NeuralVoice(), create("gain"), NeuralVoice()])
    assert first_voices(graph) == [voice]
    assert first_voices(Graph.of_chain([create("pitch"), NeuralVoice()])) == []


def live_voice(model: Path) -> tuple[RenderPlan, NeuralVoice]:
    voice = NeuralVoice(voice=str(model / "anna.vcfxvoice"), model=str(model), device="cpu")
    graph = Graph.of_chain([voice])
    return RenderPlan(graph, PlanSpec(RATE_HZ, 1, 480, asynchronous=True)), voice


def heard_by(voice: NeuralVoice, sound: np.ndarray) -> SpeakerRange | None:
    for at in range(0, sound.size - 480, 480):
        block = np.ascontiguousarray(sound[None, at : at + 480])
        voice.process(block, np.empty_like(block))
    assert voice._converter is not None
    return voice._converter.source_range


def test_a_plan_kept_ready_a_new_plan_and_a_new_run_know_the_speaker(voice_model: Path, tmp_path: Path) -> None:
    MEMORY.open(tmp_path)
    try:
        _, ready = live_voice(voice_model)
        _, first = live_voice(voice_model)
        learned = heard_by(first, sung(230.0))
        assert learned is not None
        _, second = live_voice(voice_model)
        assert second._converter is not None
        heard_by(ready, np.zeros(960, np.float32))
        assert ready._converter is not None
        assert ready._converter.source_range is not None
        assert ready._converter.source_range.log_mean == pytest.approx(learned.log_mean)
        assert second._converter.source_range is not None
        assert second._converter.source_range.log_mean == pytest.approx(learned.log_mean)
    finally:
        MEMORY.close()
    left = json.loads((tmp_path / FILE_NAME).read_text())
    assert abs(left["log_mean"] - math.log(230.0)) < SEMITONE
    _, third = live_voice(voice_model)
    assert third._converter is not None
    assert third._converter.source_range is None, "without a live program nobody is remembered"


def test_a_live_program_opens_and_closes_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from vcfx.cli.live_program import _speaker_remembered

    monkeypatch.setenv("VCFX_DATA_DIR", str(tmp_path))
    with _speaker_remembered():
        MEMORY.hear(MEMORY, HIGH)
    assert MEMORY.range is None
    assert (tmp_path / FILE_NAME).is_file()


def test_a_file_is_heard_before_it_is_converted(voice_model: Path, tmp_path: Path) -> None:
    source, made = tmp_path / "in.wav", []
    soundfile.write(source, np.stack([sung(230.0), np.zeros(3 * RATE_HZ, np.float32)], axis=1), RATE_HZ)
    preset = with_voice(None, {"voice": str(voice_model / "anna.vcfxvoice"), "model": str(voice_model)})

    def make(rate_hz: int, channels: int, frames: int) -> PresetRenderer:
        made.append(PresetRenderer(preset, rate_hz, channels, frames))
        return made[-1]

    convert_file(source, tmp_path / "out.wav", make, ConvertOptions())
    (voice,) = first_voices(made[0].plan.graph)
    assert voice._expected == range_in(source)
    assert voice._expected is not None
    assert abs(voice._expected.log_mean - math.log(230.0)) < 0.5 * SEMITONE


def test_a_file_without_a_voice_has_no_range(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "in.wav", 1e-3 * np.random.default_rng(1).standard_normal(RATE_HZ), RATE_HZ)
    assert range_in(tmp_path / "in.wav") is None
