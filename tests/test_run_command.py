"""`vcfx run` and `vcfx latency` as a person starts them: real processes, a real terminal, real sound servers."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest
import soundfile

from sound_servers import child_environment, dummy_jack, needs_jack, needs_pulse, private_pulse

VCFX = [sys.executable, "-m", "vcfx"]


def vcfx(*arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    environment = env or child_environment({"JACK_NO_START_SERVER": "1"})
    return subprocess.run([*VCFX, *arguments], env=environment, capture_output=True, text=True, timeout=240.0)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--block", "7"], "--block is 7; allowed: 16 to 8192 frames"),
        (["--channels", "3"], "--channels is 3; allowed: 1 or 2"),
        (["--duration", "-1"], "--duration is -1; allowed: more than 0 seconds"),
        (["--rate", "0"], "--rate is 0; allowed: what the devices take, in Hz"),
        (["--record", "take.xyz"], "'take.xyz'; allowed endings: .wav, .flac, .ogg"),
        (["--record", "no/such/take.wav"], "there is no folder 'no/such'"),
        (["--latency", "9999"], "--latency is 9999; allowed: 0 to 2000 milliseconds"),
        (["--preset", "depe"], "did you mean 'deep'?"),
    ],
)
def test_bad_options_are_one_sentence_and_exit_code_2(arguments: list[str], sentence: str) -> None:
    done = vcfx("run", *arguments)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == ""


@needs_jack
def test_a_machine_without_sound_is_told_so_in_one_sentence() -> None:
    with dummy_jack(48_000, 256, 0, 0) as server:
        silent = server.env | {"JACK_DEFAULT_SERVER": "there-is-none"}
        done = vcfx("run", "--preset", "plain", env=silent)
    assert done.returncode == 2, done.stdout
    assert done.stderr.startswith("vcfx: ")
    assert len(done.stderr.strip().splitlines()) == 1


class Terminal:
    """A process on a terminal of its own."""

    def __init__(self, command: list[str], env: dict[str, str]) -> None:
        self.fd, other = pty.openpty()
        self.seen = ""
        terminal = env | {"TERM": "xterm-256color", "COLUMNS": "110", "LINES": "40"}
        self.process = subprocess.Popen(command, stdin=other, stdout=other, stderr=other, env=terminal)
        os.close(other)

    def wait_for(self, text: str, timeout_s: float = 120.0) -> None:
        limit_s = time.monotonic() + timeout_s
        while text not in self.seen:
            assert time.monotonic() < limit_s, f"'{text}' did not appear in:\n{self.seen[-3_000:]}"
            self.read(0.2)

    def read(self, seconds: float) -> None:
        readable, _, _ = select.select([self.fd], [], [], seconds)
        if readable:
            try:
                self.seen += os.read(self.fd, 65_536).decode(errors="replace")
            except OSError:  # the other side has closed
                time.sleep(seconds)

    def press(self, key: str) -> None:
        self.seen = ""
        os.write(self.fd, key.encode())


@pytest.mark.jack
@needs_jack
def test_the_display_obeys_its_keys_and_leaves_the_terminal_as_it_was() -> None:
    with dummy_jack(48_000, 256, 1, 2) as server:
        terminal = Terminal([*VCFX, "run", "--preset", "plain", "--block", "256"], server.env)
        try:
            terminal.wait_for("Plain")
            terminal.wait_for("[q] quit")
            terminal.press("\x1b[A")  # an arrow key is not Esc
            time.sleep(0.5)
            terminal.press("m")
            terminal.wait_for("MUTED")
            terminal.press("b")
            terminal.wait_for("your own voice is heard")
            terminal.press("n")
            terminal.wait_for("Podcast")
            terminal.press("q")
            terminal.wait_for("changed with 'Podcast'")
            assert terminal.process.wait(30.0) == 0
        finally:
            terminal.process.kill()
            os.close(terminal.fd)


@pytest.mark.pulse
@needs_pulse
def test_sound_makes_the_round_trip_through_two_pulse_devices_and_is_recorded(tmp_path: Path) -> None:
    with private_pulse() as server:
        route = ["-i", "Monitor of Speakers", "-o", "Speakers"]
        measured = vcfx("latency", *route, "--block", "480", "--json", env=server.env)
        take = tmp_path / "take.wav"
        recorded = vcfx("run", *route, "-p", "plain", "--duration", "2", "--record", str(take), env=server.env)
    found = json.loads(measured.stdout)
    # whether the bursts agree within 1 ms is up to the machine's timing here; that they come back is not
    assert measured.returncode == (0 if found["round_trip_ms"] is not None else 1), measured.stderr
    assert len(found["bursts_ms"]) >= 3
    assert all(5.0 < delay_ms < 1_200.0 for delay_ms in found["bursts_ms"])
    assert found["stated"]["clock_bridge_ms"] is not None
    assert recorded.returncode == 0, recorded.stderr
    info = soundfile.info(take)
    assert info.samplerate == 48_000
    assert info.frames > 24_000
