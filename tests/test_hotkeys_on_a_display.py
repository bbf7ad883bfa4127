"""Hotkeys on a real display, though without a screen: a program presses the keys."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from Xlib import XK, X
from Xlib.display import Display as connect
from Xlib.ext import xtest

pytestmark = pytest.mark.timeout(60)
LIMIT_S = 10.0
PROGRAM = Path(__file__).parent / "programs" / "hotkeys_on_a_display.py"


class Display:
    """A display without a screen, whose keys a test presses."""

    def __init__(self) -> None:
        reading, writing = os.pipe()
        command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "64x64x24", "-nolisten", "tcp"]
        self.server = subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            self.name = f":{pipe.readline().strip()}"
        self._connection = connect(self.name)

    def key(self, name: str, *, down: bool) -> None:
        code = self._connection.keysym_to_keycode(XK.string_to_keysym(name))
        assert code
        xtest.fake_input(self._connection, X.KeyPress if down else X.KeyRelease, code)
        self._connection.sync()

    def watch(self, name: str) -> Callable[[], int]:
        """Return what counts how often a key has gone down since now."""
        root = self._connection.screen().root
        root.change_attributes(event_mask=X.KeyPressMask)
        code = self._connection.keysym_to_keycode(XK.string_to_keysym(name))

        def presses() -> int:
            pending = [self._connection.next_event() for _ in range(self._connection.pending_events())]
            return sum(event.type == X.KeyPress and event.detail == code for event in pending)

        return presses

    def close(self) -> None:
        self._connection.close()
        self.server.kill()
        self.server.wait()


@pytest.fixture
def display() -> Iterator[Display]:
    made = Display()
    yield made
    if made.server.returncode is None:
        made.close()


@contextlib.contextmanager
def listening(display: Display, *chosen: str) -> Iterator[subprocess.Popen[str]]:
    """The hotkeys of another process, which prints what it is told."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("WAYLAND", "XDG_SESSION"))}
    with subprocess.Popen(
        [sys.executable, str(PROGRAM), *chosen],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=kept | {"DISPLAY": display.name}, text=True,
    ) as program:  # fmt: skip
        assert program.stdout is not None
        assert program.stdout.readline() == "listening\n"
        yield program
        program.kill()


def lines(program: subprocess.Popen[str], count: int) -> list[str]:
    assert program.stdout is not None
    return [program.stdout.readline().strip() for _ in range(count)]


def test_keys_of_a_display_control_the_voice(display: Display) -> None:
    chosen = ("ctrl+alt+m=mute", "m=panic", "f9=switch-preset robot", "shift+t=push-to-talk")
    with listening(display, *chosen) as program:
        for name in ("Control_L", "Alt_R", "m"):
            display.key(name, down=True)
        for name in ("m", "Alt_R", "Control_L"):
            display.key(name, down=False)
        assert lines(program, 1) == ["Mute(on=None)"]
        display.key("F9", down=True)
        display.key("F9", down=False)
        assert lines(program, 1) == ["SwitchPreset(preset='robot')"]
        display.key("Shift_R", down=True)
        display.key("t", down=True)
        assert lines(program, 1) == ["PushToTalk(held=True)"]
        display.key("t", down=False)
        assert lines(program, 1) == ["PushToTalk(held=False)"]
        display.key("Shift_R", down=False)
        display.key("x", down=True)
        out, err = program.communicate(timeout=LIMIT_S)
    assert (out, err) == ("", "")


def test_a_key_of_a_display_that_is_held_talks_all_the_while(display: Display) -> None:
    repeated = display.watch("F8")
    with listening(display, "f8=push-to-talk", "f7=mute") as program:
        display.key("F8", down=True)
        assert lines(program, 1) == ["PushToTalk(held=True)"]
        time.sleep(1.2)
        display.key("F8", down=False)
        up_s = time.monotonic()
        assert lines(program, 1) == ["PushToTalk(held=False)"]
        assert time.monotonic() - up_s < LIMIT_S
        out, err = program.communicate(timeout=LIMIT_S)
    assert (out, err) == ("", "")
    assert repeated() > 5  # the display did repeat the key


def test_a_display_that_is_not_there_is_said() -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("WAYLAND", "XDG_SESSION"))}
    command = [sys.executable, str(PROGRAM), "f8=mute"]
    done = subprocess.run(command, env=kept | {"DISPLAY": ":987"}, capture_output=True, text=True, check=False)
    assert done.stderr.startswith("there are no global hotkeys, for the display does not answer: ")
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_a_display_that_dies_is_no_trouble(display: Display) -> None:
    with listening(display, "f8=push-to-talk") as program:
        display.key("F8", down=True)
        assert lines(program, 1) == ["PushToTalk(held=True)"]
        display.close()
        assert lines(program, 2) == [
            "PushToTalk(held=False)",
            "the keyboard is gone: hotkeys do nothing any more",
        ]
        out, err = program.communicate(timeout=LIMIT_S)
    assert (out, err) == ("", "")
    assert program.returncode == 0
