"""Simulate two devices whose clocks drift apart, joined by a clock bridge, for hours of simulated time.

Callbacks come late by a random time, evenly spread up to the jitter; input callbacks may come in bursts. The input is
a sine. Its artefacts are what remains of the output after the best sine of constant level whose phase is a line
through points 50 ms apart: what steering does slowly to the phase is inaudible, the rest is noise.
"""

from __future__ import annotations

import argparse
import json
import math
import time

import numpy as np
import numpy.typing as npt

from vcfx_dsp.clock_bridge import ClockBridge
from vcfx_dsp.core.bridge_input import bridge_push_at
from vcfx_dsp.core.bridge_reading import FILL, STEERING
from vcfx_dsp.core.drift import bridge_pull_at
from vcfx_dsp.core.kernel import compiled, compiled_entry
from vcfx_dsp.core.steering import CORRECTION

EPOCH_S = 1000.0
PHASE_POINTS_S = 0.05
#: Places in a simulation's float64 memory.
(
    CLOCK_IN,
    CLOCK_OUT,
    LAST_IN,
    LAST_OUT,
    NEXT_IN,
    NEXT_OUT,
    PHASE,
    RATE_IN,
    RATE_OUT,
    JITTER_S,
    TURN,
    LEVEL,
    SPIKE_S,
    SPIKE_RATE,
) = range(14)
#: Places in its counters.
SEED, FRAMES_IN, FRAMES_OUT, BURST, BURST_LEFT, CAPTURED, STALL_IN, STALL_OUT, TRACED, HELD = range(10)
#: How an input stalls: its blocks are lost, or held back until `DriftSimulation.catch_up`.
LOST, HELD_BACK = 1, 2


@compiled
def _random(counters: npt.NDArray[np.int64]) -> float:
    state = np.uint64(counters[SEED]) * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)
    counters[SEED] = np.int64(state)
    return float(state >> np.uint64(33)) / 2147483648.0


@compiled
def _lateness(counters: npt.NDArray[np.int64], memory: npt.NDArray[np.float64], duration_s: float) -> float:
    late_s = _random(counters) * memory[JITTER_S]
    if _random(counters) < memory[SPIKE_RATE] * duration_s:
        late_s += _random(counters) * memory[SPIKE_S]
    return late_s


@compiled
def _schedule_in(counters: npt.NDArray[np.int64], memory: npt.NDArray[np.float64]) -> None:
    if counters[BURST_LEFT] == 0:
        counters[BURST_LEFT] = counters[BURST]
        duration_s = counters[BURST] * counters[FRAMES_IN] / memory[RATE_IN]
        memory[CLOCK_IN] += duration_s
        memory[NEXT_IN] = max(memory[NEXT_IN], memory[CLOCK_IN] + _lateness(counters, memory, duration_s))
    counters[BURST_LEFT] -= 1


@compiled
def _schedule_out(counters: npt.NDArray[np.int64], memory: npt.NDArray[np.float64]) -> None:
    duration_s = counters[FRAMES_OUT] / memory[RATE_OUT]
    memory[CLOCK_OUT] += duration_s
    memory[NEXT_OUT] = max(memory[NEXT_OUT], memory[CLOCK_OUT] + _lateness(counters, memory, duration_s))


@compiled
def _fill_input(
    counters: npt.NDArray[np.int64], memory: npt.NDArray[np.float64], block_in: npt.NDArray[np.float32]
) -> None:
    for frame in range(counters[FRAMES_IN]):
        block_in[0, frame] = memory[LEVEL] * math.sin(2.0 * math.pi * memory[PHASE])
        memory[PHASE] = (memory[PHASE] + memory[TURN]) % 1.0


@compiled_entry
def run_catch_up(
    bridge: int,
    counters: npt.NDArray[np.int64],
    memory: npt.NDArray[np.float64],
    block_in: npt.NDArray[np.float32],
    now_s: float,
) -> None:
    """Deliver every block held back, at one moment."""
    while counters[HELD] > 0:
        _fill_input(counters, memory, block_in)
        bridge_push_at(bridge, block_in.ctypes.data, counters[FRAMES_IN], np.int64(now_s * 1e9))
        counters[HELD] -= 1


