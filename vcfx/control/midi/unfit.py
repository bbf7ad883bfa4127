"""What of a binding does not go together: a note cannot move a parameter, a program is never held."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from .event import FIRST_LSB, Source
from .midi_map import Action, Binding
from .target import FORMS, SWITCHES, Target

#: What moves a parameter, and what presses.
SLIDERS: Final[tuple[Source, ...]] = ("control", "pitch-bend", "pressure")
BUTTONS: Final[tuple[Source, ...]] = ("note", "control", "program")
WITH_NUMBER: Final[tuple[Source, ...]] = ("note", "control", "program")
WITH_LIGHT: Final[tuple[Source, ...]] = ("note", "control")
MAX_BEND_SEMITONES: Final = 24.0


def default_action(target: Target) -> Action:
    """Return what a button does with a target that says nothing else."""
    return "hold" if target.kind == "push-to-talk" else "toggle"


def unfit(binding: Binding, given: Iterable[str] = ()) -> str:
    """Return a sentence about what does not go together; empty if all does.

    Parameters
    ----------
    binding
        Each of its values is allowed for itself.
    given
        The keys that the file gives, of which some may mean nothing for this binding.
    """
    on, to = binding.on, binding.to
    sources = SLIDERS if to.is_continuous else BUTTONS
    if on not in sources:
        return f"a {on.replace('-', ' ')} cannot work '{to}'; allowed: {', '.join(sources)}"
    for key in given:
        needed = _needs(key, binding)
        if needed:
            return f"{key} means nothing for {on} to '{to}'; it needs {needed}"
    return _unfit_number(binding) or _unfit_range(binding) or _unfit_switch(binding)


def _needs(key: str, binding: Binding) -> str:
    """Return what a key of the file would need to mean something; empty if it does."""
    on, to = binding.on, binding.to
    conditions = {
        "number": (on in WITH_NUMBER, " or ".join(WITH_NUMBER)),
        "last": (on in ("note", "program") and binding.number is not None, "note or program, and number"),
        "bank": (on == "program", "program"),
        "bits": (on == "control" and to.is_continuous, "control, and a parameter or pitch"),
        "low": (to.is_continuous, "a parameter or pitch"),
        "high": (to.is_continuous, "a parameter or pitch"),
        "curve": (to.kind == "parameter", "a parameter"),
        "pickup": (to.kind == "parameter", "a parameter"),
        "action": (to.kind in SWITCHES, ", ".join(SWITCHES)),
        "on_light": (on in WITH_LIGHT and not to.is_continuous, "a note or control that works no parameter"),
        "off_light": (on in WITH_LIGHT and not to.is_continuous, "a note or control that works no parameter"),
    }
    fits, needed = conditions.get(key, (True, ""))
    return "" if fits else needed


def _unfit_number(binding: Binding) -> str:
    number, last, on = binding.number, binding.last, binding.on
    if number is None and on == "control":
        return "number is missing; give the controller's, 0 to 127"
    if number is not None and last is not None and last <= number:
        return f"last is {last}; allowed: more than number, which is {number}"
    if binding.bits == 14 and (number is None or number >= FIRST_LSB):
        return f"number is {number}; allowed with bits = 14: 0 to {FIRST_LSB - 1}"
    if binding.to.is_by_place and (on == "control" or (on == "note" and number is None)):
        lacking = "" if on == "control" else ", or number for the note of the first one"
        return f"to is '{binding.to}'; allowed: {FORMS[binding.to.kind]}{lacking}"
    return ""


def _unfit_range(binding: Binding) -> str:
    low, high = binding.low, binding.high
    if low is not None and low == high:
        return f"low and high are both {low:g}; allowed: two numbers that differ"
    for key, value in (("low", low), ("high", high)):
        if value is not None and binding.curve == "log" and value <= 0:
            return f"{key} is {value:g}; allowed with curve = 'log': more than 0"
        if value is not None and binding.to.kind == "pitch" and abs(value) > MAX_BEND_SEMITONES:
            return f"{key} is {value:g}; allowed: -{MAX_BEND_SEMITONES:g} to {MAX_BEND_SEMITONES:g} semitones"
    return ""


def _unfit_switch(binding: Binding) -> str:
    if binding.on == "program" and binding.to.kind in SWITCHES and binding.action == "hold":
        return f"a program cannot be held for '{binding.to}'; allowed: action = 'toggle'"
    return ""
