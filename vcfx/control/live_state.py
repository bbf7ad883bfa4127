"""What clients show of a running voice: state (when something changes), meters (many times a second), catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from vcfx_dsp.parameters import Value


@dataclass(frozen=True, slots=True)
class ParameterState:
    """One parameter of a running node, with all that is needed to draw a control for it.

    Parameters
    ----------
    name, value, default, minimum, maximum, choices, integer, text, doc
        As `vcfx_dsp.parameters.Parameter` declares them; an unlimited end is None.
    live
        Whether `SetParameter` may move it.
    """

    name: str
    value: Value
    default: Value
    minimum: float | None
    maximum: float | None
    choices: tuple[str, ...]
    integer: bool
    text: bool
    live: bool
    doc: str


@dataclass(frozen=True, slots=True)
class NodeState:
    """One node of the running chain."""

    id: str
    kind: str
    bypassed: bool
    latency_ms: float
    parameters: tuple[ParameterState, ...]


@dataclass(frozen=True, slots=True)
class RecordingState:
    """A recording that runs, or one that a problem has ended."""

    sides: str
    paths: tuple[str, ...]
    seconds: float
    problem: str


@dataclass(frozen=True, slots=True)
class MidiPortState:
    """A MIDI port that was asked for, and whether it is there."""

    name: str
    connected: bool


@dataclass(frozen=True, slots=True)
class MidiBindingState:
    """One line of the MIDI map, in words: what moves (``control 7``), and what that does (``preset:deep``)."""

    trigger: str
    target: str


@dataclass(frozen=True, slots=True)
class MidiState:
    """What the MIDI client does.

    Parameters
    ----------
    ports
        Inputs.
    map
        Name of the map in use.
    learning
        The target that waits for an event (see `LearnMidi`); empty if none does.
    last_event
        The latest event in words, and what it did.
    bindings
        The map's lines.
    problem
        Why the latest event that should have done something did not; empty when all is well.
    """

    ports: tuple[MidiPortState, ...]
    map: str
    learning: str
    last_event: str
    bindings: tuple[MidiBindingState, ...]
    problem: str


@dataclass(frozen=True, slots=True)
class LiveState:
    """Everything that changes when a message is applied or a device comes or goes.

    Parameters
    ----------
    revision
        Grows with every change.
    preset, preset_name
        Title of the preset that runs, and the name that `SwitchPreset` takes (empty where it came from nowhere).
    voice
        Name of the voice of the first voice node; empty without one.
    changed
        Whether the preset differs from its file by now.
    chain
        Every node, side roads last.
    talk_mode, talking
        ``open`` or ``push``, and whether the voice is let through.
    problem
        A device that is gone, a worker that fails; empty when all is well.
    latency_ms
        Stated latency by part, as in ``vcfx run --json``.
    midi
        None where no MIDI client runs.
    """

    revision: int
    preset: str
    preset_name: str
    voice: str
    changed: bool
    chain: tuple[NodeState, ...]
    bypassed: bool
    muted: bool
    talk_mode: Literal["open", "push"]
    talking: bool
    recording: RecordingState | None
    input: str
    output: str
    monitor: str
    input_rate_hz: int
    output_rate_hz: int
    block_frames: int
    latency_ms: dict[str, float | None]
    problem: str
    midi: MidiState | None = None


@dataclass(frozen=True, slots=True)
class Meters:
    """One moment of the levels and counters.

    Parameters
    ----------
    input_peak_db, input_rms_db, output_peak_db, output_rms_db
        dBFS; -120 is silence.
    blocks, late_blocks, concealed_blocks
        Since the start.
    callback_p99_us, load
        99th percentile of the callback's time, and that over the time of a block.
    input_spectrum_db, output_spectrum_db
        Levels of `SPECTRUM_BANDS` bands, evenly spaced in the logarithm of frequency from 50 Hz to 16 kHz; empty if
        nobody asked for spectra.
    """

    seconds: float
    input_peak_db: float
    input_rms_db: float
    output_peak_db: float
    output_rms_db: float
    blocks: int
    late_blocks: int
    concealed_blocks: int
    callback_p99_us: float
    load: float
    input_spectrum_db: tuple[float, ...] = ()
    output_spectrum_db: tuple[float, ...] = ()


SPECTRUM_BANDS = 64


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """A preset, voice or device that can be chosen.

    Parameters
    ----------
    name
        What the message takes.
    title, description
        For people.
    tags
        Words to sort by.
    problem
        Why it cannot be chosen; empty if it can.
    """

    name: str
    title: str
    description: str = ""
    tags: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What there is to choose from at the moment of asking."""

    presets: tuple[CatalogueEntry, ...]
    voices: tuple[CatalogueEntry, ...]
    inputs: tuple[CatalogueEntry, ...]
    outputs: tuple[CatalogueEntry, ...]
    bank: tuple[str, ...]
