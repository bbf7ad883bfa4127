"""A prepared plan that has heard the last moments is heard itself from the next block on, in blocks counted by hand."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from driver import Driver
from live_voice import BLOCK, RATE_HZ, gain
from vcfx.engine.engine import Engine
from vcfx.graph.plan import RenderPlan
from vcfx.presets import Preset
from vcfx.presets.model import NodeEntry

FADE_FRAMES = 384


def late(delay_samples: int) -> Preset:
    return Preset("late", chain=(NodeEntry("delay_line", "d", {"delay_samples": delay_samples}),))


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine(gain("quiet", -6.0), RATE_HZ, BLOCK) as made:
        yield made


@pytest.fixture
def signal() -> np.ndarray:
    return (0.3 * np.random.default_rng(6).standard_normal(RATE_HZ)).astype(np.float32)


@pytest.mark.parametrize("blocks_between", [0, 1, 2])
@pytest.mark.parametrize("block", [BLOCK, 64, 100])
def test_a_primed_plan_is_heard_from_the_block_after_it_is_posted(
    engine: Engine, signal: np.ndarray, block: int, blocks_between: int
) -> None:
    driver = Driver(engine)
    driver.run(signal[: 90 * block], block)
    plan = engine.prepare(late(1_200))
    engine.prime(plan)
    driver.run(signal[90 * block : (90 + blocks_between) * block], block)
    posted_at = (90 + blocks_between) * block
    ticket = engine.post(plan, late(1_200))
    assert engine.changed_in(ticket) is None
    out = driver.run(signal[posted_at:], block)
    assert engine.changed_in(ticket) == 90 + blocks_between
    delayed = signal[posted_at - 1_200 : len(signal) - 1_200]
    np.testing.assert_array_equal(out[FADE_FRAMES:], delayed[FADE_FRAMES:])
    steps = np.arange(1, FADE_FRAMES) / FADE_FRAMES
    old = signal[posted_at : posted_at + FADE_FRAMES - 1] * 10 ** (-6 / 20)
    np.testing.assert_allclose(
        out[: FADE_FRAMES - 1], (1 - steps) * old + steps * delayed[: FADE_FRAMES - 1], atol=1e-6
    )


def test_a_plan_that_is_posted_late_catches_up_without_a_gap(engine: Engine, signal: np.ndarray) -> None:
    driver = Driver(engine)
    driver.run(signal[: 80 * BLOCK], BLOCK)
    plan = engine.prepare(late(2_000))
    engine.prime(plan)
    driver.run(signal[80 * BLOCK : 87 * BLOCK], BLOCK)
    ticket = engine.post(plan, late(2_000))
    out = driver.run(signal[87 * BLOCK :], BLOCK)
    heard = engine.changed_in(ticket)
    assert heard is not None
    assert 87 < heard <= 87 + 6  # it was 7 blocks behind, and gains one with each
    after = (heard - 87) * BLOCK + FADE_FRAMES
    np.testing.assert_array_equal(out[after:], signal[87 * BLOCK + after - 2_000 : len(signal) - 2_000])


def test_what_was_primed_too_long_ago_hears_its_latency_on_live_sound(engine: Engine, signal: np.ndarray) -> None:
    driver = Driver(engine)
    driver.run(signal[: 80 * BLOCK], BLOCK)
    plan = engine.prepare(late(1_280))
    engine.prime(plan)
    for _ in range(2):
        driver.run(signal, BLOCK)
    before = engine.blocks
    ticket = engine.post(plan, late(1_280))
    driver.run(signal[: 20 * BLOCK], BLOCK)
    assert engine.changed_in(ticket) == before + 10


def test_a_latency_beyond_the_kept_past_is_not_primed(engine: Engine, signal: np.ndarray) -> None:
    driver = Driver(engine)
    driver.run(signal, BLOCK)
    plan = engine.prepare(late(30_000))
    engine.prime(plan)
    ticket = engine.post(plan, late(30_000))
    driver.run(signal[: 10 * BLOCK], BLOCK)
    assert engine.changed_in(ticket) is None


def test_a_prepared_plan_is_nobodys_business_until_it_is_posted(engine: Engine, signal: np.ndarray) -> None:
    hosted = Preset("hosted", chain=(NodeEntry("pedalboard.Gain", "g", {"gain_db": 0.0}),))
    plan = engine.prepare(hosted)
    assert plan.worker is not None
    driver = Driver(engine)
    driver.run(signal, BLOCK)
    assert plan.worker.hops == 0
    assert plan.worker not in engine.worker._sections
    engine.post(plan, hosted)
    assert plan.worker in engine.worker._sections


def test_a_retired_plan_is_handed_over_and_can_be_posted_again(engine: Engine, signal: np.ndarray) -> None:
    retired: list[RenderPlan] = []
    engine.on_retired = retired.append
    driver = Driver(engine)
    first = engine.plan
    engine.set_preset(gain("other", 0.0))
    driver.run(signal[: 20 * BLOCK], BLOCK)
    assert engine.wait_until_swapped(1.0)
    assert retired == [first]
    first.reset()
    engine.prime(first)
    engine.post(first, gain("quiet", -6.0))
    out = driver.run(signal[: 20 * BLOCK], BLOCK)
    np.testing.assert_allclose(
        out[FADE_FRAMES:], signal[FADE_FRAMES : 20 * BLOCK] * np.float32(10 ** (-6 / 20)), atol=1e-7
    )
