"""A voice that runs on devices that do not exist, for tests of the control surface."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from vcfx.control import messages as m
from vcfx.control.live_control import LiveControl
from vcfx.control.preset_source import PresetSource
from vcfx.engine.fake_backend import FakeBackend, FakeDevice, Samples, tone
from vcfx.engine.session import LiveSession, SessionRequest
from vcfx.errors import PresetError
from vcfx.presets import Preset
from vcfx.presets.model import NodeEntry

RATE_HZ, BLOCK = 48_000, 128
ANSWER_S = 60.0


def gain(name: str, gain_db: float) -> Preset:
    return Preset(name, chain=(NodeEntry("gain", "level", {"gain_db": gain_db}),))


#: What `SwitchPreset` finds here, by name.
PRESETS = {
    "loud": gain("Loud", 0.0),
    "soft": gain("Soft", -20.0),
    "late": Preset(
        "Late",
        chain=(NodeEntry("delay_line", "d", {"delay_samples": 1_200}), NodeEntry("gain", "level", {"gain_db": -6.0})),
    ),
    "echo": Preset(
        "Echo", chain=(NodeEntry("echo", "echo", {"time_ms": 50.0, "mix_ratio": 0.5, "feedback_ratio": 0.95}),)
    ),
    "broken": Preset("Broken", chain=(NodeEntry("filter", "f", {"cutoff_hz": 1e9}),)),
}


def load(name: str) -> Preset:
    if name not in PRESETS:
        raise PresetError(f"there is no preset '{name}'")
    return PRESETS[name]


@dataclass
class Voice:
    control: LiveControl
    device: FakeDevice
    other: FakeDevice

    def ask(self, message: m.Message) -> m.Outcome:
        return self.control.submit(message).result(ANSWER_S)

    def done(self, message: m.Message) -> m.Applied:
        outcome = self.ask(message)
        assert isinstance(outcome, m.Applied), outcome
        return outcome

    def refusal(self, message: m.Message) -> str:
        outcome = self.ask(message)
        assert isinstance(outcome, m.Refused), outcome
        return outcome.reason

    def played(self, first_block: int, blocks: int) -> np.ndarray:
        """What came out in so many blocks; waits for them."""
        wait_until(lambda: len(self.device.played) >= first_block + blocks)
        heard: Samples = np.concatenate(self.device.played[first_block : first_block + blocks], axis=1)[0]
        return heard

    def wait_for_bank(self) -> None:
        wait_until(lambda: all(map(self.control.actions.bank.is_ready, self.control.actions.bank.names)))


def wait_until(true: Callable[[], bool], timeout_s: float = ANSWER_S) -> None:
    limit_s = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < limit_s, "it did not come about in time"
        time.sleep(0.002)


@contextlib.contextmanager
def running_voice(
    preset: str = "loud",
    bank: tuple[str, ...] = (),
    source: Callable[[int, int], Samples] | None = None,
    running: bool = True,
    presets: PresetSource | None = None,
) -> Iterator[Voice]:
    """Run a preset of `PRESETS` between devices named ``both`` and ``other``; `running` False: until blocks are asked
    for by hand, none come."""
    devices = [
        FakeDevice(name, 1, 2, source=source or tone(440.0, RATE_HZ), host_api="ASIO") for name in ("both", "other")
    ]
    presets = presets or PresetSource(load=load)
    wanted = presets.wanted(preset)
    session = LiveSession(FakeBackend(devices), wanted.preset, SessionRequest("both", "both", block=BLOCK))
    with LiveControl(session, wanted, presets, bank) as control:
        try:
            if running:
                session.start()
            yield Voice(control, *devices)
        finally:
            control.close()
            control.session.close()
