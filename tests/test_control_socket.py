"""The local control socket: two processes' worth of clients, good and bad, against a surface without an engine."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from fake_surface import FakeSurface
from vcfx.control import messages as m
from vcfx.control.live_state import Catalogue, LiveState, Meters
from vcfx.control.local import ControlAddress, ControlServer, RemoteControl, place, running, server
from vcfx.control.local.peer import MOST_PENDING
from vcfx.control.local.protocol import ENDED, MOST_REQUEST_BYTES
from vcfx.errors import ControlError

PROGRAM = Path(__file__).parent / "programs" / "controlled.py"
LIMIT_S = 10.0

pytestmark = pytest.mark.timeout(60)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of this test's own; the path that pytest gives is too long for a socket's name."""
    short = Path(f"/tmp/vcfx-test-{os.getpid()}-{time.monotonic_ns():x}")
    monkeypatch.setattr(place, "folders", lambda: iter([short]))
    return short


@pytest.fixture
def surface() -> FakeSurface:
    return FakeSurface()


@pytest.fixture(params=["unix", "tcp"])
def served(request: pytest.FixtureRequest, surface: FakeSurface, folder: Path) -> Iterator[ControlServer]:
    with ControlServer(surface, tcp=request.param == "tcp") as opened:
        yield opened
    assert not list(folder.iterdir())
    folder.rmdir()


@pytest.fixture
def on_unix(surface: FakeSurface, folder: Path) -> Iterator[ControlServer]:
    with ControlServer(surface, tcp=False) as opened:
        yield opened
    folder.rmdir()


def eventually(true: Callable[[], bool], limit_s: float = LIMIT_S) -> bool:
    end_s = time.monotonic() + limit_s
    while not true() and time.monotonic() < end_s:
        time.sleep(0.005)
    return true()


