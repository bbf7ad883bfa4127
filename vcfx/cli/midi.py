"""`vcfx midi`: list ports, watch events, show maps, and learn what a controller shall do."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import queue
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from vcfx.control.midi.live_client import add_api_argument
from vcfx.errors import ControlError, printable

from .listing import print_files

if TYPE_CHECKING:
    from vcfx.control.midi.event import MidiEvent
    from vcfx.control.midi.midi_map import Binding, MidiMap
    from vcfx.control.midi.ports import MidiInput, MidiPort, MidiSystem

    Events = queue.SimpleQueue[MidiEvent]

_FETCH_S: Final = 0.01
TARGETS: Final = (
    "TARGET is one of: parameter:NODE.PARAMETER, pitch, preset:NAME, next-preset, previous-preset, voice:NAME,"
    " push-to-talk, bypass, bypass:NODE, mute, record, panic."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-commands."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    system = argparse.ArgumentParser(add_help=False)
    system.add_argument("--json", action="store_true", help="print JSON, for programs")
    add_api_argument(system)
    actions.add_parser("list", parents=[system], help="list MIDI inputs and outputs")
    monitor = actions.add_parser("monitor", parents=[system], help="show events and what they would do")
    _add_port(monitor)
    monitor.add_argument("--map", default="default", metavar="M", help="a map's name or file (default: default)")
    monitor.add_argument("--duration", type=float, metavar="S", help="stop after so many seconds")
    learn = actions.add_parser(
        "learn", parents=[system], help="take the next event into a map, to work a target", epilog=TARGETS
    )
    _add_port(learn)
    learn.add_argument("--to", required=True, metavar="TARGET", help="what it shall work, for example preset:deep")
    learn.add_argument("--map", default="default", metavar="M", help="a map's name or file (default: default)")
    learn.add_argument("--timeout", type=float, default=60.0, metavar="S", help="give up after so long (default: 60)")
    show = actions.add_parser("show", help="show one map, or list all")
    show.add_argument("map", nargs="?", metavar="MAP", help="a map's name or file")
    show.add_argument("--json", action="store_true", help="print JSON, for programs")


def _add_port(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "port", nargs="?", metavar="PORT", help="number, part of its name, or 'virtual' (default: the first there is)"
    )


def run(options: argparse.Namespace) -> int:
    """Run one sub-command."""
    if options.action == "list":
        return _list(options)
    if options.action == "monitor":
        return _monitor(options)
    if options.action == "learn":
        return _learn(options)
    return _show(options.map, options.json)


def _list(options: argparse.Namespace) -> int:
    from vcfx.control.midi.ports import midi_system

    with midi_system(options.midi_api) as system:
        inputs, outputs = system.ports("input"), system.ports("output")
        apis = system.apis
    if options.json:
        document = {"apis": apis, "inputs": list(map(dataclasses.asdict, inputs))}
        print(json.dumps(document | {"outputs": list(map(dataclasses.asdict, outputs))}, indent=2))
        return 0
    for heading, ports in (("inputs", inputs), ("outputs", outputs)):
        print(f"{heading}:")
        print("\n".join(f"  {port.number:>2}  {printable(port.name)}  ({port.api})" for port in ports) or "   none")
    return 0


def _monitor(options: argparse.Namespace) -> int:
    from vcfx.control.midi.map_library import load_map

    midi_map = load_map(options.map)
    end_s = None if options.duration is None else time.monotonic() + options.duration
    with _listening(options) as (port, events), contextlib.suppress(KeyboardInterrupt):  # the usual way to end
        if not options.json:
            print(f"listening to {printable(port.name)} with the map '{midi_map.name}'; Ctrl-C ends", flush=True)
        while end_s is None or time.monotonic() < end_s:
            for event in _waiting(port, events):
                _print_event(event, midi_map, options.json)
    return 0


def _print_event(event: MidiEvent, midi_map: MidiMap, as_json: bool) -> None:
    from vcfx.control.midi.interpreter import meant

    targets = [str(binding.to) for binding in meant(midi_map, event, None)]
    if as_json:
        print(json.dumps({**dataclasses.asdict(event), "targets": targets}), flush=True)
    else:
        print(f"{event!s:<44}  {'-> ' + ', '.join(targets) if targets else ''}".rstrip(), flush=True)


def _learn(options: argparse.Namespace) -> int:
    from vcfx.control.midi.learning import learnable
    from vcfx.control.midi.map_library import load_or_new, map_file, save_map, with_binding
    from vcfx.control.midi.target import parse_target

    target, midi_map = parse_target(options.to), load_or_new(options.map)
    if problem := learnable(target):
        raise ControlError(f"--to is '{options.to}'; {problem}")
    if not options.timeout > 0:
        raise ControlError(f"--timeout is {options.timeout:g}; allowed: more than 0 seconds")
    with _listening(options) as (port, events):
        if not options.json:
            print(f"{printable(port.name)}: move or press what shall work {target}", flush=True)
        binding = _learned(port, events, options)
    path = map_file(options.map)
    save_map(with_binding(midi_map, binding), path)
    if options.json:
        print(json.dumps({"trigger": binding.trigger, "target": str(target), "file": str(path)}))
    else:
        print(f"{binding.trigger} now works {target}; written to {printable(str(path))}")
    return 0


def _learned(port: MidiInput, events: Events, options: argparse.Namespace) -> Binding:
    from vcfx.control.midi.learning import Learner
    from vcfx.control.midi.target import parse_target

    learner, end_s = Learner(parse_target(options.to)), time.monotonic() + options.timeout
    while time.monotonic() < end_s:
        for event in _waiting(port, events):
            problem = learner.take(event, time.monotonic())
            if problem and not options.json:
                print(f"{event}: {problem}", flush=True)
        binding = learner.result(time.monotonic())
        if binding is not None:
            return binding
    raise ControlError(f"nothing that can work '{options.to}' came from {port.name} within {options.timeout:g} s")


def _show(name: str | None, as_json: bool) -> int:
    from vcfx.control.midi.map_library import list_maps, load_map, user_folder
    from vcfx.control.midi.map_writer import map_document

    if name is not None:
        midi_map = load_map(name)
        print(json.dumps(map_document(midi_map), indent=2) if as_json else "\n".join(_map_lines(midi_map)))
        return 0
    print_files(list_maps(), "maps", user_folder(), as_json)
    return 0


def _map_lines(midi_map: MidiMap) -> Iterator[str]:
    yield f"{midi_map.name}: {midi_map.description}"
    heard = f"channel {midi_map.channel}" if midi_map.channel else "all channels"
    yield f"hears {heard}; soft take-over {_on(midi_map.pickup)}; lights {_on(midi_map.lights)}"
    if midi_map.presets:
        yield f"presets by place: {', '.join(midi_map.presets)}"
    yield ""
    width = max((len(binding.trigger) for binding in midi_map.bindings), default=0)
    for binding in midi_map.bindings:
        yield f"{binding.trigger:<{width}}  -> {binding.to}{_details(binding)}"


def _details(binding: Binding) -> str:
    details = []
    if binding.low is not None or binding.high is not None:
        ends = ["its end" if end is None else f"{end:g}" for end in (binding.low, binding.high)]
        details.append(f"from {ends[0]} to {ends[1]}")
    if binding.curve != "linear":
        details.append(f"{binding.curve} curve")
    if binding.pickup is not None:
        details.append(f"soft take-over {_on(binding.pickup)}")
    if binding.to.kind in ("push-to-talk", "bypass", "mute", "record"):
        details.append(binding.action)
    return f"  ({', '.join(details)})" if details else ""


def _on(flag: bool) -> str:
    return "on" if flag else "off"


@contextlib.contextmanager
def _listening(options: argparse.Namespace) -> Iterator[tuple[MidiInput, Events]]:
    """Open the port that the options name and put its events into a queue."""
    from vcfx.control.midi.event import read_event
    from vcfx.control.midi.ports import VIRTUAL, midi_system

    events: Events = queue.SimpleQueue()

    def receive(message: Sequence[int]) -> None:
        event = read_event(message)
        if event is not None:
            events.put(event)

    with midi_system(options.midi_api) as system:
        made = options.port == VIRTUAL
        port = system.make_input(receive) if made else system.open_input(_chosen(system, options.port), receive)
        if port is None:
            raise ControlError(f"the MIDI input {options.port or ''} cannot be opened; another program may hold it")
        try:
            yield port, events
        finally:
            port.close()


def _chosen(system: MidiSystem, wanted: str | None) -> MidiPort:
    from vcfx.control.midi.ports import matching

    ports = system.ports("input")
    found = matching(ports, wanted or "")
    if found is None:
        known = ", ".join(f"{port.number} {port.name}" for port in ports) or "none"
        asked = "there is no MIDI input" if wanted is None else f"there is no MIDI input '{wanted}'"
        raise ControlError(f"{asked}; there are: {known}")
    return found


def _waiting(port: MidiInput, events: Events) -> Iterator[MidiEvent]:
    """Yield what has arrived; waits a moment where nothing has."""
    if port.is_fetched:
        port.fetch()
    with contextlib.suppress(queue.Empty):
        yield events.get(timeout=_FETCH_S)
        while True:
            yield events.get_nowait()
