"""How the engine bears what happens to it: a stalled worker, any pair of devices, a contested interpreter."""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from vcfx.devices.device import AudioDevice
from vcfx.engine.engine import Engine
from vcfx.engine.fake_backend import FakeBackend, FakeDevice
from vcfx.engine.session import LiveSession, SessionRequest
from vcfx.engine.simulation import TwoClocks
from vcfx.graph.graph import Graph
from vcfx.presets import Preset
from vcfx.presets.model import NodeEntry

from .stalling_node import StallingInverter

RATE_HZ, BLOCK = 48_000, 128
RATES_HZ = (8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 88_200, 96_000, 192_000)
BLOCKS = (32, 64, 128, 256, 512, 1_024, 2_048, 4_096)
_GAIN = Preset("gain", chain=(NodeEntry("gain", "gain", {"gain_db": -6.0}),))


def bench_stall(stall_s: float = 2.0) -> dict[str, object]:
    """Hold the worker up and watch the output.

    The microphone hears a positive constant and the node inverts it, so that a positive sample is dry voice.
    """
    constant = np.full(BLOCK, 0.5, np.float32)
    device = FakeDevice("bench", 1, 2, (RATE_HZ,), source=lambda _first, count: constant[:count], host_api="ASIO")
    node = StallingInverter()
    session = LiveSession(
        FakeBackend([device]),
        Preset("inverted"),
        SessionRequest("bench", "bench", block=BLOCK),
        lambda _preset: Graph.of_chain([node]),
    )
    try:
        session.start()
        time.sleep(1.0)
        node.stall_s = stall_s
        time.sleep(stall_s + 1.0)
        blocks_before, stats = len(device.played), session.engine.statistics()
        since_release_s = time.monotonic() - node.released_s
    finally:
        session.close()
    heard = np.concatenate(device.played[:blocks_before], axis=1)[0]
    disturbed = np.flatnonzero(heard > -0.49)  # concealed, silent or fading in
    normal_for_s = (len(heard) - 1 - disturbed[-1]) / RATE_HZ
    return {
        "what": f"worker held up for {stall_s:g} s, block {BLOCK}",
        "recovery_ms": max(0.0, 1e3 * (since_release_s - normal_for_s)),
        "dry_samples": int((heard > 1e-4).sum()),
        "concealed_blocks": stats.concealed_blocks,
        "goal_recovery_ms": 500.0,
        "goal_dry_samples": 0,
    }


def bench_pairs(seconds: float = 10.0, every: int = 1) -> dict[str, object]:
    """Join all pairs of rates, mono and stereo, with all block sizes, in simulated time at 200 ppm of drift.

    Parameters
    ----------
    seconds
        Simulated, per pair, after as long a settling time.
    every
        Take only every n-th pair.
    """
    pairs = list(itertools.product(RATES_HZ, RATES_HZ, (1, 2), BLOCKS))[::every]
    failures = []
    for rate_in, rate_out, channels, block in pairs:
        with Engine(_GAIN, rate_out, block, channels, channels, channels, rate_in, block) as engine:
            settle_s = max(3.0, 12 * block / min(rate_in, rate_out))
            result = TwoClocks(engine, block, input_ppm=200.0).run(settle_s + seconds, settle_s)
            assert engine.clock_bridge is not None
            stats = engine.clock_bridge.stats
            if result.silent_blocks or stats.underruns or stats.overflows or not result.blocks:
                failures.append([rate_in, rate_out, channels, block, stats.underruns, stats.overflows])
    held = len(pairs) - len(failures)
    return {
        "what": f"pairs of {len(RATES_HZ)} rates x mono/stereo x {len(BLOCKS)} block sizes, {seconds:g} s each",
        "tried": len(pairs),
        "held": held,
        "held_ratio": held / len(pairs),
        "failures": failures[:20],
    }


