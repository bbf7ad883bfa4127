"""The bank, in blocks that are asked for by hand: presets with latency are heard from the block after the message."""

from __future__ import annotations

import numpy as np

from driver import Driver
from live_voice import BLOCK, RATE_HZ, Voice, running_voice, wait_until
from vcfx.control import messages as m
from vcfx.engine import cells as c
from vcfx.engine.swap import read_cell

FADE_FRAMES = 384
SINE = (0.5 * np.sin(2 * np.pi * 200 * np.arange(2 * RATE_HZ) / RATE_HZ)).astype(np.float32)


def posted(voice: Voice) -> bool:
    engine = voice.control.engine
    return read_cell(engine.memory.cell_address(c.PENDING)) != 0


def switched(voice: Voice, driver: Driver, name: str, blocks: int = 12) -> tuple[m.Applied, np.ndarray]:
    answer = voice.control.submit(m.SwitchPreset(name))
    wait_until(lambda: posted(voice))
    start = driver.position
    out = driver.run(SINE[start : start + blocks * BLOCK], BLOCK)
    outcome = answer.result(30.0)
    assert isinstance(outcome, m.Applied)
    wait_until(lambda: not voice.control.actions.changes.busy)
    return outcome, out


def test_a_switch_within_the_bank_is_heard_from_the_next_block_and_clicks_nowhere() -> None:
    with running_voice("loud", ("loud", "late", "soft"), running=False) as voice:
        voice.wait_for_bank()
        driver = Driver(voice.control.engine)
        heard = [driver.run(SINE[: 40 * BLOCK], BLOCK)]
        for name in ("late", "soft", "loud", "late", "loud", "soft", "late"):
            wait_until(lambda wanted=name: voice.control.actions.bank.is_ready(wanted))  # type: ignore[misc]
            before = voice.control.engine.blocks
            outcome, out = switched(voice, driver, name)
            assert outcome.block == before
            heard.append(out)
    sound = np.concatenate(heard)
    steepest = np.abs(np.diff(SINE)).max() + 1.0 / FADE_FRAMES  # of the sine itself, and of a fade between two
    assert np.abs(np.diff(sound)).max() <= 1.01 * steepest
    assert np.abs(sound[-BLOCK:]).max() > 0.1


def test_plans_in_the_bank_are_reused_and_come_back_as_their_files_say() -> None:
    with running_voice("loud", ("soft", "late"), running=False) as voice:
        voice.wait_for_bank()
        driver = Driver(voice.control.engine)
        plan = voice.control.actions.bank._ready["soft"][0]
        switched(voice, driver, "soft")
        assert voice.control.engine.plan is plan
        voice.ask(m.SetParameter("level", "gain_db", 12.0))
        driver.run(SINE[: 8 * BLOCK], BLOCK)
        assert voice.control.state().changed
        switched(voice, driver, "late")
        wait_until(lambda: voice.control.actions.bank.is_ready("soft"))
        _, out = switched(voice, driver, "soft", 20)
        assert voice.control.engine.plan is plan
        assert not voice.control.state().changed
        np.testing.assert_allclose(np.abs(out[-5 * BLOCK :]).max(), 0.05, rtol=0.02)


def test_steps_go_round_the_bank() -> None:
    with running_voice("loud", ("soft", "late", "loud")) as voice:
        voice.done(m.StepPreset(1))
        assert voice.control.state().preset_name == "soft"
        voice.done(m.StepPreset(-1))
        assert voice.control.state().preset_name == "loud"
        voice.done(m.StepPreset(-1))
        assert voice.control.state().preset_name == "late"
        assert voice.control.catalogue().bank == ("soft", "late", "loud")


def test_an_idle_bank_costs_audio_thread_and_worker_nothing() -> None:
    with running_voice("loud", ("soft", "late", "echo"), running=False) as voice:
        voice.wait_for_bank()
        engine = voice.control.engine
        assert len(engine._plans) == 1
        assert engine.worker._sections == ()
