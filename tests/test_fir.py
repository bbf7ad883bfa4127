from __future__ import annotations

import numpy as np
import pytest

from vcfx_dsp.core.fir import PASS, correlate


@pytest.mark.parametrize("passes", [1, 6])
@pytest.mark.parametrize("frames", [0, 1, 5, 64])
def test_it_equals_numpy(passes: int, frames: int, rng: np.random.Generator) -> None:
    length = passes * PASS
    taps, window = rng.standard_normal((2, length)), rng.standard_normal(100 + length).astype(np.float32)
    memory = np.full(100, 7.0)
    correlate(window, 3, taps, 1, memory, 10, frames)
    expected = [np.dot(window[3 + frame : 3 + frame + length].astype(np.float64), taps[1]) for frame in range(frames)]
    np.testing.assert_allclose(memory[10 : 10 + frames], expected, rtol=0, atol=1e-12)
    assert (np.delete(memory, np.s_[10 : 10 + frames]) == 7.0).all()


def test_a_sum_is_the_same_wherever_the_row_begins(rng: np.random.Generator) -> None:
    taps, window = rng.standard_normal((1, 24)), rng.standard_normal(120)
    whole, pieces = np.zeros(90), np.zeros(90)
    correlate(window, 0, taps, 0, whole, 0, 90)
    for start in range(0, 90, 7):
        correlate(window, start, taps, 0, pieces, start, min(7, 90 - start))
    np.testing.assert_array_equal(pieces, whole)