@compiled_entry
def run_simulation(
    bridge: int,
    counters: npt.NDArray[np.int64],
    memory: npt.NDArray[np.float64],
    pull_memory: npt.NDArray[np.float64],
    block_in: npt.NDArray[np.float32],
    block_out: npt.NDArray[np.float32],
    until_s: float,
    capture: npt.NDArray[np.float32],
    trace: npt.NDArray[np.float64],
) -> None:
    """Run callbacks in the order of their times until `until_s`; keep channel 0, and fill and correction per pull."""
    while min(memory[NEXT_IN], memory[NEXT_OUT]) < until_s:
        if memory[NEXT_IN] <= memory[NEXT_OUT]:
            if counters[STALL_IN] == HELD_BACK:
                counters[HELD] += 1
            else:
                _fill_input(counters, memory, block_in)
            if counters[STALL_IN] == 0:
                bridge_push_at(bridge, block_in.ctypes.data, counters[FRAMES_IN], np.int64(memory[NEXT_IN] * 1e9))
            _schedule_in(counters, memory)
            continue
        if counters[STALL_OUT] == 0:
            bridge_pull_at(bridge, block_out.ctypes.data, counters[FRAMES_OUT], np.int64(memory[NEXT_OUT] * 1e9))
            count = min(counters[FRAMES_OUT], capture.size - counters[CAPTURED])
            for frame in range(count):
                capture[counters[CAPTURED] + frame] = block_out[0, frame]
            counters[CAPTURED] += count
            if counters[TRACED] < trace.shape[0]:
                trace[counters[TRACED], 0] = pull_memory[FILL]
                trace[counters[TRACED], 1] = pull_memory[STEERING + CORRECTION]
                counters[TRACED] += 1
        _schedule_out(counters, memory)


class DriftSimulation:
    """Two simulated devices around a bridge.

    Parameters
    ----------
    bridge
        The bridge between them, fresh.
    ppm
        How much faster than nominal the input's clock runs; the output's is exact.
    in_frames, out_frames
        Callback sizes.
    jitter_ms
        Callbacks are late by up to this.
    burst
        Input callbacks that come at the same moment.
    tone_hz, level
        The input's sine.
    spike_ms, spikes_per_minute
        Rare callbacks of either device are late by up to this besides.
    """

    def __init__(
        self,
        bridge: ClockBridge,
        ppm: float,
        in_frames: int,
        out_frames: int,
        jitter_ms: float = 0.5,
        burst: int = 1,
        tone_hz: float = 1000.0,
        level: float = 0.5,
        spike_ms: float = 0.0,
        spikes_per_minute: float = 0.0,
        seed: int = 1,
    ) -> None:
        self.bridge = bridge
        self._counters = np.zeros(10, np.int64)
        self._counters[[SEED, FRAMES_IN, FRAMES_OUT, BURST]] = seed, in_frames, out_frames, burst
        self._memory = np.zeros(14)
        rate_in_hz = bridge.rate_in_hz * (1.0 + 1e-6 * ppm)
        self._memory[[CLOCK_IN, CLOCK_OUT, NEXT_IN, NEXT_OUT]] = EPOCH_S, EPOCH_S + 0.00123, EPOCH_S, EPOCH_S + 0.00123
        self._memory[[RATE_IN, RATE_OUT]] = rate_in_hz, bridge.rate_out_hz
        self._memory[[JITTER_S, TURN, LEVEL]] = jitter_ms * 1e-3, tone_hz / bridge.rate_in_hz, level
        self._memory[[SPIKE_S, SPIKE_RATE]] = spike_ms * 1e-3, spikes_per_minute / 60.0
        self._block_in = np.zeros((bridge.channels, in_frames), np.float32)
        self._block_out = np.zeros((bridge.channels, out_frames), np.float32)
        self.now_s = 0.0

    def run(self, seconds: float, stall_in: int = 0, stall_out: bool = False) -> npt.NDArray[np.float64]:
        """Go on for a time, with a device's callbacks left out if stalled; return (pulls, 2) of fill and correction."""
        pulls = math.ceil(seconds * self.bridge.rate_out_hz / self._block_out.shape[1]) + 2
        trace = np.zeros((pulls, 2))
        self._run(seconds, stall_in, stall_out, np.zeros(0, np.float32), trace)
        return trace[: self._counters[TRACED]]

    def capture(self, seconds: float, stall_in: int = 0, stall_out: bool = False) -> npt.NDArray[np.float32]:
        """Go on for a time and return the output's first channel."""
        captured = np.zeros(math.ceil(seconds * self.bridge.rate_out_hz) + self._block_out.shape[1], np.float32)
        self._run(seconds, stall_in, stall_out, captured, np.zeros((0, 2)))
        return captured[: self._counters[CAPTURED]]

    def catch_up(self) -> None:
        """Deliver at once what a stalled input held back."""
        run_catch_up(self.bridge.address, self._counters, self._memory, self._block_in, EPOCH_S + self.now_s)

    def _run(
        self,
        seconds: float,
        stall_in: int,
        stall_out: bool,
        captured: npt.NDArray[np.float32],
        trace: npt.NDArray[np.float64],
    ) -> None:
        self.now_s += seconds
        self._counters[[CAPTURED, TRACED, STALL_IN, STALL_OUT]] = 0, 0, stall_in, stall_out
        pull_memory = self.bridge._pull_state.memory
        run_simulation(
            self.bridge.address,
            self._counters,
            self._memory,
            pull_memory,
            self._block_in,
            self._block_out,
            EPOCH_S + self.now_s,
            captured,
            trace,
        )


