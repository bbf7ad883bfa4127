"""Private sound servers for tests: JACK without hardware, and PulseAudio and PipeWire that nobody else sees.

All are context managers that yield environment variables. PortAudio keeps process-wide state and can hang in a dying
server, so a test starts its audio in a child process with that environment and a timeout:

    with dummy_jack(48_000, 128) as server:
        run_python(program, server.env)
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from ctypes.util import find_library
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from vcfx_dsp.core.cache import cache_root

START_TIMEOUT_S: Final = 20.0
STOP_TIMEOUT_S: Final = 10.0
#: Sinks and sources as in a machine with one sound card: 48 kHz, two channels.
DEFAULT_PULSE_MODULES: Final = (
    "module-null-sink sink_name=speakers rate=48000 channels=2 sink_properties=device.description=Speakers",
)


def missing_tools(*programs: str) -> str | None:
    """Return a sentence about what is not installed, or None when everything is there."""
    missing = [name for name in programs if shutil.which(name) is None]
    if find_library("portaudio") is None:
        missing.append("libportaudio")
    return f"not installed: {', '.join(missing)}" if missing else None


_NO_JACK = missing_tools("jackd", "jack_wait")
_NO_PULSE = missing_tools("pulseaudio", "pactl", "parec")
_NO_PIPEWIRE = missing_tools("pipewire", "wireplumber", "pipewire-pulse", "dbus-daemon", "pactl", "parec")
#: Use as `pytestmark = [pytest.mark.jack, needs_jack]` or as decorators.
needs_jack = pytest.mark.skipif(_NO_JACK is not None, reason=_NO_JACK or "")
needs_pulse = pytest.mark.skipif(_NO_PULSE is not None, reason=_NO_PULSE or "")
needs_pipewire = pytest.mark.skipif(_NO_PIPEWIRE is not None, reason=_NO_PIPEWIRE or "")


@dataclass(frozen=True, slots=True)
class SoundServer:
    """A running private server."""

    name: str
    env: dict[str, str]  # the whole environment for a child process
    process: subprocess.Popen[bytes]
    log: Path

    def stop(self) -> None:
        """End the server now (a test of what happens when it dies); leaving the context afterwards is fine."""
        end_process(self.process)


def end_process(process: subprocess.Popen[bytes]) -> None:
    """Ask `process` to end, and kill it when it does not."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait()


def child_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment without its sound servers, plus `extra`; compiled kernels stay shared."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PULSE_", "JACK_", "PIPEWIRE_"))}
    root = Path(__file__).parents[1]
    clean["PYTHONPATH"] = os.pathsep.join(str(root / folder) for folder in (".", "dsp", "models", "tests"))
    clean["VCFX_CACHE_DIR"] = str(cache_root())
    return clean | dict(extra)


