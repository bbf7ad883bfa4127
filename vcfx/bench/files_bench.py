"""How much faster than real time files are changed, on one core, beside pedalboard alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib import import_module

import numpy as np

from vcfx.offline import PresetRenderer
from vcfx.presets import Preset, load_preset
from vcfx.presets.model import NodeEntry

RATE_HZ, BLOCK = 48_000, 4_096
KERNELS = Preset(
    "five kernel nodes",
    chain=(
        NodeEntry("gate", "gate", {"threshold_db": -50.0}),
        NodeEntry("filter", "low_cut", {"type": "highpass", "cutoff_hz": 80.0}),
        NodeEntry("filter", "presence", {"type": "peak", "cutoff_hz": 3_000.0, "gain_db": 3.0}),
        NodeEntry("compressor", "compressor", {"threshold_db": -20.0, "ratio": 3.0}),
        NodeEntry("limiter", "limiter", {"ceiling_db": -1.0}),
    ),
)
HOSTED = Preset(
    "the same five of pedalboard in our graph",
    chain=(
        NodeEntry("pedalboard.NoiseGate", "gate", {"threshold_db": -50.0}),
        NodeEntry("pedalboard.HighpassFilter", "low_cut", {"cutoff_frequency_hz": 80.0}),
        NodeEntry("pedalboard.PeakFilter", "presence", {"cutoff_frequency_hz": 3_000.0, "gain_db": 3.0}),
        NodeEntry("pedalboard.Compressor", "compressor", {"threshold_db": -20.0, "ratio": 3.0}),
        NodeEntry("pedalboard.Limiter", "limiter", {"threshold_db": -1.0}),
    ),
)


def bench_files(seconds: float = 60.0, rounds: int = 5) -> dict[str, object]:
    """Render mono speech-like sound of `seconds`; the rounds of all candidates take turns, medians are reported."""
    signal = _speech_like(seconds)
    candidates: dict[str, Callable[[], None]] = {
        "vcfx_kernels": _ours(KERNELS, signal),
        "vcfx_hosting_pedalboard": _ours(HOSTED, signal),
        "pedalboard_alone": _pedalboard_alone(signal),
        "vcfx_preset_deep": _ours(load_preset("deep"), signal),
    }
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for render in candidates.values():
        render()  # warm-up
    for _ in range(rounds):
        for name, render in candidates.items():
            start_s = time.process_time()
            render()
            times[name].append(time.process_time() - start_s)
    speeds = {name: seconds / float(np.median(spent)) for name, spent in times.items()}
    return {
        "what": f"five effects, mono, {RATE_HZ} Hz, blocks of {BLOCK}: times real time per core, no file I/O",
        "times_real_time": speeds,
        "ratio_to_pedalboard": speeds["vcfx_kernels"] / speeds["pedalboard_alone"],
        "goal": 100.0,
    }


def _speech_like(seconds: float) -> np.ndarray:
    frames = int(seconds * RATE_HZ)
    time_s = np.arange(frames) / RATE_HZ
    pitch = 2 * np.pi * 130 * time_s + 3 * np.sin(2 * np.pi * 0.7 * time_s)
    tone = sum(np.sin(k * pitch) / k for k in range(1, 16))
    syllables = np.clip(np.sin(2 * np.pi * 3 * time_s) + 0.5, 0, 1)
    noise = np.random.default_rng(0).standard_normal(frames)
    return np.asarray(0.15 * tone * syllables + 0.002 * noise, np.float32)[None]


def _ours(preset: Preset, signal: np.ndarray) -> Callable[[], None]:
    renderer = PresetRenderer(preset, RATE_HZ, 1, BLOCK)

    def render() -> None:
        for start in range(0, signal.shape[1], BLOCK):
            renderer.process(signal[:, start : start + BLOCK])

    return render


def _pedalboard_alone(signal: np.ndarray) -> Callable[[], None]:
    effects = import_module("pedalboard")
    board = effects.Pedalboard(
        [
            effects.NoiseGate(threshold_db=-50.0),
            effects.HighpassFilter(80.0),
            effects.PeakFilter(3_000.0, 3.0),
            effects.Compressor(-20.0, 3.0),
            effects.Limiter(-1.0),
        ]
    )

    def render() -> None:
        for start in range(0, signal.shape[1], BLOCK):
            board.process(signal[:, start : start + BLOCK], RATE_HZ, buffer_size=BLOCK, reset=False)

    return render
