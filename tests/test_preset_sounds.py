"""Every preset that comes with vcfx, on speech: it sounds, does not clip, keeps its loudness, and changes the voice."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import librosa
import numpy as np
import pyloudnorm
import pytest
import soundfile
from scipy.signal import resample_poly, stft

from vcfx.bench.voice_bench import loudness_lag_ms
from vcfx.offline import PresetRenderer
from vcfx.presets import NodeEntry, load_preset, preset_root, read_preset
from vcfx_dsp.node import Block, ProcessSpec
from vcfx_dsp.registry import create

RATE_HZ = 48_000
BLOCK = 4_096
ROOT = Path(__file__).parents[1]
CLIPS = {"clip": ROOT / "vcfx" / "data" / "clip.flac", "male": ROOT / "tests" / "data" / "male.flac"}
OURS = sorted(item.name.removesuffix(".toml") for item in preset_root().iterdir() if item.name.endswith(".toml"))
#: Presets that speak with another person's voice: one clip each, as the networks take their time.
NEURAL = [name for name in OURS if name.startswith("voice-")]
SOUNDS = [(name, clip) for name in OURS for clip in CLIPS if clip == "clip" or name not in NEURAL]
#: Mean level difference over bands and frames; studio corrections make about 1, voice changes 3 and more.
AUDIBLE_DB = 0.7
MAX_LOUDNESS_CHANGE_LU = 6.0


@cache
def speech(clip: str) -> Block:
    sound, rate = soundfile.read(CLIPS[clip], dtype="float32")
    assert rate == RATE_HZ // 2
    return np.ascontiguousarray(resample_poly(sound, 2, 1)[None, :], np.float32)


def run(renderer: PresetRenderer, sound: Block) -> Block:
    """`sound` through a preset, lined up with the input."""
    padded = np.pad(sound, ((0, 0), (0, renderer.latency_samples)))
    blocks = [renderer.process(padded[:, at : at + BLOCK]) for at in range(0, padded.shape[1], BLOCK)]
    return np.concatenate(blocks, axis=1)[:, renderer.latency_samples :]


def load_ours(name: str) -> PresetRenderer:
    preset = read_preset((preset_root() / f"{name}.toml").read_bytes(), name)
    return PresetRenderer(preset, RATE_HZ, 1, BLOCK)


@cache
def rendered(name: str, clip: str) -> Block:
    return run(load_ours(name), speech(clip))


def band_levels_db(sound: Block) -> Block:
    """Levels of 1 kHz wide bands in 20 ms frames, floored 60 dB below full scale."""
    _, _, spectrum = stft(sound[0], RATE_HZ, nperseg=1920, noverlap=960)
    power = np.abs(spectrum[1:481]) ** 2
    bands = power.reshape(12, 40, -1).mean(axis=1)
    return np.asarray(10 * np.log10(bands + 1e-8), np.float32)


def loudness_lufs(sound: Block) -> float:
    return float(pyloudnorm.Meter(RATE_HZ).integrated_loudness(sound[0].astype(np.float64)))


def test_there_are_enough() -> None:
    assert len(OURS) >= 12
    assert {"deep", "plain"} <= set(OURS), "the demonstration and the tools name them"


@pytest.mark.parametrize("name", OURS)
def test_it_says_what_it_is(name: str) -> None:
    preset = load_preset(ROOT / "presets" / f"{name}.toml")
    assert preset.name.lower().replace(" ", "-") == name
    assert preset.description.endswith(".")
    assert len(preset.description) <= 90
    assert preset.tags
    assert f"| `{name}` | {preset.description} |" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert preset.on_overload == "conceal", "the unchanged voice must not leak"


@pytest.mark.parametrize(("name", "clip"), SOUNDS)
def test_it_changes_the_voice_and_little_else(name: str, clip: str) -> None:
    before, after = speech(clip), rendered(name, clip)
    assert np.isfinite(after).all()
    assert np.abs(after).max() < 1.0
    assert abs(loudness_lufs(after) - loudness_lufs(before)) <= MAX_LOUDNESS_CHANGE_LU
    difference_db = float(np.abs(band_levels_db(after) - band_levels_db(before)).mean())
    if name == "plain":
        np.testing.assert_array_equal(after, before)
    else:
        assert difference_db > AUDIBLE_DB


@pytest.mark.parametrize("name", NEURAL)
def test_a_neural_voice_is_late_by_what_its_preset_states(name: str) -> None:
    """Nothing of the waveform is left to be found again; the loudness of speech is."""
    assert "voice" in {entry.kind for entry in load_ours(name).preset.nodes()}
    extra_ms = 50
    spoken = np.pad(rendered(name, "clip")[0], (RATE_HZ * extra_ms // 1_000, 0))
    lag_ms = loudness_lag_ms(speech("clip")[0], spoken[: speech("clip").shape[1]], RATE_HZ)
    assert lag_ms == pytest.approx(extra_ms, abs=5)


@pytest.mark.parametrize("name", OURS)
def test_nothing_is_heard_when_nobody_speaks(name: str) -> None:
    renderer = load_ours(name)
    silence = np.zeros((1, BLOCK), np.float32)
    peaks = [np.abs(renderer.process(silence)).max() for _ in range(24)]
    assert max(peaks) < 1e-4


@pytest.mark.parametrize("name", OURS)
def test_it_also_takes_stereo_at_44100(name: str, rng: np.random.Generator) -> None:
    preset = load_preset(ROOT / "presets" / f"{name}.toml")
    renderer = PresetRenderer(preset, 44_100, 2, 512)
    noise = (0.1 * rng.standard_normal((2, 512))).astype(np.float32)
    out = [renderer.process(noise) for _ in range(40)]
    assert np.isfinite(out).all()
    assert np.abs(out[-1]).max() > 0


def mean_pitch_hz(sound: Block) -> float:
    """Median of the louder half of the frames."""
    low = resample_poly(sound[0], 1, 3)
    f0_hz = librosa.yin(low, fmin=50, fmax=500, sr=RATE_HZ // 3, frame_length=1024, hop_length=256)
    level = librosa.feature.rms(y=low, frame_length=1024, hop_length=256)[0]
    return float(np.median(f0_hz[level > np.median(level)]))


def at_natural_melody(name: str) -> PresetRenderer:
    """A preset whose pitch node shifts only: a widened melody moves the median as well."""
    preset = load_ours(name).preset
    chain = tuple(
        replace(entry, parameters={**entry.parameters, "pitch_range_ratio": 1.0})
        if isinstance(entry, NodeEntry) and entry.kind == "pitch"
        else entry
        for entry in preset.chain
    )
    return PresetRenderer(replace(preset, chain=chain), RATE_HZ, 1, BLOCK)


def test_pitch_moves_as_the_presets_say() -> None:
    spoken_hz = mean_pitch_hz(speech("male"))
    for name, semitones in (("deep", -4.0), ("bright", 3.5), ("child", 7.0)):
        moved = 12 * np.log2(mean_pitch_hz(run(at_natural_melody(name), speech("male"))) / spoken_hz)
        assert moved == pytest.approx(semitones, abs=0.5), name


def periodicity(sound: Block, pitch_hz: float) -> float:
    """Mean correlation of neighbouring periods over the louder half of 40 ms frames."""
    period, frame = round(RATE_HZ / pitch_hz), RATE_HZ // 25
    starts = range(period, sound.shape[1] - frame, frame)
    pairs = [(sound[0, at : at + frame], sound[0, at - period : at - period + frame]) for at in starts]
    levels = np.array([np.dot(now, now) for now, _ in pairs])
    loud = [pair for pair, level in zip(pairs, levels, strict=True) if level > np.median(levels)]
    return float(np.mean([np.dot(a, b) / np.sqrt(np.dot(a, a) * np.dot(b, b) + 1e-12) for a, b in loud]))


def test_whisper_lifts_a_whisper_and_gives_it_a_tone() -> None:
    breath = create("vocoder", carrier="noise", bands=32)
    loud = speech("male")
    breath.prepare(ProcessSpec(RATE_HZ, loud.shape[1], 1))
    whispered = np.empty_like(loud)
    breath.process(loud, whispered)
    whispered *= np.float32(0.1)
    helped = run(load_ours("whisper"), whispered)
    assert loudness_lufs(helped) - loudness_lufs(whispered) > 6
    assert periodicity(whispered, 125) < 0.25
    assert periodicity(helped, 125) > 0.4
