"""`vcfx send`: say one thing to a voice that runs in another process, or ask it something."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from vcfx.errors import ControlError, printable

if TYPE_CHECKING:
    from vcfx.control.live_state import LiveState, Meters
    from vcfx.control.local import RemoteControl

#: Loading a voice takes its time.
_OUTCOME_S: Final = 30.0
_FOLLOW_HZ: Final = 10.0
_EPILOG: Final = """\
messages:
  mute|bypass [on|off]                        toggle without a word
  switch-preset NAME    step-preset [BY]      switch-voice NAME    save-preset NAME
  set-parameter NODE PARAMETER VALUE          bypass-node NODE [on|off]
  talk-mode open|push   push-to-talk on|off   panic
  start-recording [wet|dry|both] [FILE]       stop-recording
  use-devices [input=D] [output=D] [monitor=D]   learn-midi TARGET
questions: state, meters (both with --follow), catalogue, running"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `vcfx send`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _EPILOG
    parser.add_argument("message", metavar="MESSAGE", help="what is to be done, or a question")
    parser.add_argument("values", nargs="*", metavar="VALUE", help="its fields in order, or as FIELD=VALUE")
    parser.add_argument("--to", metavar="PID", help="which voice, where several run (vcfx send running lists them)")
    parser.add_argument("--follow", action="store_true", help="go on printing: every change of state, or the meters")
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


def run(options: argparse.Namespace) -> int:
    """Send the message and wait for its outcome; returns 0 if it was applied."""
    asks: dict[str, Callable[[RemoteControl, argparse.Namespace], None]] = {
        "state": _state,
        "meters": _meters,
        "catalogue": _catalogue,
    }
    if options.message in ("running", *asks) and options.values:
        raise ControlError(f"{options.message} takes nothing more; {ascii(options.values[0])[:60]} is one too many")
    if options.follow and options.message not in ("state", "meters"):
        raise ControlError(f"--follow goes with state and meters, not with {ascii(options.message)[:60]}")
    if options.message == "running":
        return _running(options.json)
    if options.message not in asks:
        return _send(options)
    with _connected(options.to) as control:
        asks[options.message](control, options)
    return 0


def _connected(name: str | None) -> RemoteControl:
    """Return the connection to the voice that is meant: the one that runs, or the one that is named."""
    from vcfx.control.local import RemoteControl, running

    found = {address.name: address for address in running()}
    if not found:
        raise ControlError("no voice changer is running; start one with: vcfx run")
    if name is None and len(found) > 1:
        raise ControlError(f"several voice changers run; say which with --to: {', '.join(found)}")
    if name is not None and name not in found:
        raise ControlError(f"no voice changer '{name}' is running; running: {', '.join(found)}")
    return RemoteControl(found[next(iter(found)) if name is None else name])


def _send(options: argparse.Namespace) -> int:
    from vcfx.control.messages import Refused
    from vcfx.control.wire import outcome_to_json
    from vcfx.control.words import message_from_words

    message = message_from_words([options.message, *options.values])
    with _connected(options.to) as control:
        try:
            outcome = control.submit(message).result(_OUTCOME_S)
        except TimeoutError:
            raise ControlError(f"the voice changer has not answered within {_OUTCOME_S:g} seconds") from None
    if options.json:
        print(json.dumps(outcome_to_json(outcome)))
        return 2 if isinstance(outcome, Refused) else 0
    if isinstance(outcome, Refused):
        raise ControlError(outcome.reason)
    where = "applied" if outcome.block is None else f"applied in block {outcome.block}"
    print(printable(f"{where} after {outcome.waited_ms:.1f} ms" + (f": {outcome.note}" if outcome.note else "")))
    return 0


def _running(as_json: bool) -> int:
    from vcfx.control.local import running

    names = [address.name for address in running()]
    if as_json:
        print(json.dumps(names))
    elif names:
        print("\n".join(names))
    else:
        raise ControlError("no voice changer is running; start one with: vcfx run")
    return 0


def _state(control: RemoteControl, options: argparse.Namespace) -> None:
    from vcfx.control.state_wire import state_to_json

    def show(state: LiveState) -> None:
        print(json.dumps(state_to_json(state)) if options.json else printable(_state_line(state)), flush=True)

    if options.follow:
        _follow(control, lambda told: control.watch(told), show, first=control.state)
    else:
        show(control.state())


def _meters(control: RemoteControl, options: argparse.Namespace) -> None:
    from vcfx.control.state_wire import meters_to_json

    def show(meters: Meters) -> None:
        print(json.dumps(meters_to_json(meters)) if options.json else _meters_line(meters), flush=True)

    if options.follow:
        _follow(control, lambda told: control.follow_meters(told, _FOLLOW_HZ), show)
    else:
        show(control.meters())


def _follow(
    control: RemoteControl,
    subscribe: Callable[[Callable[[Any], None]], object],
    show: Callable[[Any], None],
    first: Callable[[], Any] | None = None,
) -> None:
    """Print what comes, on this thread, until the voice ends: an interrupt or a closed pipe is noticed here."""
    import queue

    coming: queue.SimpleQueue[Any] = queue.SimpleQueue()
    subscribe(coming.put)
    if first is not None:
        show(first())
    while not (control.closed.is_set() and coming.empty()):
        try:
            show(coming.get(timeout=0.2))
        except queue.Empty:
            continue


def _catalogue(control: RemoteControl, options: argparse.Namespace) -> None:
    from vcfx.control.state_wire import catalogue_to_json

    found = catalogue_to_json(control.catalogue())
    if options.json:
        print(json.dumps(found))
        return
    for part in ("presets", "voices", "inputs", "outputs"):
        names = ", ".join(entry["name"] for entry in found[part] if not entry["problem"])
        print(printable(f"{part + ':':9} {names or 'none'}"))


def _state_line(state: LiveState) -> str:
    facts = [f"preset {state.preset_name or state.preset!r}" + (" (changed)" if state.changed else "")]
    facts += [f"voice {state.voice}"] if state.voice else []
    facts += [word for word, on in (("muted", state.muted), ("bypassed", state.bypassed)) if on]
    facts += [f"push to talk, {'talking' if state.talking else 'silent'}"] if state.talk_mode == "push" else []
    facts += [f"recording {', '.join(state.recording.paths)}"] if state.recording else []
    facts += [f"{state.input} -> {state.output}", state.problem]
    return "; ".join(filter(None, facts))


def _meters_line(meters: Meters) -> str:
    return (
        f"in {meters.input_peak_db:6.1f} dB, out {meters.output_peak_db:6.1f} dB, load {100 * meters.load:.0f} %, "
        f"{meters.late_blocks} of {meters.blocks} blocks late"
    )
