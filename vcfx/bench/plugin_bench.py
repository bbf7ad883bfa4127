"""Time per block of hosted plugins: on the worker's own thread, and in a process of their own."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from vcfx.errors import PluginError, printable
from vcfx.hosts.plugins.description import PluginDescription
from vcfx.hosts.plugins.inprocess import InProcessPlugin
from vcfx.hosts.plugins.inventory import Inventory, find_plugin
from vcfx.hosts.plugins.isolated import IsolatedPlugin
from vcfx.hosts.plugins.link import PluginTask
from vcfx.hosts.priority import ask_for_real_time
from vcfx_dsp.node import ProcessSpec

from .machine import describe_machine

RATE_HZ: Final = 48_000
BLOCKS: Final = (128, 480)
SECONDS: Final = 3.0
#: Blocks at the start that are not counted.
_WARM_UP: Final = 50


@dataclass(frozen=True, slots=True)
class PluginTimes:
    """Microseconds per block of mono sound at 48 kHz, paced as live sound is.

    Parameters
    ----------
    plugin, block, isolated
        What was measured.
    p50_us, p99_us, max_us
        From giving the block to having the answer.
    missed
        Blocks that were not answered within half a block's time, of `blocks`.
    """

    plugin: str
    block: int
    isolated: bool
    p50_us: float
    p99_us: float
    max_us: float
    missed: int
    blocks: int


def measure(plugin: PluginDescription, block: int, isolated: bool, seconds: float = SECONDS) -> PluginTimes:
    """Run blocks of noise through a plugin at the pace of live sound, on a thread like the engine's worker."""
    with ThreadPoolExecutor(1, initializer=ask_for_real_time) as worker:
        task = PluginTask(plugin, ProcessSpec(RATE_HZ, block, 1, waits=False))
        host = IsolatedPlugin(task) if isolated else InProcessPlugin(task)
        took_us, missed = worker.submit(_timed, host, block, seconds).result()
        host.close()
    p50, p99, longest = (round(float(value), 1) for value in np.percentile(took_us, [50, 99, 100]))
    return PluginTimes(plugin.name, block, isolated, p50, p99, longest, missed, took_us.size)


def _timed(host: IsolatedPlugin | InProcessPlugin, block: int, seconds: float) -> tuple[npt.NDArray[np.float64], int]:
    """Return the microseconds of each block, and how many were not answered in time."""
    sound = (0.1 * np.random.default_rng(1).standard_normal((1, block))).astype(np.float32)
    out, count = np.empty_like(sound), _WARM_UP + int(seconds * RATE_HZ / block)
    took_us = np.zeros(count)
    missed_before = 0
    next_s = time.perf_counter()
    for index in range(count):
        if index == _WARM_UP and isinstance(host, IsolatedPlugin):
            missed_before = host.missed_blocks
        start_s = time.perf_counter()
        host.process(sound, out)
        took_us[index] = 1e6 * (time.perf_counter() - start_s)
        next_s += block / RATE_HZ
        time.sleep(max(0.0, next_s - time.perf_counter()))
    missed = host.missed_blocks - missed_before if isinstance(host, IsolatedPlugin) else 0
    return took_us[_WARM_UP:], missed


def print_plugin_bench(names: Sequence[str], as_json: bool) -> int:
    """Measure the named plugins, or all that are known and good, and print a line for each measurement."""
    known = [find_plugin(name) for name in names] or [p for p in Inventory.load().plugins() if not p.problem]
    if not known:
        raise PluginError("no plugin is known yet; `vcfx plugins scan` looks for them")
    results = []
    if not as_json:
        machine = describe_machine()
        print(f"{machine['processor']}, load average {machine['load_average']}")
        print("microseconds per block of mono sound at 48 kHz\n")
        print(f"{'plugin':<16} {'block':>5} {'where':<10} {'p50':>8} {'p99':>8} {'max':>8}  missed")
    for plugin in known:
        for block in BLOCKS:
            for isolated in (False, True):
                result = measure(plugin, block, isolated)
                results.append(result)
                if not as_json:
                    print(printable(_line(result)), flush=True)
    if as_json:
        print(json.dumps({"machine": describe_machine(), "results": [asdict(result) for result in results]}, indent=2))
    return 0


def _line(times: PluginTimes) -> str:
    where = "isolated" if times.isolated else "in process"
    numbers = f"{times.p50_us:8.0f} {times.p99_us:8.0f} {times.max_us:8.0f}"
    return f"{times.plugin:<16} {times.block:>5} {where:<10} {numbers}  {times.missed} of {times.blocks}"
