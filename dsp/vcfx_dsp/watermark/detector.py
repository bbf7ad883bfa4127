"""Finds the mark in sound: whether it is there, what it says, and where in time, without the original.

Sound is looked at through windows of 2 s, of 8 s and of 30 s; what a longer window gathers outweighs what speech,
noise and codecs hide in a shorter one. In the first two every speed within 6 % and every pitch within 5 % is tried,
in the longest the pitch alone. A window's score is compared with what the best of all these tries reaches in unmarked
sound.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ..errors import ParameterError
from ..node import MAX_RATE_HZ, MIN_RATE_HZ
from .alignment import PatternSearch
from .estimator import estimate
from .key import DEFAULT_KEY, WatermarkKey
from .levels import HOP_S, band_levels, frame_spectra
from .pattern import pattern_of
from .payload import Payload

#: Less sound than this is not looked at; from SURE_FROM_S on the rates of the report hold.
SHORTEST_S: Final = 1.0
SURE_FROM_S: Final = 2.0
#: Found means: at most this many finds expected in as much unmarked sound.
FALSE_FINDS: Final = 1e-4
#: How unmarked windows score: fitted to 30 000 pairs of speech and key, from one in ten to one in ten thousand. Above
#: NULL_SCORE every further NULL_DECADE makes a score ten times as rare.
NULL_SCORE: Final = 6.54
NULL_DECADE: Final = 0.37
LARGEST_DEVIATION: Final = 0.06
FREQUENCY_RATIOS: Final = (0.95, 0.975, 1.0, 1.025, 1.05)
#: A grid of speeds this coarse, over the window's length, is at most 5 ms off at its ends.
SPEED_STEP_S: Final = 0.02
#: One part of a long file; windows that begin in it may reach MIDDLE_S beyond.
PART_S: Final = 30.0
SHORT_S, MIDDLE_S = 2.0, 8.0


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of sound that carries a mark.

    Parameters
    ----------
    start_s, end_s
        From the beginning of the sound.
    confidence
        As in `Detection`, of the surest window in it.
    payload
        What it says.
    payload_confidence
        As in `Detection`, of the surest window in it.
    """

    start_s: float
    end_s: float
    confidence: float
    payload: Payload
    payload_confidence: float = 0.0


@dataclass(frozen=True, slots=True)
class Detection:
    """What was found.

    Parameters
    ----------
    found
        Whether there is a mark: at most FALSE_FINDS such finds are expected in unmarked sound of this length.
    confidence
        One less the number of finds this sure that are expected in unmarked sound of this length, 0 to 1.
    payload
        What the surest stretch says; None if nothing was found.
    segments
        Where, in order of time.
    score
        Of the best window: correlation with the pattern, in standard deviations of a random pattern's.
    payload_confidence
        How probable it is, if there is a mark, that the payload was read without error: a mark is found in worse
        sound than its payload can be read in.
    """

    found: bool
    confidence: float
    payload: Payload | None
    segments: tuple[Segment, ...]
    score: float = 0.0
    payload_confidence: float = 0.0


@dataclass(frozen=True, slots=True)
class _Window:
    start_s: float
    end_s: float
    score: float
    payload: int
    payload_confidence: float

    @property
    def seconds(self) -> float:
        return self.end_s - self.start_s


def find_marks(audio: npt.ArrayLike, sample_rate: int, key: WatermarkKey = DEFAULT_KEY) -> Detection:
    """Look for marks under a key.

    Parameters
    ----------
    audio
        (channels, frames) or (frames,); any level.
    sample_rate
        Hz, 8000 to 192000.
    key
        The key of the mark.

    Raises
    ------
    ParameterError
        If the sound is not of that form, or not finite.
    """
    sound = _checked(audio, sample_rate)
    windows = list(_windows(sound, sample_rate, PatternSearch(pattern_of(key))))
    if not windows:
        return Detection(False, 0.0, None, ())
    best = max(windows, key=lambda window: window.score)
    confidence = _confidence(best.score, len(windows))
    sure = [window for window in windows if window.score >= least_score(len(windows))]
    segments = _merged(sure, len(windows))
    payload = Payload.from_number(best.payload) if sure else None
    return Detection(bool(sure), confidence, payload, segments, best.score, best.payload_confidence if sure else 0.0)


def _checked(audio: npt.ArrayLike, sample_rate: int) -> npt.NDArray[np.float32]:
    sound = np.atleast_2d(np.asarray(audio, np.float32))
    if sound.ndim != 2:
        raise ParameterError(f"audio has {sound.ndim} dimensions; allowed: (channels, frames) or (frames,)")
    if not MIN_RATE_HZ <= sample_rate <= MAX_RATE_HZ:
        raise ParameterError(f"sample_rate is {sample_rate}; allowed: {MIN_RATE_HZ} to {MAX_RATE_HZ}")
    if not np.isfinite(sound).all():
        raise ParameterError("audio holds values that are not finite; allowed: finite samples")
    return sound