@contextlib.contextmanager
def raw(address: ControlAddress) -> Iterator[socket.socket]:
    """A client that keeps to nothing."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(LIMIT_S)
        connection.connect(str(address.path))
        yield connection


def objects(connection: socket.socket, count: int) -> list[dict[str, Any]]:
    with connection.makefile("r") as lines:
        return [json.loads(lines.readline()) for _ in range(count)]


def test_a_remote_control_is_a_control_surface(served: ControlServer, surface: FakeSurface) -> None:
    with RemoteControl(served.address) as control:
        assert control.submit(m.SetParameter("pitch", "semitones", -3.0)).result(LIMIT_S) == m.Applied(1, 1.0)
        assert control.submit(m.SwitchPreset("missing")).result(LIMIT_S) == m.Refused("there is no preset 'missing'")
        assert surface.received == [m.SetParameter("pitch", "semitones", -3.0), m.SwitchPreset("missing")]
        assert control.state() == surface.state()
        assert control.meters() == surface.meters()
        assert control.catalogue() == surface.catalogue()


def test_changes_reach_every_watcher(served: ControlServer) -> None:
    with RemoteControl(served.address) as first, RemoteControl(served.address) as second:
        seen: list[LiveState] = []
        end = second.watch(seen.append)
        first.submit(m.SwitchPreset("robot")).result(LIMIT_S)
        assert eventually(lambda: bool(seen) and seen[-1].preset_name == "robot")
        end()
        second.state()  # whatever was on its way has come
        count = len(seen)
        first.submit(m.SwitchPreset("deep")).result(LIMIT_S)
        second.state()
        assert len(seen) == count


def test_states_that_change_fast_are_not_all_sent_but_the_last_is(served: ControlServer, surface: FakeSurface) -> None:
    with RemoteControl(served.address) as control:
        seen: list[LiveState] = []
        control.watch(seen.append)
        start_s = time.monotonic()
        for number in range(500):
            surface.submit(m.SwitchPreset(f"preset {number}"))
        assert eventually(lambda: bool(seen) and seen[-1] == surface.state())
        assert len(seen) <= 2 + (time.monotonic() - start_s) / server.STATE_S


def test_a_watcher_may_ask_back(served: ControlServer) -> None:
    with RemoteControl(served.address) as control:
        asked: list[tuple[LiveState, Catalogue]] = []
        control.watch(lambda state: asked.append((control.state(), control.catalogue())))
        control.watch(lambda state: 1 / 0)  # type: ignore[arg-type]
        control.submit(m.Mute(True)).result(LIMIT_S)
        assert eventually(lambda: bool(asked))
        assert asked[0][0].muted
        assert control.submit(m.Mute(False)).result(LIMIT_S) == m.Applied(2, 1.0)


def test_meters_come_at_the_rate_asked_for(served: ControlServer, surface: FakeSurface) -> None:
    with RemoteControl(served.address) as control:
        told: list[Meters] = []
        end = control.follow_meters(told.append, rate_hz=50.0)
        assert eventually(lambda: len(told) >= 25)
        assert set(told) == {surface.meters()}
        end()
        control.state()
        count = len(told)
        time.sleep(0.1)
        assert len(told) == count
        for rate_hz in (-1.0, 61.0, float("nan")):
            with pytest.raises(ControlError):
                control.follow_meters(told.append, rate_hz)


def test_spectra_are_counted_and_given_back(served: ControlServer, surface: FakeSurface) -> None:
    first, second = RemoteControl(served.address), RemoteControl(served.address)
    first.want_spectra(True)
    first.want_spectra(True)
    assert len(first.meters().input_spectrum_db) == 64
    assert surface.spectra == 1
    assert second.meters().input_spectrum_db == ()
    first.want_spectra(False)
    assert first.meters().output_spectrum_db
    first.close()
    second.close()
    assert eventually(lambda: surface.spectra == 0)


def test_a_slow_catalogue_keeps_nobody_waiting(on_unix: ControlServer, surface: FakeSurface) -> None:
    asked, go_on, found = [], threading.Event(), surface.catalogue()

    def slow() -> Catalogue:
        asked.append(1)
        assert go_on.wait(LIMIT_S)
        return found

    surface.catalogue = slow  # type: ignore[method-assign]
    with RemoteControl(on_unix.address) as control:
        answers: list[Catalogue] = []
        threads = [threading.Thread(target=lambda: answers.append(control.catalogue())) for _ in range(3)]
        for thread in threads:
            thread.start()
        assert eventually(lambda: bool(asked))
        assert control.submit(m.Mute()).result(LIMIT_S) == m.Applied(1, 1.0)
        go_on.set()
        for thread in threads:
            thread.join(LIMIT_S)
        assert answers == [found] * 3
    assert len(asked) <= 2


def test_the_end_of_the_voice_is_an_answer(served: ControlServer, surface: FakeSurface) -> None:
    surface.submit = lambda message: Future()  # type: ignore[method-assign]
    control = RemoteControl(served.address)
    waiting = [control.submit(m.Mute()) for _ in range(5)]
    control.state()
    served.close()
    assert control.closed.wait(LIMIT_S)
    assert [done.result(LIMIT_S) for done in waiting] == [m.Refused(ENDED)] * 5
    assert control.submit(m.Mute()).result(LIMIT_S) == m.Refused(ENDED)
    for ask in (control.state, control.meters, control.catalogue):
        with pytest.raises(ControlError, match=ENDED):
            ask()
    control.close()


def test_messages_of_one_client_may_not_pile_up(on_unix: ControlServer, surface: FakeSurface) -> None:
    taken: list[Future[m.Outcome]] = []

    def never(message: m.Message) -> Future[m.Outcome]:
        taken.append(Future())
        return taken[-1]

    surface.submit = never  # type: ignore[method-assign]
    with RemoteControl(on_unix.address) as control:
        waiting = [control.submit(m.StepPreset(1)) for _ in range(MOST_PENDING + 1)]
        last = waiting[-1].result(LIMIT_S)
        assert isinstance(last, m.Refused)
        assert "wait already" in last.reason
        assert not any(done.done() for done in waiting[:-1])
        taken[0].set_result(m.Applied(7, 0.5))
        assert waiting[0].result(LIMIT_S) == m.Applied(7, 0.5)
        again = control.submit(m.StepPreset(1))
        assert eventually(lambda: len(taken) == MOST_PENDING + 1)
        assert not again.done()


def test_a_client_that_never_reads_is_dropped(
    on_unix: ControlServer, surface: FakeSurface, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "PATIENCE_S", 0.3)
    with raw(on_unix.address) as deaf, RemoteControl(on_unix.address) as control:
        question = b'{"id":1,"do":"state"}\n'
        with pytest.raises(ConnectionError):  # noqa: PT012 - which of many sends fails is the kernel's to say
            for _ in range(100_000):
                deaf.sendall(question * 20)
                assert control.submit(m.Mute()).result(LIMIT_S)  # nobody else waits for the deaf one
        assert control.state() == surface.state()


def test_a_client_that_never_reads_does_not_slow_the_meters_of_others(on_unix: ControlServer) -> None:
    with raw(on_unix.address) as deaf, RemoteControl(on_unix.address) as control:
        deaf.sendall(b'{"id":1,"do":"follow","rate_hz":60}\n{"id":2,"do":"watch","on":true}\n')
        told: list[Meters] = []
        control.follow_meters(told.append, 60.0)
        assert eventually(lambda: len(told) > 60)


def test_ten_megabytes_without_a_line_are_not_taken(on_unix: ControlServer, surface: FakeSurface) -> None:
    with raw(on_unix.address) as flood, RemoteControl(on_unix.address) as control:
        with pytest.raises(ConnectionError):
            flood.sendall(b"x" * 10_000_000)
        assert control.submit(m.Mute()).result(LIMIT_S) == m.Applied(1, 1.0)


GARBAGE = [
    b"hello",
    b"[]",
    b"null",
    b"[" * 60_000,
    b'{"id":1}',
    b'{"do":"state"}',
    b'{"id":true,"do":"state"}',
    b'{"id":1e400,"do":"state"}',
    b'{"id":99999999999999999999,"do":"state"}',
    b'{"id":1,"do":["state"]}',
    b'{"id":1,"do":"stata"}',
    b'{"id":1,"do":"watch"}',
    b'{"id":1,"do":"spectra","on":1}',
    b'{"id":1,"do":"follow","rate_hz":"fast"}',
    b'{"id":1,"do":"follow","rate_hz":NaN}',
    b"\xff\xfe\x00",
    b'{"id":1,"do":"\\ud800"}',
]


def test_garbage_is_answered_with_a_sentence(on_unix: ControlServer) -> None:
    with raw(on_unix.address) as connection:
        connection.sendall(b"\n".join(GARBAGE) + b"\n" + b'{"id":5,"do":"meters"}\n')
        greeting, *errors, last = objects(connection, len(GARBAGE) + 2)
    assert greeting["control"] == 1
    assert all(isinstance(found["error"], str) and found["error"] for found in errors)
    assert last["id"] == 5
    assert last["answer"]["blocks"] == 375


def test_messages_are_checked_before_they_reach_the_voice(on_unix: ControlServer, surface: FakeSurface) -> None:
    with raw(on_unix.address) as connection:
        wrong: list[Any] = [None, [], {"type": "mutes"}, {"type": "mute", "on": 3}, {"type": "switch_preset"}]
        for document in wrong:
            connection.sendall(json.dumps({"id": 1, "do": "submit", "message": document}).encode() + b"\n")
        _, *answers = objects(connection, len(wrong) + 1)
    assert [answer["answer"]["applied"] for answer in answers] == [False] * len(wrong)
    assert surface.received == []


def test_a_line_that_is_too_long_ends_the_connection(on_unix: ControlServer) -> None:
    with raw(on_unix.address) as connection:
        connection.sendall(b'{"id":1,"do":"' + b"x" * MOST_REQUEST_BYTES + b'"}\n')
        with contextlib.suppress(ConnectionError):
            while connection.recv(65_536):
                pass


def test_there_is_room_for_so_many_clients_only(on_unix: ControlServer) -> None:
    with contextlib.ExitStack() as opened:
        for _ in range(server.MOST_CLIENTS):
            opened.enter_context(RemoteControl(on_unix.address))
        with pytest.raises(ControlError, match="32 programs control this voice already"):
            RemoteControl(on_unix.address)
    assert eventually(lambda: len(on_unix._peers) == 0)
    with RemoteControl(on_unix.address) as control:
        assert control.state().preset == "Deep"


def test_only_the_user_can_reach_the_socket(on_unix: ControlServer, folder: Path) -> None:
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(on_unix.address.path.stat().st_mode) == 0o600


def test_a_folder_that_is_open_to_others_is_closed(folder: Path, surface: FakeSurface) -> None:
    folder.mkdir()
    folder.chmod(0o777)
    with ControlServer(surface, tcp=False):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.rmdir()


def test_a_link_is_no_private_folder(folder: Path, surface: FakeSurface, tmp_path: Path) -> None:
    folder.symlink_to(tmp_path)
    with pytest.raises(ControlError, match="belongs to somebody else"):
        ControlServer(surface, tcp=False)
    assert running() == []
    folder.unlink()


def test_processes_of_others_are_turned_away(on_unix: ControlServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "of_another_user", lambda connection: True)
    with pytest.raises(ControlError, match=ENDED):
        RemoteControl(on_unix.address)


def test_a_port_wants_its_token(surface: FakeSurface, folder: Path) -> None:
    with ControlServer(surface, tcp=True) as served:
        facts = json.loads(served.address.path.read_bytes())
        assert stat.S_IMODE(served.address.path.stat().st_mode) == 0o600
        greetings = (b"POST / HTTP/1.1\r\n", b'{"token":"guessed"}\n', b'{"token":null}\n', b'{"id":1,"do":"state"}\n')
        for said in greetings:
            with socket.create_connection(("127.0.0.1", facts["port"]), LIMIT_S) as connection:
                connection.sendall(said)
                with contextlib.suppress(ConnectionError):
                    assert connection.recv(1_000) == b""
        with RemoteControl(served.address) as control:
            assert control.state() == surface.state()
    folder.rmdir()


def test_a_port_does_not_wait_for_the_token_for_ever(
    surface: FakeSurface, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "GREETING_S", 0.1)
    with ControlServer(surface, tcp=True) as served:
        port = json.loads(served.address.path.read_bytes())["port"]
        with socket.create_connection(("127.0.0.1", port), LIMIT_S) as connection:
            assert connection.recv(1_000) == b""
    folder.rmdir()


def test_several_voices_are_told_apart(folder: Path) -> None:
    surfaces = [FakeSurface(), FakeSurface()]
    with ControlServer(surfaces[0], tcp=False) as first, ControlServer(surfaces[1], tcp=False) as second:
        assert [address.name for address in running()] == [str(os.getpid()), f"{os.getpid()}-2"]
        with RemoteControl(second.address) as control:
            control.submit(m.Panic()).result(LIMIT_S)
        assert [surface.received for surface in surfaces] == [[], [m.Panic()]]
        assert first.address in running()
    assert running() == []
    folder.rmdir()


def test_a_killed_voice_is_noticed_and_tidied_away(folder: Path) -> None:
    with subprocess.Popen([sys.executable, str(PROGRAM), str(folder)], stdout=subprocess.PIPE, text=True) as voice:
        try:
            assert voice.stdout is not None
            assert voice.stdout.readline() == f"{voice.pid}\n"
            (address,) = running()
            assert address.name == str(voice.pid)
            control = RemoteControl(address)
            assert control.submit(m.SwitchVoice("alder")).result(LIMIT_S) == m.Applied(1, 1.0)
            assert control.state().voice == "alder"
            voice.send_signal(signal.SIGSTOP)
            waiting = control.submit(m.Mute())
            assert not waiting.done()
        finally:
            voice.kill()
    assert waiting.result(LIMIT_S) == m.Refused(ENDED)
    assert control.closed.wait(LIMIT_S)
    assert address.path.exists()
    assert running() == []
    assert not address.path.exists()
    with pytest.raises(ControlError, match=ENDED):
        RemoteControl(address)
    folder.rmdir()
