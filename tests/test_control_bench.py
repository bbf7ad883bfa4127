"""The bench of live control, with few changes: it finds what it should and nothing that is not there."""

from __future__ import annotations

import numpy as np
import pytest

from driver import Driver
from live_voice import BLOCK, RATE_HZ, gain
from vcfx.bench.click_meter import ClickMeter
from vcfx.bench.control_bench import BURST, bench_changes, programme
from vcfx.engine.engine import Engine


def test_it_counts_every_change_and_loses_none() -> None:
    found = bench_changes(100)
    assert found["applied"] + found["refused"] + found["overtaken"] == 100  # type: ignore[operator]
    assert found["applied"] > 50  # type: ignore[operator]
    assert found["burst"]["sent"] == BURST  # type: ignore[index]
    assert found["burst"]["lost"] == 0  # type: ignore[index]
    assert found["unheard_frames"] == 0
    assert found["click_dbfs"] < -50.0  # type: ignore[operator]


@pytest.mark.parametrize("step", [0.01, 0.1])
def test_a_step_in_the_programme_shows_as_a_click(step: float) -> None:
    tone = np.tile(programme(), 2)
    with Engine(gain("as it is", 0.0), RATE_HZ, BLOCK) as engine:
        meter = ClickMeter(engine)
        driver = Driver(engine)
        driver.run(tone[: RATE_HZ // 2], BLOCK)
        clean_db = meter.take_db()
        driver.run(tone[RATE_HZ // 2 : RATE_HZ] + np.float32(step), BLOCK)
        click_db = meter.take_db()
        meter.close()
    assert clean_db < -100.0
    expected_db = 20 * np.log10(step / 2)  # of a step, the edge above a cutoff far up keeps at least about half
    assert expected_db - 6.0 < click_db < expected_db + 6.0
