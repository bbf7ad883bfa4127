"""The audible notice: its node against its twin, its sounds, and its place in plans."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from live_voice import BLOCK, PRESETS, RATE_HZ, running_voice
from reference.notice import under_notice
from vcfx.control import messages as m
from vcfx.files.conversion import convert_file
from vcfx.graph.build import NOTICE, build_graph
from vcfx.graph.graph import OUTPUT
from vcfx.graph.plan import PlanSpec, RenderPlan
from vcfx.offline import PresetRenderer, renderer_factory
from vcfx.presets import NodeEntry, Preset, SendEntry, read_preset
from vcfx_dsp.node import ProcessSpec
from vcfx_dsp.nodes.notice import LEAD_IN_S, RELEASE_S, Notice
from vcfx_dsp.notice_sounds import SOUNDS, notice_sound

GAIN = NodeEntry("gain", "gain", {"gain_db": -6.0})


def noticed(sound: str, signal: np.ndarray, rate_hz: int) -> np.ndarray:
    node = Notice(sound=sound)
    node.prepare(ProcessSpec(rate_hz, signal.shape[1], signal.shape[0]))
    out = np.empty_like(signal)
    node.process(signal, out)
    return out


@pytest.mark.parametrize("sound", SOUNDS)
@pytest.mark.parametrize("rate_hz", [8_000, 44_100, 48_000])
def test_it_equals_its_twin(sound: str, rate_hz: int, rng: np.random.Generator) -> None:
    signal = (0.1 * rng.standard_normal((2, 4 * rate_hz))).astype(np.float32)
    clip = notice_sound(sound, rate_hz)[0].astype(np.float64)
    expected = under_notice(signal.astype(np.float64), clip, rate_hz, LEAD_IN_S, RELEASE_S)
    np.testing.assert_allclose(noticed(sound, signal, rate_hz), expected, atol=2e-7)


@pytest.mark.parametrize("sound", SOUNDS)
def test_afterwards_it_is_not_there(sound: str, rng: np.random.Generator) -> None:
    signal = (0.1 * rng.standard_normal((1, 4 * 48_000))).astype(np.float32)
    signal[0, -5] = -0.0
    over = round(3.0 * 48_000)
    assert noticed(sound, signal, 48_000)[:, over:].tobytes() == signal[:, over:].tobytes()


def test_the_tone_has_its_two_notes() -> None:
    tone = notice_sound("tone", 48_000)[0]
    assert tone.size == round(0.65 * 48_000)
    for start_s, note_hz in ((0.0, 880.0), (0.35, 1174.66)):
        note = tone[round(start_s * 48_000) :][: round(0.3 * 48_000)]
        spectrum = np.abs(np.fft.rfft(note * np.hanning(note.size), 1 << 18))
        assert spectrum.argmax() * 48_000 / (1 << 18) == pytest.approx(note_hz, abs=1.0)
    assert 20 * np.log10(np.abs(tone).max()) == pytest.approx(-14.0, abs=0.1)


@pytest.mark.parametrize("rate_hz", [8_000, 48_000, 192_000])
def test_the_sentence_is_speech_of_two_seconds(rate_hz: int) -> None:
    spoken = notice_sound("spoken", rate_hz)[0].astype(np.float64)
    assert spoken.size / rate_hz == pytest.approx(2.154, abs=0.002)
    assert 20 * np.log10(np.abs(spoken).max()) == pytest.approx(-6.0, abs=0.1)
    assert -26.0 < 10 * np.log10(np.mean(spoken**2)) < -18.0
    assert max(np.abs(spoken[0]), np.abs(spoken[-1])) < 1e-3
    power = np.abs(np.fft.rfft(spoken)) ** 2
    hz = np.fft.rfftfreq(spoken.size, 1.0 / rate_hz)
    assert power[(hz > 150) & (hz < 3_400)].sum() > 0.9 * power.sum()


def test_nothing_goes_around_it() -> None:
    sends = (SendEntry("input", "output"), SendEntry("gain", "output"))
    graph = build_graph(Preset("p", chain=(GAIN,), sends=sends, notice="tone"))
    assert [edge.source for edge in graph.edges_into(OUTPUT)] == [NOTICE]
    assert NOTICE not in build_graph(Preset("p", chain=(GAIN,), sends=sends)).node_names()


def test_a_preset_file_turns_it_on() -> None:
    text = 'schema_version = 1\nname = "T"\n[engine]\nnotice = "spoken"\n[[chain]]\nnode = "gain"\n'
    preset = read_preset(text.encode(), "t.toml")
    assert preset.notice == "spoken"
    assert build_graph(preset).node(NOTICE).parameters["sound"] == "spoken"


@pytest.mark.parametrize("sound", SOUNDS)
def test_files_keep_their_length_and_carry_all_of_it(sound: str, tmp_path: Path) -> None:
    quiet = np.zeros(44_100 * 4, np.float32)
    soundfile.write(tmp_path / "in.wav", quiet, 44_100, subtype="FLOAT")
    limiter = NodeEntry("limiter", "limiter", {"lookahead_ms": 5.0})
    convert_file(
        tmp_path / "in.wav", tmp_path / "out.wav", renderer_factory(Preset("p", chain=(limiter,), notice=sound))
    )
    out, _ = soundfile.read(tmp_path / "out.wav", dtype="float32")
    assert out.size == quiet.size
    clip = notice_sound(sound, 44_100)[0]
    start = int(np.flatnonzero(np.abs(out) > 1e-6)[0] - np.flatnonzero(np.abs(clip) > 1e-6)[0])
    np.testing.assert_allclose(out[start : start + clip.size], clip, atol=1e-6)
    assert 0.2 * 44_100 < start <= 0.3 * 44_100


def test_it_is_heard_again_from_the_beginning_after_reset() -> None:
    renderer = PresetRenderer(Preset("p", chain=(GAIN,), notice="tone"), 48_000, 1, 48_000)
    block = np.full((1, 48_000), 0.1, np.float32)
    first = renderer.process(block)
    renderer.process(block)
    renderer.reset()
    np.testing.assert_array_equal(renderer.process(block), first)
    assert np.abs(first).max() > 0.15


def test_the_plan_of_a_switch_brings_it() -> None:
    """What live switching posts is a plan of the new preset, run on a little of the past before it is heard."""
    preset = Preset("p", chain=(GAIN,))
    plan = RenderPlan(build_graph(replace(preset, notice="tone")), PlanSpec(48_000, 1, 480))
    silence, out = np.zeros((1, 480), np.float32), np.empty((1, 480), np.float32)
    past_blocks = 10
    heard = []
    for _ in range(past_blocks + 100):
        plan.render(silence, out)
        heard.append(out.copy())
    after = np.concatenate(heard[past_blocks:], axis=1)[0]
    clip = notice_sound("tone", 48_000)[0]
    start = round(LEAD_IN_S * 48_000) - past_blocks * 480
    np.testing.assert_array_equal(after[start : start + clip.size], clip)


def test_switching_to_it_while_running_brings_it_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PRESETS, "noticed", replace(PRESETS["loud"], name="Noticed", notice="tone"))
    clip = notice_sound("tone", RATE_HZ)[0]
    blocks = round((LEAD_IN_S + 1.0) * RATE_HZ) // BLOCK
    with running_voice("loud", source=lambda first, count: np.zeros(count, np.float32)) as voice:
        answer = voice.done(m.SwitchPreset("noticed"))
        assert answer.block is not None
        heard = voice.played(answer.block, blocks)
    sound = heard[0] if heard.ndim == 2 else heard
    start = int(np.flatnonzero(np.abs(sound) > 1e-6)[0] - np.flatnonzero(np.abs(clip) > 1e-6)[0])
    np.testing.assert_allclose(sound[start : start + clip.size], clip, atol=1e-6)
    assert 0.2 * RATE_HZ < start <= LEAD_IN_S * RATE_HZ + 2 * BLOCK
