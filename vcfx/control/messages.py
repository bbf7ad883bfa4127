"""What a person on air can ask for. Every client (keys, MIDI, OSC, hotkeys, web, command line) sends these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from vcfx_dsp.parameters import Value

RecordSides = Literal["wet", "dry", "both"]


@dataclass(frozen=True, slots=True)
class SwitchPreset:
    """Change to a preset: its name (``deep``) or file; it is crossfaded in without a gap."""

    preset: str


@dataclass(frozen=True, slots=True)
class StepPreset:
    """Go on by so many places in the bank (or, where there is none, in the list of presets); below 0 goes back."""

    by: int = 1


@dataclass(frozen=True, slots=True)
class SwitchVoice:
    """Speak with another voice (its name or file) through the present preset's effects.

    A preset without a voice node gets one in front of its effects.
    """

    voice: str


@dataclass(frozen=True, slots=True)
class SetParameter:
    """Move one live parameter of a node of the present preset; it ramps."""

    node: str
    parameter: str
    value: Value


@dataclass(frozen=True, slots=True)
class BypassNode:
    """Leave one node of the present preset out, or take it in again; None toggles."""

    node: str
    on: bool | None = None


@dataclass(frozen=True, slots=True)
class Bypass:
    """Let the unconverted voice be heard, or end that; None toggles. Only ever a person's own wish."""

    on: bool | None = None


@dataclass(frozen=True, slots=True)
class Mute:
    """Silence the output, or end that; None toggles."""

    on: bool | None = None


@dataclass(frozen=True, slots=True)
class TalkMode:
    """``open``: the voice is always on. ``push``: it is silent unless `PushToTalk` holds it open."""

    mode: Literal["open", "push"]


@dataclass(frozen=True, slots=True)
class PushToTalk:
    """The talk key went down or up. The first one switches the talk mode to ``push``."""

    held: bool


@dataclass(frozen=True, slots=True)
class StartRecording:
    """Record to FLAC (or WAV, OGG by ending). Without a path: a name with date and time in the user's music folder.

    ``both`` writes two files, ``NAME-dry`` and ``NAME-wet``, that begin with the same sample.
    """

    sides: RecordSides = "wet"
    path: str | None = None


@dataclass(frozen=True, slots=True)
class StopRecording:
    """End the recording; the file is whole afterwards."""


@dataclass(frozen=True, slots=True)
class UseDevices:
    """Run on other devices (number or part of a name). None leaves one as it is; an empty monitor means none."""

    input: str | None = None
    output: str | None = None
    monitor: str | None = None


@dataclass(frozen=True, slots=True)
class SavePreset:
    """Keep what runs, with every change made to it, in the user's folder of presets."""

    name: str


@dataclass(frozen=True, slots=True)
class Panic:
    """Silence at once, end bypass, forget echoes and held notes; `Mute(False)` brings the voice back."""


@dataclass(frozen=True, slots=True)
class LearnMidi:
    """Let the next MIDI event that can do it work a target (``parameter:echo.mix_ratio``); empty gives up waiting.

    Targets are spelled as in MIDI maps, see `vcfx.control.midi.target`. Refused where no MIDI client runs.
    """

    target: str


Message = (
    SwitchPreset
    | StepPreset
    | SwitchVoice
    | SetParameter
    | BypassNode
    | Bypass
    | Mute
    | TalkMode
    | PushToTalk
    | StartRecording
    | StopRecording
    | UseDevices
    | SavePreset
    | Panic
    | LearnMidi
)


@dataclass(frozen=True, slots=True)
class Applied:
    """A message has taken effect.

    Parameters
    ----------
    block
        Number of the callback block between whose predecessor and itself the change began; None where the engine
        does not play a part (a saved preset).
    waited_ms
        From the message's arrival to that moment.
    note
        What a person may want to know, for example the name of the recording; often empty.
    """

    block: int | None
    waited_ms: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """A message could not be carried out; everything runs on as before.

    Parameters
    ----------
    reason
        One sentence that names the thing, the value and what is allowed.
    """

    reason: str


Outcome = Applied | Refused
