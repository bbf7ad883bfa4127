"""`vcfx device`: create, list and remove the virtual microphone."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from vcfx.errors import DeviceError

if TYPE_CHECKING:
    from vcfx.devices.cables import Cable
    from vcfx.devices.microphone import VirtualMicrophone

DEFAULT_NAME = "VCFX Microphone"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-commands."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    every = argparse.ArgumentParser(add_help=False)
    every.add_argument("--json", action="store_true", help="print JSON, for programs")
    create = actions.add_parser("create", parents=[every], help="make a virtual microphone, unless it exists")
    create.add_argument("--name", default=DEFAULT_NAME, help=f"how other programs show it ({DEFAULT_NAME})")
    create.add_argument(
        "--permanent", action="store_true", help="also print what makes it again after the sound server's next start"
    )
    actions.add_parser("list", parents=[every], help="list the virtual microphones")
    remove = actions.add_parser("remove", parents=[every], help="remove a virtual microphone that vcfx made")
    which = remove.add_mutually_exclusive_group()
    which.add_argument("--name", default=DEFAULT_NAME, help=f"which one ({DEFAULT_NAME})")
    which.add_argument("--all", action="store_true", help="all that vcfx made")


def run(options: argparse.Namespace) -> int:
    """Run one sub-command."""
    if sys.platform != "linux":
        return _other_makers(options)
    if options.action == "create":
        return _create(options)
    if options.action == "list":
        return _list(options)
    return _remove(options)


def _create(options: argparse.Namespace) -> int:
    from vcfx.devices.microphone import create_microphone

    microphone, is_new = create_microphone(options.name)
    lines = _permanent_lines(options.name) if options.permanent else None
    if options.json:
        document = _document(microphone) | {"created": is_new}
        _print_json(document | ({"permanent": {"file": lines[0], "lines": lines[1]}} if lines else {}))
        return 0
    print(f"'{microphone.name}' {'is made' if is_new else 'exists already'}.")
    print(f'  vcfx plays into it with    vcfx run --output "{microphone.speaker}"')
    print(f'  other programs record from "{microphone.name}"')
    if lines:
        print(f"\nTo have it after the sound server's next start, put this into {lines[0]}:\n\n{lines[1]}")
    else:
        print("It lasts until the sound server's next start; `vcfx device create --permanent` says how to keep it.")
    return 0


def _permanent_lines(name: str) -> tuple[str, str]:
    """Return the file in which the sound server looks, and what to put there."""
    from vcfx.devices import pulse
    from vcfx.devices.microphone import pipewire_lines, pulseaudio_lines, source_name

    if "PipeWire" in pulse.server_info().name:
        # Early in the alphabet: PipeWire 0.3 skips the files after one that ends with the making of a sink.
        return f"~/.config/pipewire/pipewire-pulse.conf.d/10-{source_name(name)}.conf", pipewire_lines(name)
    # A user's own default.pa replaces the system's, so it must include it.
    return "~/.config/pulse/default.pa", f".include /etc/pulse/default.pa\n{pulseaudio_lines(name)}"


def _list(options: argparse.Namespace) -> int:
    from vcfx.devices.microphone import list_microphones

    microphones = list_microphones()
    if options.json:
        _print_json([_document(microphone) for microphone in microphones])
        return 0
    if not microphones:
        print("There is no virtual microphone; `vcfx device create` makes one.")
    for microphone in microphones:
        state = "" if microphone.is_complete else "   (broken: `vcfx device create` mends it)"
        print(f"{microphone.name}   <- {microphone.speaker}{state}")
    return 0


def _remove(options: argparse.Namespace) -> int:
    from vcfx.devices.microphone import remove_microphones

    removed = remove_microphones(None if options.all else options.name)
    if options.json:
        _print_json([microphone.name for microphone in removed])
        return 0
    for microphone in removed:
        print(f"'{microphone.name}' is removed.")
    if not removed:
        print("There is nothing to remove." if options.all else f"There is no virtual microphone '{options.name}'.")
    return 0


def _document(microphone: VirtualMicrophone) -> dict[str, Any]:
    return {
        "name": microphone.name,
        "speaker": microphone.speaker,
        "source": microphone.source.name if microphone.source else None,
        "sink": microphone.sink.name if microphone.sink else None,
        "complete": microphone.is_complete,
    }


def _print_json(document: object) -> None:
    print(json.dumps(document, indent=2, ensure_ascii=False))


def _other_makers(options: argparse.Namespace) -> int:
    """On macOS and Windows virtual microphones are drivers by others: say which are here and how to get one."""
    from vcfx.devices import list_devices
    from vcfx.devices.cables import cable_named, cables_for

    if options.action == "remove":
        raise DeviceError(f"on {sys.platform} virtual microphones are drivers; remove them with their own uninstaller")
    found: dict[str, Cable] = {}
    for device in list_devices():
        if cable := cable_named(device.name):
            found[cable.product] = cable
    if options.json:
        _print_json([{"name": cable.record_from, "speaker": cable.play_into} for cable in found.values()])
        return 0
    for cable in found.values():
        print(f'{cable.product}: vcfx plays into "{cable.play_into}", other programs record "{cable.record_from}"')
    if not found:
        ways = "; ".join(f"{cable.product}: {cable.how_to_get}" for cable in cables_for(sys.platform))
        raise DeviceError(f"there is no virtual audio cable on this machine; to get one: {ways}")
    return 0
