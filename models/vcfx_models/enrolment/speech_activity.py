"""Which stretches of a recording are speech: near to where a voice sings its vowels, and above the noise."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from vcfx_dsp.f0_tracker import F0Tracker

from ..geometry import F0_HIGHEST_HZ, F0_LOOKAHEAD_HOPS, F0_LOWEST_HZ, SAMPLE_RATE
from ..speech_level import FRAME_SAMPLES, Mono, active_frames, frame_powers

Flags = npt.NDArray[np.bool_]

F0_HOP_SAMPLES: Final = SAMPLE_RATE // 200
#: A frame is voiced from this periodicity on; a vowel lasts at least so long; its pitch moves, a hum's or beep's not.
LEAST_VOICING: Final = 0.6
LEAST_VOWEL_S: Final = 0.05
STEADY_S, STEADY_LOG = 0.8, 0.006
#: Consonants are no farther from a vowel than this; shorter pauses than the other belong to what is said.
REACH_S: Final = 0.25
LEAST_PAUSE_S: Final = 0.2
#: A vowel within this of the loudest frames is the speaker's; farther voices and echoes are not.
VOWEL_RANGE_DB: Final = 30.0


@dataclass(frozen=True, slots=True)
class SpeechActivity:
    """What was found in mono at 24 kHz.

    Parameters
    ----------
    is_speech
        For each whole frame of 20 ms.
    log_f0
        Natural logarithm of F0 in Hz of the voiced frames of 5 ms within speech.
    """

    is_speech: Flags
    log_f0: npt.NDArray[np.float64]

    @property
    def seconds(self) -> float:
        """How much speech there is."""
        return float(self.is_speech.sum()) * FRAME_SAMPLES / SAMPLE_RATE


def speech_activity(mono: Mono) -> SpeechActivity:
    """Find the speech in mono at 24 kHz, of any level.

    A frame is speech if it lies within 35 dB of the loudest speech and within 0.25 s of a vowel: a stretch of 50 ms or
    more that is periodic, not far quieter than the loudest, and whose pitch moves as voices do.
    """
    powers = frame_powers(mono)
    count = powers.size
    tracker = F0Tracker(SAMPLE_RATE, F0_LOWEST_HZ, F0_HIGHEST_HZ, F0_LOOKAHEAD_HOPS)
    tracked = tracker.track(np.concatenate([mono, np.zeros(tracker_delay(tracker), np.float32)]))
    skipped = tracker_delay(tracker) // F0_HOP_SAMPLES
    f0_hz, voicing = tracked.f0_hz[skipped:], tracked.voicing[skipped:]
    voiced = _moving((f0_hz > 0.0) & (voicing >= LEAST_VOICING), f0_hz)
    per_frame = FRAME_SAMPLES // F0_HOP_SAMPLES
    in_frames = np.zeros(count * per_frame, np.bool_)
    in_frames[: min(voiced.size, in_frames.size)] = voiced[: in_frames.size]
    is_vowel = in_frames.reshape(count, per_frame).sum(axis=1) >= per_frame / 2
    loudest = powers[is_vowel].max(initial=0.0)
    is_vowel &= powers >= loudest * 10.0 ** (-VOWEL_RANGE_DB / 10.0)
    near = widened(is_vowel, round(REACH_S * SAMPLE_RATE / FRAME_SAMPLES))
    is_speech = filled(near & active_frames(np.where(near, powers, 0.0)), round(LEAST_PAUSE_S * 50)) & near
    in_speech = np.repeat(is_speech, per_frame)[: voiced.size] & voiced[: count * per_frame]
    return SpeechActivity(is_speech, np.log(f0_hz[: in_speech.size][in_speech]))


def tracker_delay(tracker: F0Tracker) -> int:
    """Return how many samples later than the voice its frames come."""
    return round(tracker.delay_samples)


def only_speech(mono: Mono, is_speech: Flags) -> Mono:
    """Return the speech without what is between, joined in fades of 5 ms."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], is_speech, [False]]).astype(np.int8)))
    ramp = (np.arange(F0_HOP_SAMPLES, dtype=np.float32) + 0.5) / F0_HOP_SAMPLES
    parts = [np.zeros(0, np.float32)]
    for start, end in zip(edges[::2] * FRAME_SAMPLES, edges[1::2] * FRAME_SAMPLES, strict=True):
        part = mono[start:end].copy()
        part[: ramp.size] *= ramp
        part[-ramp.size :] *= ramp[::-1]
        parts.append(part)
    return np.concatenate(parts)


def widened(flags: Flags, reach: int) -> Flags:
    """Return flags that are also set up to `reach` places from a set one."""
    if not flags.size:
        return flags
    near = np.convolve(flags, np.ones(2 * reach + 1, np.int64))
    return np.asarray(near[reach : reach + flags.size] > 0, np.bool_)


def filled(flags: Flags, shortest: int) -> Flags:
    """Return flags without gaps of fewer than `shortest` places between set ones."""
    out = flags.copy()
    at = np.flatnonzero(flags)
    for before, after in itertools.pairwise(at):
        if 1 < after - before <= shortest:
            out[before:after] = True
    return out


def _moving(voiced: Flags, f0_hz: npt.NDArray[np.float64]) -> Flags:
    """Return voiced frames in runs that are long enough for a vowel, without those of one unmoving pitch."""
    out = np.zeros_like(voiced)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], voiced, [False]]).astype(np.int8)))
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        seconds = (end - start) * F0_HOP_SAMPLES / SAMPLE_RATE
        if seconds < LEAST_VOWEL_S:
            continue
        low, high = np.percentile(np.log(f0_hz[start:end]), [10.0, 90.0])
        out[start:end] = seconds < STEADY_S or high - low >= STEADY_LOG
    return out
