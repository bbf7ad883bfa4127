"""Training hears what was spoken on the hops of its source: a mere delay gives the source's own frames."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tools.train.heard_again import HOPS_BEFORE, mel_heard_again
from vcfx_models import geometry as grid
from vcfx_models.log_mel_frames import log_mel_frames

HOPS = 60


@pytest.mark.parametrize("past_hops", [0, 7])
def test_a_late_copy_lies_on_the_hops_of_its_source(past_hops: int, rng: np.random.Generator) -> None:
    source = (0.1 * rng.standard_normal(HOPS * grid.HOP_SAMPLES)).astype(np.float32)
    late = np.concatenate([np.zeros(grid.LATENCY_SAMPLES, np.float32), source])[: source.size]
    spoken = torch.from_numpy(late[past_hops * grid.HOP_SAMPLES :])[None]
    heard = mel_heard_again(spoken)[0].numpy()
    wanted = log_mel_frames(source)
    first = HOPS_BEFORE + 3  # frames before hear the cut, or what was before the source began
    for index in range(first, heard.shape[0]):
        np.testing.assert_allclose(heard[index], wanted[past_hops + index - HOPS_BEFORE], atol=2e-3)
    apart = np.abs(heard[first:-1] - wanted[past_hops + first - HOPS_BEFORE + 1 :][: heard.shape[0] - first - 1]).mean()
    assert apart > 0.1, "the neighbouring hop must not do as well"
