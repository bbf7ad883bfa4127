"""How well the melody came through: F0 and voicing of the output against the source's."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from .packages import package
from .sound import Sound, frame_levels_db

RATE_HZ: Final = 16_000
FRAME_S: Final = 0.005
LOWEST_HZ: Final = 55.0
HIGHEST_HZ: Final = 600.0
#: D4C's judgement of a frame as a whole; above, harvest's F0 is a guess.
UNVOICED_APERIODICITY: Final = 0.999
#: The output may be late or early by this much: 80 ms.
LARGEST_LAG_FRAMES: Final = 16
FEWEST_FRAMES: Final = 20
#: Frames of the source this near to an edge of voicing or to a jump are where trackers guess.
UNSTEADY_REACH_FRAMES: Final = 4
JUMP_SEMITONES: Final = 1.0

Track = npt.NDArray[np.float64]


class F0Track:
    """WORLD's harvest every 5 ms, 0 where D4C finds no voice."""

    meter = "harvest-1"

    def hz(self, sound: Sound) -> list[float]:
        """Return F0 in Hz every `FRAME_S`."""
        world = package("pyworld")
        audio = sound.at(RATE_HZ).audio.astype(np.float64)
        f0, times = world.harvest(audio, RATE_HZ, LOWEST_HZ, HIGHEST_HZ, 1e3 * FRAME_S)
        voiced = world.d4c(audio, f0, times, RATE_HZ)[:, 2] < UNVOICED_APERIODICITY
        return [round(float(hz), 2) for hz in np.where(voiced, f0, 0.0)]


class SecondF0Track:
    """Probabilistic YIN (M. Mauch and S. Dixon, 2014) by librosa every 5 ms, 0 where it finds no voice.

    It does not bridge consonants as harvest does, so it asks less of frames that have no pitch of their own.
    """

    meter = "pyin-1"

    def hz(self, sound: Sound) -> list[float]:
        """Return F0 in Hz every `FRAME_S`."""
        audio, hop = sound.at(RATE_HZ).audio, round(FRAME_S * RATE_HZ)
        f0, voiced, _ = package("librosa").pyin(
            audio, fmin=LOWEST_HZ, fmax=HIGHEST_HZ, sr=RATE_HZ, frame_length=1_024, hop_length=hop
        )
        return [round(float(hz), 2) for hz in np.where(voiced, np.nan_to_num(f0), 0.0)]


def median_f0_hz(track: list[float]) -> float:
    """Return the median over voiced frames, 0 without any."""
    voiced = [hz for hz in track if hz > 0]
    return float(np.median(voiced)) if voiced else 0.0


def best_lag_frames(source: Sound, output: Sound) -> int:
    """Return by how many frames of 5 ms the output's loudness is late, within `LARGEST_LAG_FRAMES`."""
    one, other = (np.maximum(frame_levels_db(sound, FRAME_S), -70.0) for sound in (source, output))
    lags = range(-LARGEST_LAG_FRAMES, LARGEST_LAG_FRAMES + 1)
    return max(lags, key=lambda lag: (_correlation(*_overlapping(one, other, lag)) or 0.0, -abs(lag)))


def compare_melody(source: list[float], output: list[float], lag: int) -> dict[str, Any]:
    """Return Pearson's correlation of log-F0 where both are voiced, and the share of frames with the same voicing.

    The correlation does not change when log-F0 is moved and stretched, so the source need not be mapped first. A
    tracker's own jumps spoil it even between two recordings of the same voice; ``f0_correlation_steady`` leaves out
    the frames where the source's track, and that alone, jumps or begins or ends.
    """
    one, other = _overlapping(np.asarray(source), np.asarray(output), lag)
    both = (one > 0) & (other > 0)
    return {
        "f0_correlation": _log_correlation(one, other, both),
        "f0_correlation_steady": _log_correlation(one, other, both & steady(one)),
        "voicing_agreement": float(np.mean((one > 0) == (other > 0))) if one.size else None,
        "lag_ms": 1e3 * FRAME_S * lag,
    }


def steady(track: Track) -> npt.NDArray[np.bool_]:
    """Return where a track is voiced and neither jumps nor begins nor ends nearby."""
    octaves = np.log2(np.where(track > 0, track, 1.0))
    jumps = np.abs(np.diff(octaves, prepend=octaves[:1])) > JUMP_SEMITONES / 12
    reach = np.ones(2 * UNSTEADY_REACH_FRAMES + 1)
    near: npt.NDArray[np.bool_] = np.convolve(jumps | (track <= 0), reach, "full") > 0
    return ~near[UNSTEADY_REACH_FRAMES : UNSTEADY_REACH_FRAMES + track.size]


def _log_correlation(one: Track, other: Track, used: npt.NDArray[np.bool_]) -> float | None:
    if int(used.sum()) < FEWEST_FRAMES:
        return None
    return _correlation(np.log(one[used]), np.log(other[used]))


def _overlapping(one: Track, other: Track, lag: int) -> tuple[Track, Track]:
    """Return both from where they meet if `other` is late by `lag`."""
    one, other = one[max(0, -lag) :], other[max(0, lag) :]
    size = min(one.size, other.size)
    return one[:size], other[:size]


def _correlation(one: Track, other: Track) -> float | None:
    if one.size < 2 or not one.std() or not other.std():
        return None
    return float(np.corrcoef(one, other)[0, 1])
