"""PortAudio through sounddevice, on real servers in child processes."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest

from sound_servers import (
    SoundServer,
    child_environment,
    dummy_jack,
    end_process,
    needs_jack,
    needs_pipewire,
    needs_pulse,
    private_pipewire,
    private_pulse,
    run_python,
)

Server = Callable[[], AbstractContextManager[SoundServer]]

RATE_HZ = 48_000
PLAY_INTO_THE_MICROPHONE = """
import sys
import numpy as np
from vcfx.devices import find_device
from vcfx.devices.microphone import create_microphone
from vcfx.devices.portaudio import quiet_stderr, sounddevice
create_microphone()
speaker = find_device("VCFX", "output")
print("ready", flush=True)
sys.stdin.readline()
with speaker.routed(), quiet_stderr():
    stream = sounddevice().OutputStream(
        device=speaker.index, samplerate=48_000, channels=2, dtype="float32", latency=0.1
    )
    stream.start()
signal = np.load(sys.argv[1])
stream.write(np.repeat(signal[:, None], 2, axis=1))
sys.stdin.readline()
stream.stop()
stream.close()
"""


def start(program: str, env: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", program, *arguments]
    pipe = subprocess.PIPE
    child = subprocess.Popen(command, env=env, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
    assert child.stdout is not None
    assert child.stdout.readline().strip() == "ready", child.communicate(timeout=60)
    return child


def make_default(sink: str, env: Mapping[str, str], within_s: float = 20.0) -> None:
    """Make a sink the default; PipeWire answers before its session manager knows the sink."""
    limit_s = time.monotonic() + within_s
    while True:
        command = ["pactl", "set-default-sink", sink]
        done = subprocess.run(command, env=dict(env), timeout=20, capture_output=True, text=True)
        if done.returncode == 0:
            return
        assert time.monotonic() < limit_s, done.stderr
        time.sleep(0.1)


@pytest.mark.pulse
@pytest.mark.parametrize(
    "sound_server",
    [
        pytest.param(private_pulse, marks=needs_pulse, id="pulseaudio"),
        pytest.param(private_pipewire, marks=needs_pipewire, id="pipewire"),
    ],
)
def test_what_is_played_into_the_sink_comes_out_of_the_virtual_microphone(
    sound_server: Server, tmp_path: Path, rng: np.random.Generator
) -> None:
    burst = (0.3 * rng.standard_normal(RATE_HZ // 2)).astype(np.float32)
    silence = np.zeros(RATE_HZ // 2, np.float32)
    np.save(tmp_path / "burst.npy", np.concatenate([silence, burst, np.zeros(2 * RATE_HZ, np.float32)]))
    record = ["parec", "--device=vcfx_microphone", "--format=float32le", f"--rate={RATE_HZ}", "--channels=1"]
    with sound_server() as server:
        # The virtual one must not be reached by being the default.
        make_default("speakers", server.env)
        player = start(PLAY_INTO_THE_MICROPHONE, server.env, str(tmp_path / "burst.npy"))
        with subprocess.Popen([*record, "--latency-msec=50"], env=server.env, stdout=subprocess.PIPE) as recorder:
            try:
                assert player.stdin is not None
                player.stdin.write("play\n")
                player.stdin.flush()
                recorded = read_past_onset(recorder, RATE_HZ // 2)
            finally:
                end_process(recorder)
                player.communicate("stop\n", timeout=60)
    onset = int(np.flatnonzero(np.abs(recorded) > 1e-3)[0])
    heard = recorded[onset : onset + burst.size]
    assert np.corrcoef(heard, burst[: heard.size])[0, 1] > 0.9


def read_past_onset(recorder: subprocess.Popen[bytes], frames: int) -> np.ndarray:
    """Read float32 from `recorder` until `frames` have passed after the first that is not silent."""
    assert recorder.stdout is not None
    watchdog = threading.Timer(30.0, recorder.kill)
    watchdog.start()
    recorded = np.zeros(0, np.float32)
    while (data := recorder.stdout.read(4 * 4_800)) and len(data) % 4 == 0:
        recorded = np.concatenate([recorded, np.frombuffer(data, np.float32)])
        loud = np.flatnonzero(np.abs(recorded) > 1e-3)
        if loud.size and recorded.size >= loud[0] + frames:
            break
    watchdog.cancel()
    assert np.abs(recorded).max() > 0.1, f"{recorded.size} frames, all silent"
    return recorded


@pytest.mark.jack
@needs_jack
def test_jack_device_has_its_rate_latency_and_our_client_name() -> None:
    program = """
