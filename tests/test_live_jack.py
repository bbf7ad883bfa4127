"""The live engine on a real PortAudio stream over a JACK server without hardware."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sound_servers import dummy_jack, needs_jack, run_python

pytestmark = [pytest.mark.jack, needs_jack]
PROGRAMS = Path(__file__).parent / "programs"
HOSTED = """
schema_version = 1
name = "hosted"
[[chain]]
node = "gain"
gain_db = -6.0
[[chain]]
node = "pedalboard.Reverb"
[[chain]]
node = "pedalboard.Compressor"
threshold_db = -30
ratio = 3
[[chain]]
node = "gain"
gain_db = 3.0
"""


def compare(block: int, preset: str) -> dict[str, float]:
    with dummy_jack(48_000, block, 1, 1) as server:
        done = run_python(PROGRAMS / "jack_freewheel.py", server.env, str(block), preset, timeout_s=240.0)
    found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


@pytest.mark.parametrize(
    ("block", "preset"), [(128, "plain"), (480, "deep"), (256, "radio"), (64, "HOSTED"), (480, "HOSTED")]
)
def test_live_and_file_give_the_same_bits(block: int, preset: str, tmp_path: Path) -> None:
    if preset == "HOSTED":
        path = tmp_path / "hosted.toml"
        path.write_text(HOSTED)
        preset = str(path)
    found = compare(block, preset)
    assert found["finished"]
    assert found["concealed_blocks"] == 0
    assert found["peak"] > 0.05
    assert found["max_error"] == 0.0
    assert found["lag_samples"] == 2 * block + found["stated_samples"], "JACK's own two periods, and what we state"


def test_run_ends_cleanly_on_ctrl_c_and_keeps_the_recording(tmp_path: Path) -> None:
    target = tmp_path / "take.flac"
    with dummy_jack(48_000, 256, 1, 2) as server:
        command = [sys.executable, "-m", "vcfx", "run", "-p", "plain", "--block", "256", "--record", str(target)]
        process = subprocess.Popen(
            [*command, "--json"], env=server.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
        time.sleep(1.0)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30.0)
    assert process.returncode == 0, errors
    assert errors == ""
    assert first["statistics"]["blocks"] > 0
    assert target.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["take.flac"]


def test_the_measured_round_trip_is_jacks_own_to_the_sample() -> None:
    with dummy_jack(48_000, 128, 1, 1) as server:
        done = run_python(PROGRAMS / "jack_round_trip.py", server.env, timeout_s=240.0)
    found = json.loads(done.stdout.strip().splitlines()[-1])
    bare, method = found["0"][0], found["0"][-1]
    assert method == "waveform"
    assert found["0"][:-1] == [bare] * 5
    assert found["333"][:-1] == [bare + 333] * 5
    assert bare % 128 == 0


def test_the_end_of_the_server_ends_the_run_with_one_sentence() -> None:
    with dummy_jack(48_000, 256, 1, 2) as server:
        command = [sys.executable, "-m", "vcfx", "run", "-p", "plain", "--block", "256", "--json"]
        process = subprocess.Popen(command, env=server.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert process.stdout is not None
        process.stdout.readline()
        server.stop()
        _, errors = process.communicate(timeout=60.0)
    assert process.returncode == 2
    assert errors.strip().splitlines()[-1].startswith("vcfx: the sound server has ended")
