"""The measurements of the neural voice, and what `vcfx doctor` says of its files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vcfx.__main__ import main
from vcfx.bench.voice_bench import bench_voice_hops, bench_voice_latency, loudness_lag_ms
from vcfx.doctor.voice import check_voice
from vcfx_models import voice_library
from voice_models import random_voice, save_voice


def test_hops_and_latency_are_measured(voice_model: Path) -> None:
    chosen = {"voice": str(voice_model / "anna.vcfxvoice"), "model": str(voice_model)}
    hops = bench_voice_hops(0.5, chosen)
    times = hops["milliseconds"]
    assert isinstance(times, dict)
    assert 0.0 < times["p50"] <= times["p99"] <= times["p99.9"] <= times["longest"]
    found = bench_voice_latency(chosen, 4.0)
    stated, measured = found["stated_ms"], found["measured_ms"]
    assert isinstance(stated, float)
    assert isinstance(measured, float)
    assert stated == pytest.approx(25.0 + 2 * 16 / 24, abs=0.01)
    assert measured == pytest.approx(stated, abs=6.0), "an untrained model blurs time, but not by more"


@pytest.mark.parametrize("lag_ms", [0, 7, 60])
def test_a_lag_of_loudness_is_found(lag_ms: int, rng: np.random.Generator) -> None:
    gates = np.repeat(rng.random(60) > 0.5, 2_400)
    one, other = (gates * rng.standard_normal(gates.size) for _ in range(2))
    late = np.concatenate([np.zeros(48 * lag_ms), other])[: one.size]
    assert abs(loudness_lag_ms(one.astype(np.float32), late.astype(np.float32), 48_000) - lag_ms) <= 1


def test_without_a_model_the_bench_says_so(
    voice_model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    voice = str(voice_model / "anna.vcfxvoice")
    assert main(["bench", "voice", "--voice", voice, "--model", str(tmp_path), "--seconds", "1"]) == 2
    assert "holds no voice model" in capfd.readouterr().err


def test_the_doctor_looks_at_networks_and_voices(
    voice_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    yours = tmp_path / "yours"
    monkeypatch.setattr(voice_library, "VOICES_FOLDER", tmp_path / "none")
    monkeypatch.setattr(voice_library, "user_voices_folder", lambda: yours)
    monkeypatch.setenv("VCFX_DATA_DIR", str(tmp_path / "data"))
    *lacking, papers = check_voice(tmp_path)
    assert (papers.status, papers.detail) == ("ok", "no voice was enrolled or used yet")
    assert [(check.name, check.status) for check in lacking] == [
        ("voice model", "optional"),
        ("speaker network", "optional"),
        ("voices", "optional"),
    ]
    assert all(check.mend and "\n" not in check.detail for check in lacking)
    save_voice(random_voice("anna"), yours / "anna.vcfxvoice")
    good = check_voice(voice_model)
    assert [check.status for check in good] == ["ok"] * 4
    assert good[3].detail == "an unbroken log of 2 entries"
    assert good[0].detail.startswith("float32, ")
    assert good[2].detail == "1 installed"
    (yours / "bad.vcfxvoice").write_bytes(b"bad")
    assert check_voice(voice_model)[2].detail.startswith("1 of 2 damaged: ")
    (tmp_path / "data" / "papers" / "audit.sqlite").write_bytes(b"rubbish")
    lost = check_voice(voice_model)[3]
    assert lost.status == "optional"
    assert "start anew" in lost.mend