def artefact_db(signal: npt.NDArray[np.float32], rate_hz: float, tone_hz: float) -> float:
    """Return the level of everything but the tone, against the tone, in dB.

    The tone's phase is measured under Hann windows 50 ms apart and joined by lines; its level is fitted once.
    """
    frames = np.arange(signal.size)
    turning = np.exp(-2j * np.pi * tone_hz / rate_hz * frames)
    hop = round(PHASE_POINTS_S * rate_hz)
    window = np.hanning(2 * hop + 1)[:-1]
    starts = np.arange(0, signal.size - 2 * hop, hop)
    product = signal * turning
    points = np.array([np.sum(product[at : at + 2 * hop] * window) for at in starts])
    phase = np.interp(frames, starts + hop, np.unwrap(np.angle(points)))
    inside = slice(starts[0] + hop, starts[-1] + hop)
    carrier = np.conj(turning) * np.exp(1j * phase)
    basis = np.stack([carrier.real, carrier.imag], axis=1)[inside]
    wanted = signal[inside].astype(np.float64)
    fitted = basis @ np.linalg.lstsq(basis, wanted, rcond=None)[0]
    return float(10.0 * np.log10(np.sum((wanted - fitted) ** 2) / np.sum(fitted**2)))


def measure(options: argparse.Namespace, ppm: float) -> dict[str, float | int]:
    """Simulate one drift for the hours asked for; return its figures."""
    rate_in, rate_out = options.rate_in_hz, options.rate_out_hz
    bridge = ClockBridge(rate_in, rate_out, 1, options.in_frames, options.out_frames, quality=options.quality)
    arguments = (ppm, options.in_frames, options.out_frames, options.jitter_ms, options.burst)
    rare = {"spike_ms": options.spike_ms, "spikes_per_minute": options.spikes_per_minute}
    simulation = DriftSimulation(bridge, *arguments, tone_hz=options.tone_hz, **rare)
    started = time.perf_counter()
    simulation.run(60.0)
    after_priming = bridge.stats.underruns
    first = bridge.stats
    worst_ppm = worst_ms = 0.0
    for _ in range(max(1, round(options.hours * 60.0) - 2)):
        trace = simulation.run(60.0)
        worst_ppm = max(worst_ppm, float(np.abs(trace[:, 1] * 1e6 - ppm).max()))
        worst_ms = max(worst_ms, float(np.ptp(trace[:, 0])) / rate_in * 1e3)
    captured = simulation.capture(60.0)
    heard_hz = options.tone_hz * (1.0 + 1e-6 * ppm)
    stats = bridge.stats
    return {
        "ppm": ppm,
        "simulated_hours": simulation.now_s / 3600.0,
        "underruns_first_minute": after_priming,
        "underruns_after": stats.underruns - after_priming,
        "drops": stats.drops,
        "overflows": stats.overflows,
        "latency_ms_at_1_min": round(first.latency_ms, 3),
        "latency_ms_at_end": round(stats.latency_ms, 3),
        "drift_ppm": round(stats.drift_ppm, 2),
        "worst_correction_error_ppm": round(worst_ppm, 2),
        "worst_fill_swing_ms_per_minute": round(worst_ms, 3),
        "tone_hz": options.tone_hz,
        "artefact_db": round(artefact_db(captured, rate_out, heard_hz), 1),
        "wall_s": round(time.perf_counter() - started, 1),
    }


def main() -> None:
    """Read the options, simulate, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=0.1, help="simulated hours (default 0.1)")
    parser.add_argument("--ppm", type=float, nargs="+", default=[300.0, -300.0], help="drifts of the input's clock")
    parser.add_argument("--rate-in-hz", type=int, default=48_000)
    parser.add_argument("--rate-out-hz", type=int, default=48_000)
    parser.add_argument("--in-frames", type=int, default=128)
    parser.add_argument("--out-frames", type=int, default=128)
    parser.add_argument("--jitter-ms", type=float, default=0.5)
    parser.add_argument("--spike-ms", type=float, default=0.0, help="rare callbacks are late by up to this besides")
    parser.add_argument("--spikes-per-minute", type=float, default=1.0)
    parser.add_argument("--burst", type=int, default=1)
    parser.add_argument("--tone-hz", type=float, default=1000.0)
    parser.add_argument("--quality", default="fast")
    parser.add_argument("--json", action="store_true", help="print JSON lines")
    options = parser.parse_args()
    for ppm in options.ppm:
        figures = measure(options, ppm)
        if options.json:
            print(json.dumps(figures))
        else:
            print("\n".join(f"{name:32} {value}" for name, value in figures.items()), end="\n\n")


if __name__ == "__main__":
    main()
