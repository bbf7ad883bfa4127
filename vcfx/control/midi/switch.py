"""Buttons: what a press and a release submit."""

from __future__ import annotations

from typing import Final

from vcfx.control import messages as m
from vcfx.control.live_state import LiveState

from .midi_map import Binding
from .registers import Held
from .target import Target

_STEPS: Final = {"next-preset": 1, "previous-preset": -1}


class Switches:
    """Turns presses into messages; what several buttons hold is released by the last of them."""

    def __init__(self) -> None:
        self._holders: dict[Target, set[Held]] = {}

    def press(self, binding: Binding, held: Held, state: LiveState) -> m.Message | None:
        """Return what a press submits; None where another button holds the same already."""
        if binding.action != "hold":
            return toggled(binding.to, state)
        holders = self._holders.setdefault(binding.to, set())
        first = not holders
        holders.add(held)
        return switched(binding.to, True) if first else None

    def release(self, target: Target, held: Held) -> m.Message | None:
        """Return what the end of a press submits: something only for the last button that holds."""
        holders = self._holders.get(target, set())
        if held not in holders:
            return None
        holders.discard(held)
        return None if holders else switched(target, False)

    def held_by(self, held: Held) -> list[Target]:
        """Return what a button holds."""
        return [target for target, holders in self._holders.items() if held in holders]

    def held(self) -> list[tuple[Target, Held]]:
        """Return all that is held."""
        return [(target, held) for target, holders in self._holders.items() for held in sorted(holders)]


def switched(target: Target, on: bool) -> m.Message:
    """Return what turns a switch on or off."""
    if target.kind == "push-to-talk":
        return m.PushToTalk(on)
    if target.kind == "mute":
        return m.Mute(on)
    if target.kind == "record":
        return m.StartRecording() if on else m.StopRecording()
    return m.BypassNode(target.name, on) if target.name else m.Bypass(on)


def toggled(target: Target, state: LiveState) -> m.Message:
    """Return what turns a switch over."""
    if target.kind == "push-to-talk":
        return m.PushToTalk(not (state.talk_mode == "push" and state.talking))
    if target.kind == "record":
        return switched(target, not is_recording(state))
    if target.kind == "mute":
        return m.Mute()
    return m.BypassNode(target.name) if target.name else m.Bypass()


def is_recording(state: LiveState) -> bool:
    """Whether a recording runs; one that a problem has ended does not."""
    return state.recording is not None and not state.recording.problem


def pressed(target: Target, name: str) -> m.Message:
    """Return what happens at a press that is no switch; `name` is of the preset or voice."""
    if target.message is not None:
        return target.message
    if target.kind == "preset":
        return m.SwitchPreset(name)
    if target.kind == "voice":
        return m.SwitchVoice(name)
    if target.kind in _STEPS:
        return m.StepPreset(_STEPS[target.kind])
    return m.Panic()
