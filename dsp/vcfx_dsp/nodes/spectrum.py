"""Spectrum tap: the audio thread only copies samples into a ring; whoever looks at the spectrum computes it."""

from __future__ import annotations

from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt

from ..core.kernel import compiled_entry, kernel, unpack
from ..core.native import exchange, load_acquire, store_release
from ..errors import ParameterError
from ..node import KernelNode, ProcessSpec
from ..parameters import Parameter
from ..state import State

FLOOR_DB: Final = -160.0
MAX_RETRIES = 16
ANNOUNCED, WRITTEN, FENCE, READER_FENCE = range(4)


@kernel
def _spectrum(state: int, block_in: int, block_out: int, channels: int, frames: int) -> None:
    _, counters, _, ring, x, y = unpack(state, block_in, block_out, channels, frames)
    length = ring.size // channels
    written = counters[WRITTEN]
    # What is about to be overwritten is announced first, what is written is published last: see copy_newest.
    store_release(counters[ANNOUNCED:].ctypes.data, written + frames)
    exchange(counters[FENCE:].ctypes.data, 0)
    for channel in range(channels):
        at = written % length
        base = channel * length
        for frame in range(frames):
            sample = x[channel, frame]
            ring[base + at] = sample
            y[channel, frame] = sample
            at += 1
            if at == length:
                at = 0
    store_release(counters[WRITTEN:].ctypes.data, written + frames)


@compiled_entry
def copy_newest(counters: npt.NDArray[np.int64], ring: npt.NDArray[np.float32], out: npt.NDArray[np.float32]) -> bool:
    """Copy the newest ``out.shape[1]`` frames of a spectrum's ring while it may be written to.

    Returns
    -------
    bool
        Whether the copy is whole; False if the writer came round and began to overwrite it meanwhile.
    """
    channels, frames = out.shape
    length = ring.size // channels
    written = load_acquire(counters[WRITTEN:].ctypes.data)
    for channel in range(channels):
        for frame in range(frames):
            position = written - frames + frame
            out[channel, frame] = ring[channel * length + position % length] if position >= 0 else 0.0
    exchange(counters[READER_FENCE:].ctypes.data, 0)
    announced = load_acquire(counters[ANNOUNCED:].ctypes.data)
    return bool(announced - length <= written - frames)


class Spectrum(KernelNode):
    """Let the signal through bit for bit and keep its newest samples for a look at the spectrum.

    Parameters
    ----------
    ring_frames
        1024 to 262144, fixed while sound runs: how many samples are kept. A reader needs less than this; the rest
        is how far the writer may advance while the reader copies. Latency: 0.
    """

    kind: ClassVar[str] = "spectrum"
    PARAMETERS = (
        Parameter("ring_frames", 16_384, 1_024, 262_144, live=False, integer=True, doc="how many samples are kept"),
    )
    kernel = _spectrum

    def read(self, n_fft: int = 2_048) -> npt.NDArray[np.float64]:
        """Return the magnitudes of the newest `n_fft` samples under a Hann window. Thread: any but the audio thread.

        Parameters
        ----------
        n_fft
            16 to half of ``ring_frames``.

        Returns
        -------
        array of shape (channels, n_fft // 2 + 1)
            dB, 0 for a sine of amplitude 1 on a bin's frequency, never below -160.
        """
        samples = self.newest(n_fft)
        window = np.hanning(n_fft + 1)[:-1]
        magnitudes = np.abs(np.fft.rfft(samples * window)) * (2.0 / window.sum())
        return np.asarray(20.0 * np.log10(np.maximum(magnitudes, 10.0 ** (FLOOR_DB / 20.0))), np.float64)

    def newest(self, frames: int) -> npt.NDArray[np.float32]:
        """Return the newest samples (channels, frames), zeros before the start. Thread: any but the audio thread.

        If the writer overtakes the reader `MAX_RETRIES` times in a row, which takes a ring far too short for the
        reader's speed, the last copy is returned although its oldest samples may be newer than they should.
        """
        limit = int(self._parameters["ring_frames"]) // 2
        if not 16 <= frames <= limit:
            raise ParameterError(f"{self.kind}: cannot read {frames} samples; allowed: 16 to {limit}")
        out = np.empty((self.spec.channels, frames), np.float32)
        for _ in range(MAX_RETRIES):
            if copy_newest(self.state.counters, self.state.samples, out):
                break
        return out

    def settings(self, spec: ProcessSpec) -> list[float]:
        """None."""
        return []

    def initial_state(self, spec: ProcessSpec) -> State:
        """A silent ring for each channel, at least two blocks long."""
        length = max(int(self._parameters["ring_frames"]), 2 * spec.max_frames)
        return State(self.settings(spec), counters=[0] * 4, samples=np.zeros(length * spec.channels, np.float32))

    def prepare(self, spec: ProcessSpec) -> None:
        """Allocate the ring; compile the kernel and the reader. Thread: control."""
        super().prepare(spec)
        self.newest(16)
