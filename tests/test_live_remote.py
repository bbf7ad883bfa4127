"""The control socket, `vcfx send` and OSC at voices that run: on devices that do not exist, and over JACK."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pythonosc.osc_packet import OscPacket

from live_voice import Voice, running_voice, wait_until
from sound_servers import dummy_jack, needs_jack
from vcfx.control import messages as m
from vcfx.control.live_state import LiveState, Meters
from vcfx.control.local import ControlServer, RemoteControl, place
from vcfx.control.local.protocol import ENDED
from vcfx.control.osc.packet import write_message
from vcfx.control.osc.server import OscServer

pytestmark = pytest.mark.timeout(120)
LIMIT_S = 30.0


@pytest.fixture
def voice(monkeypatch: pytest.MonkeyPatch) -> Iterator[Voice]:
    folder = Path(f"/tmp/vcfx-live-{os.getpid()}-{time.monotonic_ns():x}")
    monkeypatch.setattr(place, "folders", lambda: iter([folder]))
    with running_voice(bank=("loud", "soft")) as running:
        yield running
    if folder.exists():
        folder.rmdir()


def level_db(voice: Voice, first_block: int) -> float:
    return float(20.0 * np.log10(np.max(np.abs(voice.played(first_block, 40)))))


def test_what_another_process_asks_for_is_heard(voice: Voice) -> None:
    with ControlServer(voice.control) as server, RemoteControl(server.address) as control:
        states: list[LiveState] = []
        control.watch(states.append)
        before_db = level_db(voice, 0)
        outcome = control.submit(m.SetParameter("level", "gain_db", -12.0)).result(LIMIT_S)
        assert isinstance(outcome, m.Applied)
        assert outcome.block is not None
        assert level_db(voice, outcome.block + 10) == pytest.approx(before_db - 12.0, abs=0.1)
        wait_until(lambda: bool(states) and states[-1].chain[0].parameters[0].value == -12.0)
        assert control.state().changed
        refused = control.submit(m.SetParameter("level", "gain_db", 1e6)).result(LIMIT_S)
        assert isinstance(refused, m.Refused)
        assert "gain_db" in refused.reason


def test_state_meters_and_catalogue_are_those_of_the_voice(voice: Voice) -> None:
    with ControlServer(voice.control) as server, RemoteControl(server.address) as control:
        assert control.state() == voice.control.state()
        told: list[Meters] = []
        end = control.follow_meters(told.append, 30.0)
        control.want_spectra(True)
        wait_until(lambda: len(told) > 10 and bool(told[-1].input_spectrum_db))
        end()
        assert told[-1].blocks > told[0].blocks
        assert told[-1].input_peak_db > -40.0
        catalogue = control.catalogue()
        assert catalogue.bank == ("loud", "soft")
        assert [entry.name for entry in catalogue.inputs] == [entry.name for entry in voice.control.catalogue().inputs]


def test_a_voice_that_ends_refuses_what_comes_later(voice: Voice) -> None:
    with ControlServer(voice.control) as server, RemoteControl(server.address) as control:
        voice.control.close()
        assert control.submit(m.Mute()).result(LIMIT_S) == m.Refused(ENDED)


def test_osc_moves_the_voice(voice: Voice) -> None:
    with OscServer(voice.control, "127.0.0.1", 0) as osc:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as tablet:
            tablet.settimeout(LIMIT_S)
            for value in (-3, -6, -9):
                tablet.sendto(write_message("/vcfx/node/level/gain_db", value), ("127.0.0.1", osc.port))
            answers = [OscPacket(tablet.recv(4_096)).messages[0].message for _ in range(3)]
        assert [answer.address for answer in answers] == ["/vcfx/applied"] * 3
        assert all(answer.params[1] >= 0 for answer in answers)
        assert voice.control.state().chain[0].parameters[0].value == -9.0


@pytest.mark.jack
@needs_jack
def test_a_run_can_be_controlled_from_outside() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with dummy_jack(48_000, 256, 1, 2) as server:
        vcfx = [sys.executable, "-m", "vcfx"]
        command = [*vcfx, "run", "-p", "plain", "--block", "256", "--json", "--osc", str(port)]
        pipes = subprocess.PIPE
        with subprocess.Popen(command, env=server.env, stdout=pipes, stderr=pipes, text=True) as run:

            def send(*words: str) -> subprocess.CompletedProcess[str]:
                said = [*vcfx, "send", *words, "--to", str(run.pid)]
                return subprocess.run(said, env=server.env, capture_output=True, text=True, timeout=30, check=False)

            assert run.stdout is not None
            run.stdout.readline()
            sent = send("mute", "on", "--json")
            assert json.loads(sent.stdout)["applied"], sent.stderr
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as tablet:
                tablet.settimeout(LIMIT_S)
                tablet.sendto(write_message("/vcfx/bypass", 1), ("127.0.0.1", port))
                assert OscPacket(tablet.recv(4_096)).messages[0].message.address == "/vcfx/applied"
            state = json.loads(send("state", "--json").stdout)
            refused = send("switch-preset", "missing-one")
            run.send_signal(signal.SIGINT)
            _, errors = run.communicate(timeout=30.0)
            gone = send("mute")
    assert (state["muted"], state["bypassed"]) == (True, True)
    assert refused.returncode == 2
    assert "missing-one" in refused.stderr
    assert (run.returncode, errors) == (0, "")
    assert gone.returncode == 2
    assert f"'{run.pid}' is running" in gone.stderr or "no voice changer is running" in gone.stderr
