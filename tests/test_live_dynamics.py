"""Filters and dynamics while the engine rewrites their settings: the same bits however the blocks fall."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vcfx_dsp.node import Block, Node, ProcessSpec
from vcfx_dsp.registry import create

KINDS = ("filter", "eq", "gate", "compressor", "limiter", "deesser")
RATE_HZ = 22_050  # 10 ms are 220.5 frames: ramps must not depend on whole numbers
FRAMES = 3_000
CHANGE_AT = (500, 620, 621, 1_400, 1_800)


def random_settings(node: Node, rng: np.random.Generator) -> dict[str, float]:
    live = [parameter for parameter in node.PARAMETERS if parameter.live and not parameter.choices]
    chosen = rng.choice(len(live), size=rng.integers(1, len(live) + 1), replace=False)
    edges = rng.random(len(live)) < 0.3
    return {
        live[index].name: (
            live[index].minimum if edges[index] else rng.uniform(live[index].minimum, live[index].maximum)
        )
        for index in chosen
    }


def rendered(kind: str, signal: Block, seed: int, cuts: list[int], empty_blocks: bool) -> Block:
    node, rng = create(kind), np.random.default_rng(seed)
    node.prepare(ProcessSpec(RATE_HZ, FRAMES, signal.shape[0]))
    out, nothing = np.full_like(signal, np.nan), np.empty((signal.shape[0], 0), np.float32)
    for start, stop in pairwise(sorted({0, FRAMES, *CHANGE_AT, *cuts})):
        if start in CHANGE_AT:
            node.update(**random_settings(node, rng))
        if empty_blocks:
            node.process(nothing, nothing)
        block = signal[:, start:stop].copy()
        node.process(block, block)
        out[:, start:stop] = block
    return out


@pytest.mark.parametrize("kind", KINDS)
@given(
    seed=st.integers(0, 2**32 - 1),
    cuts=st.lists(st.integers(1, FRAMES - 1), max_size=30),
    loudness=st.sampled_from([0.01, 0.3, 10.0]),
    channels=st.integers(1, 3),
)
def test_changes_sound_the_same_however_the_blocks_fall(
    kind: str, seed: int, cuts: list[int], loudness: float, channels: int
) -> None:
    rng = np.random.default_rng(seed)
    signal = (loudness * rng.uniform(-1, 1, (channels, FRAMES)) * (np.arange(FRAMES) % 900 > 200)).astype(np.float32)
    whole = rendered(kind, signal, seed, [], empty_blocks=False)
    assert np.isfinite(whole).all()
    np.testing.assert_array_equal(rendered(kind, signal, seed, cuts, empty_blocks=True), whole)
