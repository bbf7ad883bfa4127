from __future__ import annotations

import threading
import time

from vcfx_dsp.core.kernel import compiled_entry
from vcfx_dsp.core.native import CLOCK_ADDRESS, clock_ns, flush_denormals, restore_float_mode


@compiled_entry
def _read_the_clock(address: int, times: int) -> int:
    last = 0
    for _ in range(times):
        mode = flush_denormals()
        last = clock_ns(address)
        restore_float_mode(mode)
    return last


def test_the_clock_is_the_monotonic_one() -> None:
    before = time.monotonic_ns()
    now = _read_the_clock(CLOCK_ADDRESS, 1)
    assert before <= now <= time.monotonic_ns()


def test_a_loop_around_the_verbs_does_not_eat_the_stack() -> None:
    """An audio thread may have 512 KiB of it (JACK's do); a callback that waits reads the clock a million times."""
    _read_the_clock(CLOCK_ADDRESS, 1)
    before = threading.stack_size(256 * 1024)
    try:
        thread = threading.Thread(target=_read_the_clock, args=(CLOCK_ADDRESS, 1_000_000))
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