def bench_delivery(output: str | None, seconds: float) -> dict[str, object]:
    """Count the blocks that a real device gets while two Python threads spin: a Python callback, and ours."""
    from vcfx.devices.catalogue import find_device

    device = find_device(output, "output")
    source = find_device(device.index, "input") if device.max_input_channels else find_device(None, "input")
    ours, p99_us = _delivered_by_vcfx(source, device, seconds)
    return {
        "what": f"blocks of {BLOCK} delivered to '{device.title}' in {seconds:g} s beside two spinning Python threads",
        "python_callback_ratio": _delivered_by_python(source, device, seconds),
        "vcfx_ratio": ours,
        "callback_p99_us": p99_us,
        "goal_ratio": 0.999,
    }


def _delivered_by_python(source: AudioDevice, target: AudioDevice, seconds: float) -> float:
    """Return delivered / expected frames of an ordinary sounddevice callback that copies its input."""
    from vcfx.devices import portaudio

    counted = [0]

    def callback(indata: np.ndarray, outdata: np.ndarray, frames: int, _time: object, _status: object) -> None:
        counted[0] += frames
        outdata[:] = indata

    stream = portaudio.sounddevice().Stream(
        samplerate=target.default_sample_rate_hz,
        blocksize=BLOCK,
        device=(source.index, target.index),
        channels=1,
        dtype="float32",
        latency=0.0,
        callback=callback,
    )
    with _spinning(2), stream:
        return _delivered(lambda: counted[0], target.default_sample_rate_hz, seconds)


def _delivered_by_vcfx(source: AudioDevice, target: AudioDevice, seconds: float) -> tuple[float, float]:
    """Return delivered / expected frames of our callback, and its p99 in microseconds."""
    from vcfx.engine.portaudio_backend import PortAudioBackend

    rate_hz = target.default_sample_rate_hz
    request = SessionRequest(source.index, target.index, block=BLOCK, sample_rate=rate_hz)
    session = LiveSession(PortAudioBackend(), _GAIN, request)
    try:
        session.start()
        with _spinning(2):
            ratio = _delivered(lambda: session.engine.statistics().frames, rate_hz, seconds)
        return ratio, session.engine.statistics().callback.p99_us
    finally:
        session.close()


def _delivered(frames: Callable[[], int], rate_hz: int, seconds: float) -> float:
    time.sleep(1.0)
    first, start_s = frames(), time.monotonic()
    time.sleep(seconds)
    return (frames() - first) / ((time.monotonic() - start_s) * rate_hz)


@contextmanager
def _spinning(count: int) -> Iterator[None]:
    """Keep the interpreter busy with threads that do nothing but count."""
    running = True

    def spin() -> None:
        number = 1
        while running:
            number = (number * 1_103_515_245 + 12_345) & 0x7FFFFFFF

    threads = [threading.Thread(target=spin, daemon=True) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        running = False
        for thread in threads:
            thread.join()


def bench_start(runs: int = 5) -> dict[str, object]:
    """Time `vcfx --help`, and a warm start up to the first block with sound, as whole processes."""
    first_sound = (
        "import time, numpy as np\n"
        "from vcfx.presets import load_preset\n"
        "from vcfx.engine.fake_backend import FakeBackend, FakeDevice, tone\n"
        "from vcfx.engine.session import LiveSession, SessionRequest\n"
        "d = FakeDevice('d', 1, 2, source=tone(200.0, 48000), host_api='ASIO')\n"
        "s = LiveSession(FakeBackend([d]), load_preset('deep'), SessionRequest('d', 'd'))\n"
        "s.start()\n"
        "while not any(np.abs(b).max() > 1e-3 for b in d.played[-3:]): time.sleep(0.002)\n"
        "s.close()\n"
    )
    commands = {"help_s": ["-m", "vcfx", "--help"], "first_sound_s": ["-c", first_sound]}
    found: dict[str, object] = {"what": f"median of {runs} whole processes, preset 'deep'"}
    for name, arguments in commands.items():
        times = [_time_process([sys.executable, *arguments]) for _ in range(runs + 1)][1:]
        found[name] = float(np.median(times))
    return found | {"goal_help_s": 0.3, "goal_first_sound_s": 3.0}


def _time_process(command: list[str]) -> float:
    start_s = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - start_s
