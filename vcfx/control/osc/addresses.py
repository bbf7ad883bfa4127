"""From OSC addresses to messages."""

from __future__ import annotations

from typing import Any, Final

from vcfx.control.messages import Message
from vcfx.control.wire import message_from_json
from vcfx.errors import ControlError, nearest

from .packet import Argument

Arguments = tuple[Argument, ...]

#: The addresses under ``/vcfx/``, for people.
KNOWN: Final = (
    "preset", "preset/NAME", "voice", "voice/NAME", "node/NODE/PARAMETER", "node/NODE/bypass", "bypass", "mute", "talk",
    "talk_mode", "record", "stop", "panic", "step", "subscribe", "unsubscribe",
)  # fmt: skip


def message_for(address: str, arguments: Arguments) -> Message | None:
    """Return the message that an address stands for; None where a button was let go that acts when pressed.

    Raises
    ------
    ControlError
        If there is no such address, or its arguments are of the wrong number or kind.
    """
    document = _document(address, arguments)
    return None if document is None else message_from_json(document)


def _document(address: str, arguments: Arguments) -> dict[str, Any] | None:
    match address.split("/")[1:]:
        case ["vcfx", ("preset" | "voice") as what]:
            return {"type": f"switch_{what}", what: _only(address, arguments)}
        case ["vcfx", ("preset" | "voice") as what, name]:
            return {"type": f"switch_{what}", what: name} if _pressed(address, arguments) else None
        case ["vcfx", "node", node, "bypass"]:
            return {"type": "bypass_node", "node": node, "on": _flag(address, arguments)}
        case ["vcfx", "node", node, parameter]:
            value = _only(address, arguments)
            value = int(value) if isinstance(value, bool) else value
            return {"type": "set_parameter", "node": node, "parameter": parameter, "value": value}
        case ["vcfx", ("bypass" | "mute") as what]:
            return {"type": what, "on": _flag(address, arguments)}
        case ["vcfx", "talk"]:
            return {"type": "push_to_talk", "held": _flag(address, arguments)}
        case ["vcfx", "talk_mode"]:
            return {"type": "talk_mode", "mode": _only(address, arguments)}
        case ["vcfx", "record"]:
            return _recording(address, arguments)
        case ["vcfx", "stop"]:
            return {"type": "stop_recording"} if _pressed(address, arguments) else None
        case ["vcfx", "panic"]:
            return {"type": "panic"} if _pressed(address, arguments) else None
        case ["vcfx", "step"]:
            return {"type": "step_preset", "by": _whole(_only(address, arguments) if arguments else 1)}
    near = nearest(address.removeprefix("/vcfx/")[:60], KNOWN)
    raise ControlError(f"there is no OSC address {ascii(address)[:80]}{near}")


def _recording(address: str, arguments: Arguments) -> dict[str, Any]:
    """Start or stop; the file's name is never taken from the network."""
    if len(arguments) == 1 and isinstance(arguments[0], str):
        return {"type": "start_recording", "sides": arguments[0]}
    return {"type": "start_recording"} if _pressed(address, arguments) else {"type": "stop_recording"}


def _only(address: str, arguments: Arguments) -> Argument:
    if len(arguments) != 1:
        raise ControlError(f"{ascii(address)[1:80]} takes one value, not {len(arguments)}")
    return arguments[0]


def _flag(address: str, arguments: Arguments) -> bool | None:
    """Return what a switch says: a number or truth; None without one."""
    if not arguments:
        return None
    value = _only(address, arguments)
    if value is None or isinstance(value, str):
        raise ControlError(f"{ascii(address)[1:80]} is {ascii(value)[:60]}; allowed: 1, 0 or nothing")
    return value != 0


def _pressed(address: str, arguments: Arguments) -> bool:
    """Whether a button went down: those of tablets send 1, and 0 when they are let go."""
    return _flag(address, arguments) is not False


def _whole(value: Argument) -> Argument:
    return int(value) if isinstance(value, float) and value.is_integer() else value
