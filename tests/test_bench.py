"""The benchmarks measure what they say; how fast is not a test's business."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vcfx.bench.engine_bench import bench_pairs, bench_stall
from vcfx.bench.graph_bench import TEN_NODES, bench_back_to_back, bench_graph
from vcfx.bench.loopback import measure_added_latency
from vcfx.engine.engine import Engine
from vcfx.engine.simulation import TwoClocks
from vcfx.presets import Preset, load_preset, preset_root


def test_ten_nodes_allocate_and_compile_nothing_after_the_start() -> None:
    found = bench_graph(1.0)
    assert len(TEN_NODES) == 10
    assert found["allocated_by_kernels"] == 0
    assert found["compiled_after_start"] == 0


def test_cost_is_positive() -> None:
    mean_us = bench_back_to_back(200)["mean_us"]
    assert isinstance(mean_us, float)
    assert mean_us > 0


def test_after_a_stall_no_dry_sample_was_heard() -> None:
    found = bench_stall(0.5)
    assert found["dry_samples"] == 0
    assert isinstance(found["concealed_blocks"], int)
    assert found["concealed_blocks"] > 50


def test_some_pairs_of_devices_hold() -> None:
    found = bench_pairs(2.0, every=311)
    assert found["failures"] == []


@pytest.mark.parametrize("ppm", [-300.0, 300.0])
def test_ten_simulated_minutes_of_drift_lose_nothing(ppm: float) -> None:
    with Engine(Preset("empty"), 48_000, 128, 1, 1, 1, 48_000, 128) as engine:
        clocks = TwoClocks(engine, 128, input_ppm=ppm, jitter_ms=1.0)
        result = clocks.run(600.0, 3.0)
        stats = engine.statistics()
    assert result.silent_blocks == 0
    assert result.blocks > 100_000
    assert stats.clock_underruns == stats.clock_overflows == 0
    assert stats.drift_ppm == pytest.approx(ppm, abs=15.0)
    assert np.isfinite(stats.bridge_latency_ms or np.nan)


#: Neural voices make no noise of noise, which is what the measurement sends; test_preset_sounds.py measures theirs.
NOT_NEURAL = sorted(
    entry.name.removesuffix(".toml") for entry in preset_root().iterdir() if not entry.name.startswith("voice-")
)


@pytest.mark.parametrize("name", NOT_NEURAL)
def test_every_other_preset_delays_the_voice_by_what_it_states(name: str) -> None:
    found = measure_added_latency(load_preset(name))
    # the envelopes of a vocoder take some milliseconds to rise, and a hall longer, which is sound, not delay
    late_ms = {"robot": 5.0, "ghost": 8.0}.get(name, 1.0)
    assert found.measured_ms is not None
    assert found.stated_ms - 1.0 <= found.measured_ms <= found.stated_ms + late_ms


def test_the_command_writes_its_figures(tmp_path: Path) -> None:
    target = tmp_path / "figures.json"
    command = [sys.executable, "-m", "vcfx", "bench", "graph", "--seconds", "1", "--json", str(target)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240.0)
    assert done.returncode == 0, done.stderr
    figures = json.loads(target.read_text())
    assert figures["machine"]["cores"] >= 1
    assert "graph.callback" in done.stdout
    wrong = subprocess.run([*command[:4], "grpah"], capture_output=True, text=True, timeout=60.0)
    assert wrong.returncode == 2
    assert "did you mean 'graph'?" in wrong.stderr
