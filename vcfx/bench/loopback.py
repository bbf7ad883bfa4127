"""Measure what a preset adds to the latency: the live engine on a device whose output is wired to its input."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from vcfx.engine.fake_backend import FakeBackend, FakeDevice, Samples
from vcfx.engine.round_trip import graph_with_probe, measured, probe_of
from vcfx.engine.session import LiveSession, SessionRequest
from vcfx.presets import Preset, load_preset

RATE_HZ = 48_000
_TIMEOUT_S = 60.0
_WORKER_WAIT_S = 5.0


@dataclass(frozen=True, slots=True)
class AddedLatency:
    """What a preset adds to the devices' own latency, in milliseconds; `measured_ms` is None if nothing was found."""

    measured_ms: float | None
    stated_ms: float
    method: str


def measure_added_latency(preset: Preset, block: int = 128) -> AddedLatency:
    """Send noise bursts through the engine, faster than time, and find them again.

    Parameters
    ----------
    block
        Frames per callback; the wire itself takes one block, which is taken off.
    """
    device = FakeDevice("loop", 1, 2, (RATE_HZ,), speed=0.0, host_api="ASIO")

    def heard(_first: int, count: int) -> Samples:
        return device.played[-1][0] if device.played else np.zeros(count, np.float32)

    device.source = heard
    session = LiveSession(FakeBackend([device]), preset, SessionRequest("loop", "loop", block=block), graph_with_probe)
    session.engine.wait_for_worker(_WORKER_WAIT_S)
    try:
        session.start()
        probe = probe_of(session)
        limit_s = time.monotonic() + _TIMEOUT_S
        while probe.progress_ratio < 1.0 and time.monotonic() < limit_s:
            time.sleep(0.01)
        found = measured(session, probe)
        stated_ms = 1e3 * session.engine.latency_samples / RATE_HZ
    finally:
        session.close()
    added_ms = None if found.latency_ms is None else found.latency_ms - 1e3 * block / RATE_HZ
    return AddedLatency(added_ms, stated_ms, found.method)


def bench_presets(names: tuple[str, ...] = ("plain", "podcast", "radio", "deep", "space")) -> dict[str, object]:
    """Measure some presets: plain kernels, with pitch shift, with hosted effects."""
    found = {name: measure_added_latency(load_preset(name)) for name in names}
    return {
        "what": "latency that presets add to the devices' own, blocks of 128 at 48 kHz, by noise bursts in the engine",
        "measured_ms": {name: latency.measured_ms for name, latency in found.items()},
        "stated_ms": {name: latency.stated_ms for name, latency in found.items()},
    }
