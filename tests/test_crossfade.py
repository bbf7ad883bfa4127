from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vcfx_dsp.core.crossfade import crossfade_equal_power_into, crossfade_into
from vcfx_dsp.node import Block

Fade = Callable[[Block, Block, Block, int, int, int], int]


def faded(fade: Fade, old: Block, new: Block, length: int, sizes: list[int]) -> Block:
    out, position, start = np.full_like(old, np.nan), 0, 0
    for size in [*sizes, old.shape[1]]:
        stop = min(start + size, old.shape[1])
        before, after, piece = (np.ascontiguousarray(block[:, start:stop]) for block in (old, new, out))
        position = fade(before, after, piece, stop - start, position, length)
        out[:, start:stop] = piece
        start = stop
    assert position == min(old.shape[1], length)
    return out


def two_signals(frames: int = 600) -> tuple[Block, Block]:
    rng = np.random.default_rng(3)
    old, new = rng.standard_normal((2, 2, frames)).astype(np.float32)
    return old, new


@given(length=st.integers(0, 700), sizes=st.lists(st.integers(0, 200), max_size=8))
def test_linear_fade_follows_the_line_at_any_split(length: int, sizes: list[int]) -> None:
    old, new = two_signals()
    weight = np.minimum((np.arange(600) + 1) / max(length, 1), 1.0)
    expected = (1 - weight) * old + weight * new
    out = faded(crossfade_into, old, new, length, sizes)
    np.testing.assert_allclose(out, expected, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(out[:, max(length - 1, 0) :], new[:, max(length - 1, 0) :])


def test_equal_signals_pass_a_linear_fade_unchanged() -> None:
    signal = two_signals()[0]
    np.testing.assert_array_equal(faded(crossfade_into, signal, signal.copy(), 480, [7, 100]), signal)


def test_equal_power_fade_keeps_the_power_of_unrelated_signals() -> None:
    frames = 200_000
    old, new = (np.random.default_rng(seed).standard_normal((1, frames)).astype(np.float32) for seed in (1, 2))
    out = faded(crossfade_equal_power_into, old, new, frames, [999])
    powers = (out.astype(np.float64) ** 2).reshape(20, -1).mean(axis=1)
    np.testing.assert_allclose(10 * np.log10(powers), 0.0, atol=0.3)
    np.testing.assert_array_equal(out[:, -1], new[:, -1])


@pytest.mark.parametrize("fade", [crossfade_into, crossfade_equal_power_into])
def test_a_fade_may_write_over_either_signal(fade: Fade) -> None:
    old, new = two_signals()
    expected = faded(fade, old, new, 300, [])
    for index in range(2):
        signals = [old.copy(), new.copy()]
        fade(signals[0], signals[1], signals[index], 600, 0, 300)
        np.testing.assert_array_equal(signals[index], expected)
