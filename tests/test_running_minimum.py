from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view

from vcfx_dsp.core.running_minimum import (
    latest_minimum,
    running_minimum,
    running_minimum_memory,
    running_minimum_size,
)


@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.integers(1, 40),
    rows=st.lists(st.integers(0, 64), min_size=1, max_size=12),
)
def test_it_equals_the_minimum_of_every_window(seed: int, size: int, rows: list[int]) -> None:
    values = np.random.default_rng(seed).integers(0, 9, sum(rows)) / 8.0  # few different ones: ties are common
    start = running_minimum_size(size)
    memory = np.array([*running_minimum_memory(size, 1.0), *[0.0] * 64])
    assert memory.size == start + 64
    found: list[float] = []
    for frames in rows:
        memory[start : start + frames] = values[len(found) : len(found) + frames]
        running_minimum(memory, 0, size, start, frames)
        found += memory[start : start + frames].tolist()
    padded = np.concatenate([np.ones(size - 1), np.minimum(values, 1.0)])
    expected = sliding_window_view(padded, size).min(axis=1) if values.size else np.empty(0)
    np.testing.assert_array_equal(found, expected)
    assert latest_minimum(memory, 0) == (found[-1] if found else 1.0)
