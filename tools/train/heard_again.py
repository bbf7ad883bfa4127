"""What the converter has spoken, as mel frames on the source's hops: it comes late, and not by whole hops."""

from __future__ import annotations

from functools import cache

from torch import Tensor

from vcfx_models import geometry as grid

from .front_end import PAST_SAMPLES, log_mel, power_frames, warped_filterbank

#: With so much of its start cut off, what comes `LATENCY_SAMPLES` late lies on the hops again; the first of its frames
#: belongs to the source's hop so many before the first that was spoken.
HOPS_BEFORE, CUT_SAMPLES = divmod(grid.LATENCY_SAMPLES - PAST_SAMPLES, grid.HOP_SAMPLES)


def mel_heard_again(spoken: Tensor) -> Tensor:
    """Turn (batch, samples) into (batch, hops, 80) log-mel frames; frame i is the source's hop ``i - HOPS_BEFORE``."""
    hops = (spoken.shape[1] - CUT_SAMPLES - PAST_SAMPLES) // grid.HOP_SAMPLES
    last = CUT_SAMPLES + PAST_SAMPLES + hops * grid.HOP_SAMPLES
    return log_mel(power_frames(spoken[:, CUT_SAMPLES:last].float()), _plain_filterbank())


@cache
def _plain_filterbank() -> Tensor:
    return warped_filterbank(1.0)
