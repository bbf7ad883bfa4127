"""What a MIDI event can work, in words: ``preset:deep``, ``parameter:echo.mix_ratio``, ``push-to-talk``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from vcfx.control.messages import Message
from vcfx.errors import ControlError, nearest

Kind = Literal[
    "parameter",
    "pitch",
    "preset",
    "next-preset",
    "previous-preset",
    "voice",
    "push-to-talk",
    "bypass",
    "mute",
    "record",
    "panic",
    "message",
]
#: How each kind is written.
FORMS: Final[dict[str, str]] = {
    "parameter": "parameter:NODE.PARAMETER",
    "pitch": "pitch",
    "preset": "preset:NAME",
    "next-preset": "next-preset",
    "previous-preset": "previous-preset",
    "voice": "voice:NAME",
    "push-to-talk": "push-to-talk",
    "bypass": "bypass or bypass:NODE",
    "mute": "mute",
    "record": "record",
    "panic": "panic",
}
#: Those that a position moves; all others happen.
CONTINUOUS: Final = ("parameter", "pitch")
#: Those that are on or off.
SWITCHES: Final = ("push-to-talk", "bypass", "mute", "record")
#: Those that may stand without a name and then take the place of the program or note in the list.
BY_PLACE: Final = ("preset", "voice")
_NAMED: Final = ("parameter", "preset", "voice", "bypass")
_MAX_TEXT: Final = 200


@dataclass(frozen=True, slots=True)
class Target:
    """One thing that an event works.

    Parameters
    ----------
    kind
        As in `FORMS`, or ``message``.
    name
        Preset, voice or node; empty for kinds without one, for presets and voices by place, and for the whole bypass.
    parameter
        Of ``parameter`` only.
    message
        Of ``message`` only: what is submitted as it is.
    """

    kind: Kind
    name: str = ""
    parameter: str = ""
    message: Message | None = None

    @property
    def is_continuous(self) -> bool:
        """Whether a position moves it."""
        return self.kind in CONTINUOUS

    @property
    def is_by_place(self) -> bool:
        """Whether the event's number says which one is meant."""
        return self.kind in BY_PLACE and not self.name

    def __str__(self) -> str:
        """The words that `parse_target` reads; for a message, its name."""
        if self.message is not None:
            return f"message {type(self.message).__name__}"
        if self.kind == "parameter":
            return f"parameter:{self.name}.{self.parameter}"
        return f"{self.kind}:{self.name}" if self.name else self.kind


def parse_target(text: str) -> Target:
    """Return the target that the words name.

    Raises
    ------
    ControlError
        One sentence with the words and what is allowed.
    """
    kind, colon, name = text.partition(":")
    if len(text) > _MAX_TEXT or not text.isprintable():
        raise ControlError(
            f"a target is one line of at most {_MAX_TEXT} printable characters, this is {ascii(text)[:60]}"
        )
    if kind not in FORMS:
        near = nearest(kind, FORMS)
        said = near if "did you mean" in near else f"; allowed: {', '.join(FORMS.values())}"
        raise ControlError(f"there is no target {ascii(text)[:60]}{said}")
    if colon and (kind not in _NAMED or not name):
        raise ControlError(f"the target is {ascii(text)[:60]}; allowed: {FORMS[kind]}")
    found: Kind = kind  # type: ignore[assignment]  # it is one of FORMS
    if kind != "parameter":
        return Target(found, name)
    node, _, parameter = name.rpartition(".")
    if not node or not parameter:
        raise ControlError(f"the target is {ascii(text)[:60]}; allowed: {FORMS[kind]}, as in parameter:echo.mix_ratio")
    return Target(found, node, parameter)
