from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter

from vcfx_dsp.errors import ParameterError
from vcfx_dsp.node import Block, ProcessSpec
from vcfx_dsp.nodes.watermark import Watermark
from vcfx_dsp.resampler import resample_signal
from vcfx_dsp.watermark import detector
from vcfx_dsp.watermark.detector import FALSE_FINDS, find_marks
from vcfx_dsp.watermark.key import WatermarkKey
from vcfx_dsp.watermark.payload import Payload

RATE_HZ = 16_000
PAYLOAD = Payload(installation=3_021, voice=77)
OWN_KEY = "8899aabbccddeeff"


def voice_like(seconds: float, seed: int = 1) -> Block:
    """A buzz with wandering pitch and level through wandering resonances, with a little breath."""
    rng = np.random.default_rng(seed)
    frames = round(seconds * RATE_HZ)
    knots = np.arange(0, frames + 1_600, 1_600)
    wander = [np.interp(np.arange(frames), knots, row) for row in rng.uniform(-1, 1, (4, knots.size))]
    phase = np.cumsum(120 * 2 ** (0.3 * wander[0])) / RATE_HZ
    buzz = np.diff(np.floor(phase), prepend=0.0) + 0.02 * rng.standard_normal(frames)
    out = np.zeros(frames)
    for start in range(0, frames, 400):  # 25 ms of one vowel after another
        piece = slice(start, start + 400)
        for hz, way in ((600, 1), (1_500, 2), (2_700, 3)):
            omega = 2 * np.pi * hz * 2 ** (0.4 * wander[way][start]) / RATE_HZ
            before = max(0, start - 400)
            ringing = lfilter([1.0], [1.0, -1.9 * np.cos(omega), 0.9025], buzz[before : start + 400])
            out[piece] += ringing[start - before :]
    level = 10 ** (0.4 * wander[1])
    return np.asarray(0.1 * out * level / out.std(), np.float32)[None]


def marked(signal: Block, payload: Payload = PAYLOAD, **parameters: object) -> Block:
    node = Watermark(payload=float(payload.number), **parameters)
    node.prepare(ProcessSpec(RATE_HZ, signal.shape[1], signal.shape[0]))
    out = np.empty_like(signal)
    node.process(np.ascontiguousarray(signal), out)
    return out


def faster(signal: Block, ratio: float) -> Block:
    frames = signal.shape[1]
    return np.asarray(np.interp(np.arange(0, frames - 1, ratio), np.arange(frames), signal[0]), np.float32)[None]


def test_two_seconds_from_anywhere_tell_the_payload() -> None:
    signal = marked(voice_like(4.0))
    for start in (0, 7_777, 31_000):
        detection = find_marks(signal[:, start : start + 2 * RATE_HZ], RATE_HZ)
        assert detection.found
        assert detection.confidence >= 1 - FALSE_FINDS
        assert detection.payload == PAYLOAD
        assert detection.payload_confidence > 0.99
        assert [(part.start_s, part.end_s) for part in detection.segments] == [(0.0, 2.0)]


@pytest.mark.parametrize("rate_hz", [8_000, 44_100, 48_000])
def test_it_survives_another_rate(rate_hz: int) -> None:
    assert find_marks(resample_signal(marked(voice_like(2.0)), RATE_HZ, rate_hz), rate_hz).payload == PAYLOAD


@pytest.mark.parametrize("ratio", [0.95, 0.978, 1.03, 1.05])
def test_it_survives_another_speed(ratio: float) -> None:
    assert find_marks(faster(marked(voice_like(2.4)), ratio), RATE_HZ).payload == PAYLOAD


def test_it_survives_noise_level_and_a_silent_channel() -> None:
    signal = marked(voice_like(2.5))
    noisy = signal + np.random.default_rng(2).normal(0, 0.01, signal.shape).astype(np.float32)
    both = np.concatenate([0.01 * noisy, np.zeros_like(noisy)])
    assert find_marks(both, RATE_HZ).payload == PAYLOAD
    assert find_marks(np.concatenate([signal, -signal]), RATE_HZ).payload == PAYLOAD


def test_what_carries_no_mark_has_none() -> None:
    rng = np.random.default_rng(3)
    time_s = np.arange(3 * RATE_HZ) / RATE_HZ
    for signal in (
        voice_like(3.0, seed=9),
        rng.normal(0, 0.1, 3 * RATE_HZ),
        np.sin(2 * np.pi * 440 * time_s),
        np.zeros(3 * RATE_HZ),
        np.zeros(100),
        np.zeros(0),
    ):
        detection = find_marks(signal, RATE_HZ)
        assert (detection.found, detection.payload, detection.segments) == (False, None, ())
        assert detection.confidence < 1 - FALSE_FINDS


def test_silence_is_nothing_at_all() -> None:
    assert find_marks(marked(np.zeros((1, 3 * RATE_HZ), np.float32)), RATE_HZ).confidence == 0.0


def test_an_own_key_is_found_by_itself_only() -> None:
    signal = marked(voice_like(3.0), key=OWN_KEY)
    assert not find_marks(signal, RATE_HZ).found
    assert find_marks(signal, RATE_HZ, WatermarkKey.from_hex(OWN_KEY)).payload == PAYLOAD


def test_stretches_are_told_apart_in_time() -> None:
    other = Payload(1, 2)
    signal = voice_like(16.0)
    first, third = marked(signal[:, : 5 * RATE_HZ]), marked(signal[:, 11 * RATE_HZ :], other)
    whole = np.concatenate([first, signal[:, 5 * RATE_HZ : 11 * RATE_HZ], third], axis=1)
    segments = find_marks(whole, RATE_HZ).segments
    assert [part.payload for part in segments] == [PAYLOAD, other]
    edges = [edge for part in segments for edge in (part.start_s, part.end_s)]
    np.testing.assert_allclose(edges, [0.0, 5.0, 11.0, 16.0], rtol=0, atol=1.5)


def test_a_long_sound_is_worked_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detector, "PART_S", 8.0)
    signal = voice_like(18.0)
    signal[:, 9 * RATE_HZ : 15 * RATE_HZ] = marked(signal[:, 9 * RATE_HZ : 15 * RATE_HZ])
    segments = find_marks(signal, RATE_HZ).segments
    assert [part.payload for part in segments] == [PAYLOAD]
    np.testing.assert_allclose([segments[0].start_s, segments[0].end_s], [9.0, 15.0], rtol=0, atol=1.5)


@pytest.mark.parametrize(
    ("audio", "rate_hz", "message"),
    [
        (np.zeros((1, 1, 9)), 16_000, "audio has 3 dimensions"),
        (np.zeros((1, 9)), 4_000, "sample_rate is 4000"),
        (np.full((1, 9), np.nan), 16_000, "not finite"),
    ],
)
def test_other_sound_is_refused(audio: Block, rate_hz: int, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        find_marks(audio, rate_hz)
