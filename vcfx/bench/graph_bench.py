"""What a block costs: ten stereo kernel nodes in the engine's own callback."""

from __future__ import annotations

import dataclasses
import os
import time

os.environ.setdefault("NUMBA_NRT_STATS", "1")  # before numba is imported: allocations are counted

from numba.core import event
from numba.core.runtime import rtsys

from vcfx.engine.engine import Engine
from vcfx.engine.fake_backend import FakeBackend, FakeDevice, tone
from vcfx.engine.session import LiveSession, SessionRequest
from vcfx.presets import Preset
from vcfx.presets.model import NodeEntry

RATE_HZ, BLOCK = 48_000, 64
TEN_NODES = (
    NodeEntry("gate", "gate", {"threshold_db": -50.0}),
    NodeEntry("filter", "low_cut", {"type": "highpass", "cutoff_hz": 80.0}),
    NodeEntry("eq", "eq", {"peak1_gain_db": -2.0, "peak2_gain_db": 2.0, "high_shelf_gain_db": 3.0}),
    NodeEntry("deesser", "deesser", {}),
    NodeEntry("drive", "drive", {}),
    NodeEntry("compressor", "compressor", {"threshold_db": -20.0, "ratio": 3.0}),
    NodeEntry("echo", "echo", {}),
    NodeEntry("gain", "gain", {"gain_db": -3.0}),
    NodeEntry("meter", "meter", {}),
    NodeEntry("limiter", "limiter", {}),
)
TEN_NODE_PRESET = Preset("ten nodes", chain=TEN_NODES)


class _CompileCounter(event.Listener):  # type: ignore[misc]  # numba is untyped
    """Counts how often numba compiles something."""

    def __init__(self) -> None:
        self.count = 0

    def on_start(self, event: object) -> None:
        """Count the beginning of a compilation."""
        self.count += 1

    def on_end(self, event: object) -> None:
        """Ignore its end."""


def bench_graph(seconds: float) -> dict[str, object]:
    """Run ten nodes in real time on a device that does not exist; microseconds per block of 64 stereo frames."""
    device = FakeDevice("bench", 2, 2, (RATE_HZ,), source=tone(200.0, RATE_HZ), host_api="ASIO")
    request = SessionRequest("bench", "bench", block=BLOCK, channels=2)
    session = LiveSession(FakeBackend([device]), TEN_NODE_PRESET, request)
    counter = _CompileCounter()
    try:
        session.start()
        time.sleep(0.5)
        engine = session.engine
        engine.reset_times()
        before = rtsys.get_allocation_stats().alloc
        with event.install_listener("numba:compile", counter):
            time.sleep(seconds)
        allocations = rtsys.get_allocation_stats().alloc - before
        stats = engine.statistics()
    finally:
        session.close()
    return {
        "what": f"{len(TEN_NODES)} stereo kernel nodes, {BLOCK} frames, {RATE_HZ} Hz, in the callback",
        "nodes": [entry.kind for entry in TEN_NODES],
        "seconds": seconds,
        "callback": dataclasses.asdict(stats.callback),
        "allocated_by_kernels": allocations,
        "compiled_after_start": counter.count,
        "goal_p999_us": 400.0,
    }


def bench_back_to_back(blocks: int = 20_000) -> dict[str, object]:
    """Run the same ten nodes without pauses: the cost itself, hardly any of the scheduler's noise."""
    from vcfx.engine.simulation import TwoClocks

    with Engine(TEN_NODE_PRESET, RATE_HZ, BLOCK, 2, 2, 2, RATE_HZ, BLOCK) as engine:
        clocks = TwoClocks(engine, BLOCK)
        clocks.run(1.0)
        start_s = time.perf_counter()
        clocks.run(blocks * BLOCK / RATE_HZ)
        spent_s = time.perf_counter() - start_s
    return {"what": "the same nodes and a clock bridge, back to back", "mean_us": 1e6 * spent_s / blocks}