def run_python(
    program: str | Path, env: Mapping[str, str], *arguments: str, timeout_s: float = 60.0
) -> subprocess.CompletedProcess[str]:
    """Run a Python program (source text, or a path) in a child process with `env`; fail with its stderr."""
    command = [sys.executable, str(program)] if isinstance(program, Path) else [sys.executable, "-c", program]
    done = subprocess.run([*command, *arguments], env=dict(env), capture_output=True, text=True, timeout=timeout_s)
    if done.returncode != 0:
        pytest.fail(f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


@contextmanager
def _no_other_jack() -> Iterator[None]:
    """Wait until no other test on this machine runs a JACK server.

    JACK names its clients' sockets by user and client, not by server: two clients of the same name that open at once,
    on two servers, get each other's notifications and are refused.
    """
    import fcntl  # not on Windows, where tests of JACK are skipped

    with (Path(tempfile.gettempdir()) / f"vcfx-tests-jack-{os.getuid()}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def dummy_jack(rate_hz: int = 48_000, block: int = 128, inputs: int = 2, outputs: int = 2) -> Iterator[SoundServer]:
    """Run a JACK server without hardware.

    Parameters
    ----------
    rate_hz, block
        Sample rate and frames per period.
    inputs, outputs
        Channels of its `system` device as a program sees them: `inputs` can be recorded, `outputs` played.

    Yields
    ------
    SoundServer
        ``env`` names the server in ``JACK_DEFAULT_SERVER``.

    Notes
    -----
    Synchronous (``-S``), so a late client slows the server's clock instead of losing samples: audio is bit-exact even
    on a loaded machine. In freewheel mode it runs as fast as the clients do.
    One at a time on a machine: a second one waits for the first to end.
    A client that holds PortAudio must terminate it before the server ends, or PortAudio aborts the process.
    """
    name = f"vcfx-{uuid.uuid4().hex[:12]}"  # a name used again at once fails with server_failed
    with _no_other_jack(), tempfile.TemporaryDirectory(prefix="vcfx-jack-") as folder:
        log = Path(folder) / "jackd.log"
        command = ["jackd", "--no-mlock", "-S", "-r", "-t", "5000", "-n", name, "-d", "dummy"]
        command += ["-r", str(rate_hz), "-p", str(block), "-C", str(inputs), "-P", str(outputs)]
        with log.open("wb") as sink:
            process = subprocess.Popen(command, stdout=sink, stderr=subprocess.STDOUT)
        try:
            wait = ["jack_wait", "-s", name, "-w", "-t", str(int(START_TIMEOUT_S))]
            waited = subprocess.run(wait, capture_output=True, timeout=2 * START_TIMEOUT_S)
            if waited.returncode != 0 or process.poll() is not None:
                pytest.fail(f"jackd did not start: {log.read_text(errors='replace')}")
            env = child_environment({"JACK_DEFAULT_SERVER": name, "JACK_NO_START_SERVER": "1"})
            yield SoundServer(name, env, process, log)
        finally:
            end_process(process)


@contextmanager
def private_pulse(modules: tuple[str, ...] = DEFAULT_PULSE_MODULES) -> Iterator[SoundServer]:
    """Run a PulseAudio daemon with its own runtime folder.

    Parameters
    ----------
    modules
        What to load besides the socket, as in ``default.pa`` after ``load-module``.

    Yields
    ------
    SoundServer
        ``env`` names the server in ``PULSE_SERVER``; `pactl`, `parec` and ALSA's `pulse` device then use it.
    """
    with tempfile.TemporaryDirectory(prefix="vcfx-pulse-") as folder:
        home = Path(folder)
        (home / "runtime").mkdir(mode=0o700)
        address = home / "runtime" / "native"
        lines = [f"module-native-protocol-unix auth-anonymous=1 socket={address}", *modules]
        (home / "private.pa").write_text(".fail\n" + "".join(f"load-module {line}\n" for line in lines))
        private = {
            "PULSE_SERVER": f"unix:{address}",
            "PULSE_RUNTIME_PATH": str(home / "runtime"),
            "PULSE_COOKIE": str(home / "cookie"),
            "XDG_RUNTIME_DIR": str(home / "runtime"),
            "XDG_CONFIG_HOME": str(home / "config"),
        }
        env = child_environment(private)
        log = home / "pulseaudio.log"
        command = ["pulseaudio", "-n", "-F", str(home / "private.pa"), "--exit-idle-time=-1", "--daemonize=no"]
        command += ["--use-pid-file=no", "--disallow-exit=yes"]
        with log.open("wb") as sink:
            daemon_env = env | {"HOME": str(home)}
            process = subprocess.Popen(command, stdout=sink, stderr=subprocess.STDOUT, env=daemon_env)
        try:
            _wait_for_pulse(process, env, log)
            yield SoundServer(env["PULSE_SERVER"], env, process, log)
        finally:
            end_process(process)


@contextmanager
def private_pipewire(pulse_config: str = "") -> Iterator[SoundServer]:
    """Run PipeWire with its session manager and its PulseAudio server, in folders of their own.

    Parameters
    ----------
    pulse_config
        Text for a file in ``pipewire-pulse.conf.d``, beside that with `DEFAULT_PULSE_MODULES`.

    Yields
    ------
    SoundServer
        As `private_pulse`; ``process`` is the PulseAudio server.
    """
    with tempfile.TemporaryDirectory(prefix="vcfx-pipewire-") as folder, ExitStack() as running:
        home = Path(folder)
        # Both the server and the first client make runtime/pulse, and the server ends where the client was first.
        for made in (home / "runtime", home / "runtime" / "pulse"):
            made.mkdir(mode=0o700)
        drop_in = home / "config" / "pipewire" / "pipewire-pulse.conf.d"
        drop_in.mkdir(parents=True)
        modules = "".join(f'{{ cmd = "load-module" args = "{module}" }}\n' for module in DEFAULT_PULSE_MODULES)
        # Last, because PipeWire 0.3 reads no further after a file that ends with the making of a sink.
        (drop_in / "zz.conf").write_text(f"pulse.cmd = [\n{modules}]")
        (drop_in / "test.conf").write_text(pulse_config)
        private = {
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(home / "runtime"),
            "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_STATE_HOME": str(home / "state"),
        }
        env = child_environment(private)
        log = home / "pipewire.log"
        sink = running.enter_context(log.open("wb"))
        bus_command = ["dbus-daemon", "--session", "--print-address=1", "--nofork", "--nopidfile"]
        bus = subprocess.Popen(bus_command, stdout=subprocess.PIPE, stderr=sink, env=env)
        running.callback(end_process, bus)
        assert bus.stdout is not None
        running.enter_context(bus.stdout)
        env["DBUS_SESSION_BUS_ADDRESS"] = bus.stdout.readline().decode().strip()
        for program in ("pipewire", "wireplumber", "pipewire-pulse"):
            process = subprocess.Popen([program], stdout=sink, stderr=sink, env=env)
            running.callback(end_process, process)
            if program == "pipewire":  # the session manager ends at once where it finds no server
                _wait_for_socket(process, home / "runtime" / "pipewire-0", log)
        _wait_for_pulse(process, env, log)
        yield SoundServer(f"unix:{home}/runtime/pulse/native", env, process, log)


def _wait_for_socket(process: subprocess.Popen[bytes], socket_path: Path, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket(socket.AF_UNIX) as client:
            if client.connect_ex(str(socket_path)) == 0:
                return
        time.sleep(0.02)
    pytest.fail(f"nobody listens at {socket_path}: {log.read_text(errors='replace')}")


def _wait_for_pulse(process: subprocess.Popen[bytes], env: Mapping[str, str], log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        if subprocess.run(["pactl", "info"], env=dict(env), capture_output=True, timeout=10).returncode == 0:
            return
        time.sleep(0.05)
    pytest.fail(f"pulseaudio did not start: {log.read_text(errors='replace')}")
