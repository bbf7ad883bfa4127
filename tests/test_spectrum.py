from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import get_window

from vcfx_dsp.errors import ParameterError
from vcfx_dsp.node import Block, ProcessSpec
from vcfx_dsp.nodes.spectrum import ANNOUNCED, WRITTEN, Spectrum, copy_newest


def fed(signal: Block, sizes: list[int] | None = None, **parameters: object) -> Spectrum:
    node = Spectrum(**parameters)
    node.prepare(ProcessSpec(48_000, 512, signal.shape[0]))
    start = 0
    for size in sizes or [512] * (signal.shape[1] // 512 + 1):
        piece = np.ascontiguousarray(signal[:, start : start + size])
        node.process(piece, piece.copy())
        start += size
    return node


@pytest.mark.parametrize("n_fft", [256, 2_048, 1_000])
def test_a_sine_on_a_bin_reads_its_level(n_fft: int) -> None:
    k = n_fft // 8
    wave = 0.25 * np.sin(2 * np.pi * k * np.arange(8_192) / n_fft)
    levels = fed(np.stack([wave, 2 * wave]).astype(np.float32)).read(n_fft)
    assert levels.shape == (2, n_fft // 2 + 1)
    np.testing.assert_allclose(levels[:, k], [-12.04, -6.02], atol=0.01)
    assert levels[0, : k - 2].max() < -100.0


def test_it_equals_the_windowed_transform_of_the_newest_samples(rng: np.random.Generator) -> None:
    noise = rng.standard_normal((1, 5_000)).astype(np.float32)
    window = get_window("hann", 2_048)
    expected = 20 * np.log10(np.abs(np.fft.rfft(noise[0, -2_048:] * window)) * 2 / window.sum())
    np.testing.assert_allclose(fed(noise).read()[0], expected, atol=1e-6)


@given(sizes=st.lists(st.integers(0, 512), min_size=1, max_size=30), frames=st.integers(16, 512))
def test_the_newest_samples_come_back_in_order(sizes: list[int], frames: int) -> None:
    total = sum(sizes)
    signal = np.stack([np.arange(1, total + 1), -np.arange(1, total + 1)]).astype(np.float32)
    padded = np.concatenate([np.zeros((2, 512), np.float32), signal], axis=1)
    node = fed(signal, sizes, ring_frames=1_024)
    np.testing.assert_array_equal(node.newest(frames), padded[:, padded.shape[1] - frames :])


def test_a_copy_that_the_writer_overtook_is_rejected() -> None:
    node = fed(np.ones((1, 4_096), np.float32), ring_frames=1_024)
    out = np.empty((1, 512), np.float32)
    counters, ring = node.state.counters, node.state.samples
    assert copy_newest(counters, ring, out)
    counters[ANNOUNCED] = counters[WRITTEN] + 512  # the writer is inside the other half of the ring
    assert copy_newest(counters, ring, out)
    counters[ANNOUNCED] += 1
    assert not copy_newest(counters, ring, out)


def test_reading_beside_a_writer_never_gives_torn_samples() -> None:
    node = fed(np.arange(1_024, dtype=np.float32)[None], [512, 512], ring_frames=8_192)
    stop = threading.Event()

    def write() -> None:
        block = np.arange(1_024, 1_088, dtype=np.float32)[None]
        while not stop.is_set():
            node.process(block, block)
            block += np.float32(64.0)
            block[block >= 2.0**23] -= np.float32(2.0**23)  # stays exact

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(2_000):
            steps = np.diff(node.newest(1_024)[0])
            assert set(np.unique(steps)) <= {1.0, 1.0 - 2.0**23}
    finally:
        stop.set()
        writer.join()


@pytest.mark.parametrize("n_fft", [8, 8_193])
def test_a_length_that_does_not_fit_is_refused(n_fft: int) -> None:
    with pytest.raises(ParameterError, match=f"cannot read {n_fft} samples; allowed: 16 to 8192"):
        fed(np.zeros((1, 16), np.float32)).read(n_fft)