def _windows(sound: npt.NDArray[np.float32], sample_rate: int, search: PatternSearch) -> Iterator[_Window]:
    """Score every window, part by part, so that memory does not grow with the sound."""
    seconds = sound.shape[1] / sample_rate
    for start_s in np.arange(0.0, seconds, PART_S):
        begin, end = (round(min(at_s, seconds) * sample_rate) for at_s in (start_s, start_s + PART_S + MIDDLE_S))
        evidence = _evidence(sound[:, begin:end], sample_rate)
        for from_s, to_s in _spans(seconds - start_s):
            some = evidence[:, round(from_s / HOP_S) : round(to_s / HOP_S)]
            match = search.best(some, _time_scales(to_s - from_s))
            yield _Window(
                float(start_s) + from_s, float(start_s) + to_s, match.score, match.payload, match.payload_confidence
            )


def _evidence(sound: npt.NDArray[np.float32], sample_rate: int) -> npt.NDArray[np.float32]:
    """Return the estimator's output for each frequency ratio; channels count by their power."""
    spectra = frame_spectra(sound[0], sample_rate)
    for channel in sound[1:]:
        spectra += frame_spectra(channel, sample_rate)
    return np.stack([estimate(band_levels(spectra, sample_rate, ratio)) for ratio in FREQUENCY_RATIOS])


def _spans(left_s: float) -> Iterator[tuple[float, float]]:
    """Windows that begin in this part of the sound, `left_s` of which is left; in seconds from the part's start."""
    if left_s < SHORTEST_S:
        return
    lengths = ((SHORT_S, 1.0), (MIDDLE_S, 4.0), (PART_S, PART_S))
    for (length_s, step_s), shorter_s in zip(lengths, (0.0, SHORT_S, MIDDLE_S), strict=True):
        if left_s <= shorter_s * 1.25:
            continue
        last_s = min(max(left_s - length_s, 0.0), PART_S - step_s)
        for start_s in np.arange(0.0, last_s + 0.5 * step_s, step_s):
            start_s = min(start_s, last_s)
            yield float(start_s), float(min(start_s + length_s, left_s))


def _time_scales(length_s: float) -> npt.NDArray[np.float64]:
    if length_s > MIDDLE_S:
        return np.ones(1)
    steps = math.ceil(LARGEST_DEVIATION * max(length_s, SHORT_S) / SPEED_STEP_S)
    return 1.0 + np.linspace(-LARGEST_DEVIATION, LARGEST_DEVIATION, 2 * steps + 1)


def _confidence(score: float, windows: int) -> float:
    expected = windows * math.pow(10.0, (NULL_SCORE - score) / NULL_DECADE)
    return 1.0 - min(1.0, expected)


def least_score(windows: int) -> float:
    """Return the score from which on a mark counts as found when so many windows are looked at."""
    return NULL_SCORE + NULL_DECADE * math.log10(windows / FALSE_FINDS)


def _merged(sure: list[_Window], tried: int) -> tuple[Segment, ...]:
    """Join windows that say the same where they meet; short ones, then sure ones, say where a mark begins and ends."""
    kept: list[_Window] = []
    for window in sorted(sure, key=lambda window: (round(window.seconds), -window.score)):
        beside = [other for other in kept if _overlap(window, other)]
        if all(window.payload == other.payload and window.seconds < 1.5 * other.seconds for other in beside):
            kept.append(window)
    segments: list[Segment] = []
    for window in sorted(kept, key=lambda window: window.start_s):
        payload, confidence = Payload.from_number(window.payload), _confidence(window.score, tried)
        last = segments[-1] if segments else None
        if last and last.payload == payload and _joined(last, window, sure):
            joined = max(last.end_s, window.end_s), max(last.confidence, confidence)
            read = max(last.payload_confidence, window.payload_confidence)
            segments[-1] = Segment(last.start_s, *joined, payload, read)
        else:
            read = window.payload_confidence
            segments.append(Segment(window.start_s, window.end_s, confidence, payload, read))
    return tuple(segments)


def _joined(segment: Segment, window: _Window, sure: list[_Window]) -> bool:
    """Whether they meet, or nothing but a pause is between them: a short one, in a longer window that says the same."""
    gap_s = window.start_s - segment.end_s
    spanned = (
        other.payload == window.payload and other.start_s <= segment.end_s and other.end_s >= window.start_s
        for other in sure
    )
    return gap_s <= 0.0 or (gap_s <= SHORT_S and any(spanned))


def _overlap(one: _Window, other: _Window) -> bool:
    return one.start_s < other.end_s and other.start_s < one.end_s
