"""Hotkeys: what is written, and what keys mean."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fake_surface import FakeSurface
from vcfx.control import messages as m
from vcfx.control.hotkeys import binding, live_client
from vcfx.control.hotkeys.binding import Hotkey, hotkey, hotkeys_from_file, hotkeys_from_options, merged
from vcfx.control.hotkeys.chords import Chords
from vcfx.control.hotkeys.client import HotkeyClient
from vcfx.control.hotkeys.combination import Combination, combination
from vcfx.control.hotkeys.keyboard import Told, key_name, unavailable
from vcfx.control.hotkeys.steady_keys import FORGET_S, RELEASE_S, SteadyKeys
from vcfx.errors import ControlError

pytestmark = pytest.mark.timeout(60)
LIMIT_S = 10.0


def eventually(true: Callable[[], bool]) -> bool:
    end_s = time.monotonic() + LIMIT_S
    while not true() and time.monotonic() < end_s:
        time.sleep(0.005)
    return true()


@pytest.mark.parametrize(
    ("text", "held", "key"),
    [
        ("ctrl+alt+m", {"ctrl", "alt"}, "m"),
        ("Alt + Control + M", {"ctrl", "alt"}, "m"),
        ("f13", set(), "f13"),
        ("ctrl_r", set(), "ctrl_r"),
        ("ctrl+shift", {"ctrl"}, "shift"),
        ("super+plus", {"cmd"}, "+"),
        ("shift+ä", {"shift"}, "ä"),
        ("PgUp", set(), "page_up"),
    ],
)
def test_combinations_are_read(text: str, held: set[str], key: str) -> None:
    assert combination(text) == Combination(frozenset(held), key)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "there is no key without a name"),
        ("ctrl+", "write plus for"),
        ("ctrl+enterr", "did you mean 'enter'"),
        ("m+ctrl", "'m' in front of '\\+'; allowed: ctrl, alt, alt_gr, shift, cmd"),
        ("ctrl_l+m", "'ctrl_l' in front of"),
        ("ctrl+ctrl_r", "'ctrl_r' is given twice"),
        ("\x07", "there is no key"),
    ],
)
def test_what_is_no_combination_is_refused(text: str, said: str) -> None:
    with pytest.raises(ControlError, match=said):
        combination(text)


def test_hotkeys_are_read_from_options() -> None:
    keys = frozenset({"ctrl", "alt"})
    options = ["ctrl+alt+m=mute", "f13=push-to-talk", "f14=set-parameter pitch semitones -3", "f15=push-to-talk on"]
    assert hotkeys_from_options(options) == [
        Hotkey(Combination(keys, "m"), m.Mute(), None),
        Hotkey(Combination(frozenset(), "f13"), m.PushToTalk(True), m.PushToTalk(False)),
        Hotkey(Combination(frozenset(), "f14"), m.SetParameter("pitch", "semitones", -3.0), None),
        Hotkey(Combination(frozenset(), "f15"), m.PushToTalk(True), None),
    ]
    for wrong, said in (
        ("mute", "allowed: KEYS=MESSAGE"),
        ("f13=mutes", "hotkey f13: there is no message type 'mutes'; did you mean 'mute'"),
        ("f13=", "hotkey f13: the message is missing"),
        ("f13=switch-preset 'deep", "no closing quotation"),
    ):
        with pytest.raises(ControlError, match=said):
            hotkeys_from_options([wrong])


def test_hotkeys_are_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "hotkeys.toml"
    assert hotkeys_from_file(path) == []
    path.write_text("[hotkeys]\n\"ctrl+1\" = \"switch-preset 'my voice'\"\nf13 = 'mute on'\n", encoding="utf-8")
    from_file = hotkeys_from_file(path)
    assert [chosen.pressed for chosen in from_file] == [m.SwitchPreset("my voice"), m.Mute(True)]
    both = merged(from_file, [hotkey("f13", "panic")])
    assert [chosen.pressed for chosen in both] == [m.SwitchPreset("my voice"), m.Panic()]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"hotkeys", "is no TOML"),
        (b"\xff\xfe", "is no TOML"),
        (b"[hotkey]", "unknown key 'hotkey'; did you mean 'hotkeys'"),
        (b"hotkeys = 3", "holds lines such as"),
        (b"[hotkeys]\nf13 = 3", "holds lines such as"),
        (b"[hotkeys]\nf99 = 'mute'", "there is no key 'f99'"),
        (b"#" * 100_001, "more than 100000 bytes"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, text: bytes, said: str) -> None:
    path = tmp_path / "hotkeys.toml"
    path.write_bytes(text)
    with pytest.raises(ControlError, match=said) as raised:
        hotkeys_from_file(path)
    assert str(path) in str(raised.value)


def chords(*options: str) -> Chords:
    return Chords(hotkeys_from_options(options))


def test_a_combination_counts_with_exactly_its_modifiers() -> None:
    made = chords("ctrl+m=mute", "m=panic", "ctrl+shift+m=bypass")
    assert made.change("m", True) == [m.Panic()]
    made.change("m", False)
    assert made.change("ctrl_r", True) == []
    assert made.change("m", True) == [m.Mute()]
    made.change("m", False)
    made.change("shift_l", True)
    assert made.change("m", True) == [m.Bypass()]
    made.change("m", False)
    made.change("alt_l", True)
    assert made.change("m", True) == []


@pytest.mark.parametrize("first_up", ["ctrl_l", "t"])
def test_talking_ends_with_any_of_its_keys(first_up: str) -> None:
    made = chords("ctrl+t=push-to-talk")
    made.change("ctrl_l", True)
    assert made.change("t", True) == [m.PushToTalk(True)]
    assert made.change("x", True) == []
    assert made.change("shift_l", True) == []
    assert made.change("x", False) == []
    assert made.change(first_up, False) == [m.PushToTalk(False)]
    assert made.let_go() == []


def test_a_modifier_alone_can_be_the_key() -> None:
    made = chords("ctrl_r=push-to-talk")
    assert made.change("ctrl_l", True) == []
    made.change("ctrl_l", False)
    assert made.change("ctrl_r", True) == [m.PushToTalk(True)]
    assert made.let_go() == [m.PushToTalk(False)]


def test_a_key_that_repeats_stays_down() -> None:
    keys, now_s, happened = SteadyKeys(), 10.0, []
    happened += keys.change("t", True, now_s)
    for _ in range(50):  # as X11 repeats
        now_s += 0.03
        happened += keys.change("t", False, now_s)
        happened += keys.change("t", True, now_s + 0.001)
    assert happened == [("t", True)]
    for _ in range(50):  # as Windows and macOS do
        now_s += 0.03
        happened += keys.change("t", True, now_s)
    assert happened == [("t", True)]
    assert keys.change("t", False, now_s + 0.01) == []
    assert keys.next_s() == pytest.approx(now_s + 0.01 + RELEASE_S)
    assert keys.settle(now_s + 0.02) == []
    assert keys.settle(keys.next_s()) == [("t", False)]
    assert keys.change("t", True, now_s + 1.0) == [("t", True)]


def test_modifiers_are_up_at_once() -> None:
    keys = SteadyKeys()
    assert keys.change("ctrl_l", True, 10.0) == [("ctrl_l", True)]
    assert keys.change("ctrl_l", False, 10.001) == [("ctrl_l", False)]
    assert keys.change("ctrl_l", False, 10.002) == []
    assert keys.change("f9", True, 10.003) == [("f9", True)]


def test_a_release_that_was_lost_is_noticed_at_the_next_press() -> None:
    keys = SteadyKeys()
    keys.change("!", True, 10.0)
    assert keys.change("1", False, 10.1) == []
    assert keys.change("!", True, 10.2 + FORGET_S) == [("!", False), ("!", True)]


@pytest.mark.parametrize(
    ("key", "name"),
    [
        (SimpleNamespace(name="ctrl"), "ctrl_l"),
        (SimpleNamespace(name="shift_r"), "shift_r"),
        (SimpleNamespace(name="f13"), "f13"),
        (SimpleNamespace(name="unheard_of"), ""),
        (SimpleNamespace(char="M", vk=77), "m"),
        (SimpleNamespace(char="\r", vk=77), "m"),
        (SimpleNamespace(char=None, vk=0x31), "1"),
        (SimpleNamespace(char=None, vk=65_027), ""),
        (SimpleNamespace(char=None, vk=None), ""),
        (None, ""),
    ],
)
def test_keys_have_our_names(key: Any, name: str) -> None:
    assert key_name(key) == name


class FakeKeyboard:
    def __init__(self) -> None:
        self.told: Told = lambda key, down: None
        self.alive = True

    def open(self, told: Told) -> FakeKeyboard:
        self.told = told
        return self

    def is_alive(self) -> bool:
        return self.alive

    def stop(self) -> None:
        self.alive = False


def test_a_keyboard_that_goes_away_ends_the_talking() -> None:
    surface, keyboard = FakeSurface(), FakeKeyboard()
    with HotkeyClient(hotkeys_from_options(["f13=push-to-talk"]), surface, keyboard.open) as client:
        keyboard.told("f13", True)
        assert eventually(lambda: surface.received == [m.PushToTalk(True)])
        keyboard.alive = False
        assert eventually(lambda: surface.received == [m.PushToTalk(True), m.PushToTalk(False)])
        assert client.problem == "the keyboard is gone: hotkeys do nothing any more"


def test_the_end_of_a_run_ends_the_talking() -> None:
    surface, keyboard = FakeSurface(), FakeKeyboard()
    with HotkeyClient(hotkeys_from_options(["f13=push-to-talk"]), surface, keyboard.open):
        keyboard.told("f13", True)
        keyboard.told("", True)
    assert surface.received == [m.PushToTalk(True), m.PushToTalk(False)]
    assert not keyboard.alive


@pytest.mark.parametrize(
    ("environment", "platform", "said"),
    [
        ({}, "linux", "there is no display (DISPLAY is not set)"),
        ({"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0"}, "linux", "Wayland lets no program listen to keys"),
        ({"XDG_SESSION_TYPE": "wayland"}, "linux", "bind keys of the desktop to 'vcfx send' instead"),
        ({"DISPLAY": ":0"}, "linux", ""),
        ({}, "win32", ""),
    ],
)
def test_systems_without_hotkeys_are_told_apart(environment: dict[str, str], platform: str, said: str) -> None:
    found = unavailable(environment, platform)
    assert said in found
    assert bool(said) == bool(found)


def options(*arguments: str) -> Any:
    parser = ArgumentParser()
    live_client.add_arguments(parser)
    return parser.parse_args(arguments)


def test_a_run_goes_on_without_a_display(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(binding, "hotkeys_file", lambda: tmp_path / "hotkeys.toml")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "XDG_SESSION_TYPE"):
        monkeypatch.delenv(name, raising=False)
    assert live_client.open_client(options("--hotkey", "f13=mute"), FakeSurface()) is None
    assert (
        capsys.readouterr().err == "vcfx: there are no global hotkeys, for there is no display (DISPLAY is not set)\n"
    )
    assert live_client.open_client(options(), FakeSurface()) is None
    assert capsys.readouterr().err == ""
    with pytest.raises(ControlError, match="do not go together"):
        live_client.open_client(options("--hotkey", "f13=mute", "--no-hotkeys"), FakeSurface())
    (tmp_path / "hotkeys.toml").write_text("[hotkeys]\nf13 = 'mutes'\n", encoding="utf-8")
    with pytest.raises(ControlError, match=r"hotkeys\.toml: hotkey f13: there is no message type 'mutes'"):
        live_client.open_client(options(), FakeSurface())
    assert live_client.open_client(options("--no-hotkeys"), FakeSurface()) is None
