"""Log-mel frames on the grid of the networks, of a stream or of a whole signal."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vcfx_dsp.mel import LogMel

from .geometry import HOP_SAMPLES, MEL_FLOOR, MEL_TOP_HZ, MEL_WINDOW_SAMPLES, N_MELS, SAMPLE_RATE

_BLOCK = 4_096
_PAST_SAMPLES = MEL_WINDOW_SAMPLES - HOP_SAMPLES


def log_mel_stream(max_frames: int) -> LogMel:
    """Return what turns mono at 24 kHz into log-mel frames as it comes, in blocks of up to `max_frames`."""
    room = max(max_frames, _PAST_SAMPLES)
    mel = LogMel(
        SAMPLE_RATE, MEL_WINDOW_SAMPLES, HOP_SAMPLES, None, N_MELS, 0.0, MEL_TOP_HZ, 2, MEL_FLOOR, max_frames=room
    )
    restart(mel)
    return mel


def restart(mel: LogMel) -> None:
    """Forget the signal; the zeros before its start make frame i a window that ends with hop i."""
    mel.reset()
    mel.process(np.zeros(_PAST_SAMPLES, np.float32))


def log_mel_frames(mono: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return (hops, 80) of mono at 24 kHz; frame i is a window that ends with hop i."""
    mel = log_mel_stream(_BLOCK)
    blocks = (np.ascontiguousarray(mono[at : at + _BLOCK], np.float32) for at in range(0, mono.size, _BLOCK))
    frames = [mel.process(block).T.copy() for block in blocks]
    return np.concatenate([np.zeros((0, N_MELS), np.float32), *frames])
