"""Gaps that follow each other faster than sound can be faded in again: no step is heard."""

from __future__ import annotations

import numpy as np
import pytest

from vcfx.graph.bridge import POLICIES, Bridge, bridge_pull, bridge_push, give_hop

RATE_HZ, BLOCK = 48_000, 128
FREQUENCY_HZ, LEVEL = 150.0, 0.5
#: Largest step between two samples of the sine itself.
OWN_STEP = LEVEL * 2 * np.pi * FREQUENCY_HZ / RATE_HZ


def heard(policy: str, late: set[int], blocks: int = 60, rows: int = 2) -> np.ndarray:
    """Run a sine through a bridge whose worker has nothing for the blocks in `late`; the input is another sine."""
    bridge = Bridge(RATE_HZ, rows, rows, BLOCK, BLOCK, BLOCK, POLICIES[policy])
    wet = (LEVEL * np.sin(2 * np.pi * FREQUENCY_HZ / RATE_HZ * np.arange(blocks * BLOCK))).astype(np.float32)
    block = np.zeros((rows, BLOCK), np.float32)
    addresses = np.array([block.ctypes.data], np.int64)
    out = []
    for number in range(blocks):
        block[:] = 0
        bridge_push(bridge.address, addresses, rows, BLOCK)
        if number not in late:
            give_hop(bridge.address, number * BLOCK, np.tile(wet[number * BLOCK : (number + 1) * BLOCK], (rows, 1)))
        bridge_pull(bridge.address, addresses, rows, BLOCK)
        out.append(block.copy())
    return np.concatenate(out, axis=1)


@pytest.mark.parametrize("policy", ["conceal", "silence"])
@pytest.mark.parametrize("late", [{20}, {20, 22}, {20, 22, 24, 26}, {20, 21, 23, 25, 26, 28}])
def test_gaps_in_quick_succession_make_no_step(policy: str, late: set[int]) -> None:
    out = heard(policy, late)
    fade_step = 2 * LEVEL / (0.003 * RATE_HZ)  # the quickest fade there is: 3 ms, of what may be twice the level
    assert np.abs(np.diff(out, axis=1)).max() < 2 * OWN_STEP + fade_step
    np.testing.assert_array_equal(out[0], out[1])


def test_without_gaps_the_sound_passes_untouched() -> None:
    out = heard("conceal", set())
    expected = LEVEL * np.sin(2 * np.pi * FREQUENCY_HZ / RATE_HZ * np.arange(out.shape[1] - BLOCK))
    np.testing.assert_allclose(out[0, BLOCK:], expected, atol=1e-6)
