"""One person or two in a recording: the statistic against its theory, the parts, and what is refused."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from vcfx_models.errors import VoiceError
from vcfx_models.reference_checks import (
    LEAST_COMPARED_S,
    MOST_PARTS,
    check_one_speaker,
    speaker_parts,
    spread_along_one_line,
    without_pauses,
)
from vcfx_models.speech_level import Mono

RATE_HZ = 24_000
Floats = npt.NDArray[np.float32]


class Stripes:
    """Stands in for the network: whoever has the higher sum of samples is another person; what is said adds noise."""

    def __init__(self, apart: float, scatter: float = 0.03) -> None:
        self.apart, self.scatter, self.calls = apart, scatter, 0
        self._rng = np.random.default_rng(3)

    def embed(self, mono: Mono) -> Mono:
        self.calls += 1
        vector = np.zeros(256)
        vector[0] = 1.0
        vector[1] = self.apart * float(np.mean(mono > 0.0))
        vector[2:40] = self.scatter * self._rng.standard_normal(38)
        return np.asarray(vector / np.linalg.norm(vector), np.float32)


def speech(seconds: float, sign: float = 1.0) -> Mono:
    """Loud enough noise of one sign: spoken through and through, and to be told from the other sign."""
    return np.asarray(sign * np.abs(np.random.default_rng(1).standard_normal(int(seconds * RATE_HZ))) * 0.1, np.float32)


@pytest.mark.parametrize("share", [0.5, 0.25])
def test_two_points_are_a_line_as_long_as_theory_says(share: float) -> None:
    """Of a share p at a distance d from the rest the variance along the line is p (1 - p) d squared."""
    rng = np.random.default_rng(2)
    count, distance, scatter = 4_000, 0.5, 0.05
    points = scatter * rng.standard_normal((count, 16))
    points[: int(share * count), 0] += distance
    expected = share * (1.0 - share) * distance**2
    assert spread_along_one_line(points.astype(np.float32)) == pytest.approx(expected, abs=0.1 * expected)


def test_a_round_cloud_and_a_single_point_are_no_line() -> None:
    cloud = 0.2 * np.random.default_rng(2).standard_normal((5_000, 16))
    assert spread_along_one_line(cloud.astype(np.float32)) < 0.1 * 0.04
    assert spread_along_one_line(np.ones((1, 16), np.float32)) == 0.0


def test_one_is_accepted_and_two_are_refused_however_they_share_the_recording() -> None:
    one, other = speech(12.0), speech(12.0, -1.0)
    turns = np.concatenate([part for pair in zip(np.split(one, 4), np.split(other, 4), strict=True) for part in pair])
    check_one_speaker(np.concatenate([one, one]), Stripes(0.6), "a.wav")
    for mixed in (np.concatenate([one, other]), np.concatenate([one, other[: other.size // 3]]), turns):
        with pytest.raises(
            VoiceError,
            match=r"^a\.wav: two people seem to speak, or the sound changes \(its parts differ by \d+; allowed: ",
        ):
            check_one_speaker(mixed, Stripes(0.6), "a.wav")


def test_what_is_allowed_falls_with_the_length_of_speech() -> None:
    """A likeness between the two limits is refused only where there is enough speech to be sure."""
    for seconds, fails in ((6.0, False), (20.0, True)):
        mixed = np.concatenate([speech(seconds / 2), speech(seconds / 2, -1.0)])
        if fails:
            with pytest.raises(VoiceError):
                check_one_speaker(mixed, Stripes(0.4), "a.wav")
        else:
            check_one_speaker(mixed, Stripes(0.4), "a.wav")


def test_too_little_speech_is_not_compared() -> None:
    encoder = Stripes(1.0)
    pause = np.full(10 * RATE_HZ, 1e-6, np.float32)
    check_one_speaker(np.concatenate([speech(2.0), pause, speech(LEAST_COMPARED_S - 2.6, -1.0)]), encoder, "a.wav")
    assert encoder.calls == 0


@pytest.mark.parametrize(("seconds", "count"), [(5.0, 7), (11.0, 19), (100.0, MOST_PARTS)])
def test_the_parts_are_two_seconds_each_over_the_whole(seconds: float, count: int) -> None:
    whole = np.arange(int(seconds * RATE_HZ), dtype=np.float32)
    parts = speaker_parts(whole)
    assert {part.size for part in parts} == {2 * RATE_HZ}
    assert len(parts) == count
    assert (parts[0][0], parts[-1][-1]) == (0.0, whole.size - 1)


def test_pauses_are_cut_but_for_their_edges() -> None:
    pause = np.full(RATE_HZ, 1e-6, np.float32)
    kept = without_pauses(np.concatenate([pause, speech(1.0), pause, speech(1.0)]))
    assert kept.size / RATE_HZ == pytest.approx(2.0 + 3 * 6 * 0.02, abs=0.03)
    short = np.concatenate([speech(1.0), pause[: RATE_HZ // 10], speech(1.0)])
    assert without_pauses(short).size == short.size