import jack
from vcfx.devices import default_device, find_device
found = find_device("JACK:system", "input")
assert found == default_device("input"), found
from vcfx.devices.portaudio import sounddevice
stream = sounddevice().Stream(device=found.index, channels=2, callback=lambda *a: None)
stream.start()
looker = jack.Client("looker", no_start_server=True)
print(found.default_sample_rate_hz, found.max_input_channels, found.max_output_channels, found.low_input_latency_ms)
print(sorted({port.name.split(":")[0] for port in looker.get_ports()}))
looker.close()
stream.stop()
stream.close()
"""
    with dummy_jack(44_100, 441, inputs=2, outputs=3) as server:
        first, second = run_python(program, server.env).stdout.splitlines()
    assert first == "44100 2 3 10.0"
    assert second == "['system', 'vcfx']"


@pytest.mark.jack
@needs_jack
def test_rescan_sees_a_server_that_started_later_and_is_refused_while_a_stream_is_open() -> None:
    program = """
from vcfx.devices import list_devices, portaudio
import os, sys
name = os.environ.pop("JACK_DEFAULT_SERVER")
os.environ["JACK_DEFAULT_SERVER"] = name + "-absent"
before = [device.host_api for device in list_devices()]
assert "JACK Audio Connection Kit" not in before, before
os.environ["JACK_DEFAULT_SERVER"] = name
portaudio.stream_opened(1)
try:
    portaudio.rescan()
    sys.exit("rescan was not refused")
except portaudio.DeviceError as error:
    assert "1 open now" in str(error), error
portaudio.stream_closed(1)
portaudio.stream_closed(1)
portaudio.rescan()
after = [device.host_api for device in list_devices()]
assert "JACK Audio Connection Kit" in after, after
portaudio.rescan()
assert [device.host_api for device in list_devices()] == after
"""
    with dummy_jack() as server:
        run_python(program, server.env)


@pytest.mark.jack
@needs_jack
@pytest.mark.parametrize("then", ["pass", "portaudio.rescan()"])
def test_process_outlives_its_jack_server(then: str) -> None:
    program = f"""
import sys, time
from vcfx.devices import jack_watch, list_devices, portaudio
assert "JACK" in list_devices()[0].host_api
print("ready", flush=True)
sys.stdin.readline()
until = time.monotonic() + 20
while not jack_watch.server_is_gone() and time.monotonic() < until:
    time.sleep(0.01)
try:
    {then}
except portaudio.DeviceError as error:
    print(error)
print(portaudio.version().split()[0])
"""
    with dummy_jack() as server:
        child = start(program, server.env)
        server.stop()
        printed, complaints = child.communicate("\n", timeout=60)
    assert child.returncode == 0, complaints
    assert printed.splitlines()[-1] == "PortAudio"
    assert ("has ended" in printed) == (then != "pass")


def test_loading_is_silent_and_standard_error_works_afterwards() -> None:
    program = """
import os, sys
from vcfx.devices.portaudio import quiet_stderr, sounddevice
sounddevice()
with quiet_stderr():
    os.write(2, b"chatter")
os.write(2, b"heard")
"""
    done = run_python(program, child_environment({}))
    assert done.stderr == "heard"
    closed = "import os; os.close(2)\nfrom vcfx.devices.portaudio import quiet_stderr\nwith quiet_stderr(): print(1)"
    assert run_python(closed, child_environment({})).stdout == "1\n"
