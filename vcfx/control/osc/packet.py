"""OSC packets to messages and back. What comes in may be anything."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder

from vcfx.errors import ControlError

Argument = bool | int | float | str | None

#: Types of argument that are understood: numbers, text, true, false and nil.
_TAGS: Final = frozenset(b"ifdhsTFN")
_BUNDLE: Final = b"#bundle\0"
_IMMEDIATELY: Final = 1
_DEEPEST: Final = 8
_MOST_INT: Final = (1 << 31) - 1
_MOST_FLOAT: Final = 3.4e38
_MOST_MESSAGES: Final = 1_000
_MOST_ARGUMENTS: Final = 16
#: From 1900, where OSC counts from, to 1970.
_EPOCH_S: Final = 2_208_988_800
#: Fits into one Ethernet frame.
_MOST_BUNDLE_BYTES: Final = 1_400


@dataclass(frozen=True, slots=True)
class OscRequest:
    """One message: when it is due (seconds since 1970; 0 is at once), its address and its arguments."""

    due_s: float
    address: str
    arguments: tuple[Argument, ...]


def read_packet(data: bytes) -> list[OscRequest]:
    """Return the messages of a packet, those of bundles among them.

    Bundles are taken apart here: python-osc 1.10 reads for ever when an element's size is -4, and writes to the log
    when it meets something that it does not know.

    Raises
    ------
    ControlError
        If it is not OSC all through, or there are more than 1000 messages, 16 arguments or 8 levels.
    """
    found: list[OscRequest] = []
    _read_element(data, 0.0, 0, found)
    return found


def _read_element(data: bytes, due_s: float, depth: int, found: list[OscRequest]) -> None:
    if not data.startswith(_BUNDLE):
        if len(found) >= _MOST_MESSAGES:
            raise ControlError(f"an OSC packet holds at most {_MOST_MESSAGES} messages")
        found.append(_read_message(data, due_s))
        return
    if depth >= _DEEPEST or len(data) < 16:
        raise ControlError(f"an OSC bundle has a time and at most {_DEEPEST} levels")
    (tag,) = struct.unpack_from(">Q", data, 8)
    due_s = max(due_s, 0.0 if tag == _IMMEDIATELY else tag / (1 << 32) - _EPOCH_S)
    place = 16
    while place < len(data):
        size = struct.unpack_from(">i", data, place)[0] if place + 4 <= len(data) else -1
        place += 4
        if size < 0 or place + size > len(data):
            raise ControlError("an element of an OSC bundle is longer than the packet")
        _read_element(data[place : place + size], due_s, depth + 1, found)
        place += size


def _read_message(data: bytes, due_s: float) -> OscRequest:
    address = data.partition(b"\0")[0]
    tags = data[len(address) // 4 * 4 + 4 :].partition(b"\0")[0]  # texts are filled up to four bytes
    if not address.startswith(b"/") or not (set(tags[1:]) <= _TAGS and len(tags) <= _MOST_ARGUMENTS + 1):
        raise ControlError("an OSC message has an address and at most 16 arguments: numbers, text, true, false, nil")
    try:
        message = OscMessage(data)
        return OscRequest(due_s, message.address, tuple(message.params))
    except Exception:  # another's parser on anybody's bytes: whatever it raises, this is no message
        raise ControlError("this is no OSC message") from None


def write_message(address: str, *arguments: Argument) -> bytes:
    """Return one message as a packet; whole numbers go as int32, others as float32, true and false as 1 and 0."""
    builder = OscMessageBuilder(address)
    for argument in arguments:
        if isinstance(argument, str):  # file names may hold what UTF-8 does not have
            builder.add_arg(argument.encode("utf-8", "replace").decode("utf-8"))
        elif isinstance(argument, float):
            builder.add_arg(min(max(argument, -_MOST_FLOAT), _MOST_FLOAT), OscMessageBuilder.ARG_TYPE_FLOAT)
        elif argument is not None:
            builder.add_arg(min(max(int(argument), -_MOST_INT), _MOST_INT), OscMessageBuilder.ARG_TYPE_INT)
    return bytes(builder.build().dgram)


def write_bundles(messages: Iterable[bytes]) -> Iterator[bytes]:
    """Return packets that hold all messages, each small enough for one frame of the network."""
    head = _BUNDLE + struct.pack(">Q", _IMMEDIATELY)
    packet = head
    for message in messages:
        element = struct.pack(">i", len(message)) + message
        if len(packet) + len(element) > _MOST_BUNDLE_BYTES and packet != head:
            yield packet
            packet = head
        packet += element
    if packet != head:
        yield packet
