"""The state that clients show, read off engine, session and control."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from vcfx.engine.engine import Engine
from vcfx.engine.session import LiveSession
from vcfx.presets import Preset
from vcfx.presets.model import NodeEntry
from vcfx_dsp.parameters import Parameter, Value

from .live_preset import declared_parameters, full_parameters, same_sound, voice_entry
from .live_state import LiveState, MidiState, NodeState, ParameterState, RecordingState
from .preset_source import Wanted


@dataclass(frozen=True, slots=True)
class Wishes:
    """What control knows and the engine does not."""

    talk_mode: Literal["open", "push"]
    recording: RecordingState | None
    problem: str
    midi: MidiState | None = None


def build_state(revision: int, session: LiveSession, running: Wanted, wishes: Wishes) -> LiveState:
    """Return the state at this moment."""
    engine = session.engine
    preset = running.preset
    return LiveState(
        revision=revision,
        preset=preset.name,
        preset_name=running.name,
        voice=_voice(preset),
        changed=preset is not running.base and not same_sound(preset, running.base),
        chain=tuple(node_state(entry, engine) for entry in preset.nodes()),
        bypassed=engine.bypassed,
        muted=engine.muted,
        talk_mode=wishes.talk_mode,
        talking=engine.talking,
        recording=wishes.recording,
        input=session.input.device.name,
        output=session.output.device.name,
        monitor=session.monitor.side.device.name if session.monitor else "",
        input_rate_hz=session.input_rate,
        output_rate_hz=session.output_rate,
        block_frames=engine.block,
        latency_ms={name: _steady(value) for name, value in session.stated_latency_ms().items()},
        problem=session.problem or wishes.problem or "; ".join(engine.plan.problems()),
        midi=wishes.midi,
    )


def node_state(entry: NodeEntry, engine: Engine) -> NodeState:
    """Return one node with its parameters; a node that is left out has no latency."""
    present = entry.id in engine.plan.graph.node_names()
    latency_ms = 1e3 * engine.plan.node(entry.id).latency_samples / engine.sample_rate if present else 0.0
    values = full_parameters(entry)
    shown = [parameter for parameter in declared_parameters(entry) if not parameter.opaque]
    parameters = tuple(parameter_state(parameter, values[parameter.name]) for parameter in shown)
    return NodeState(entry.id, entry.kind, not present, round(latency_ms, 3), parameters)


def parameter_state(parameter: Parameter, value: Value) -> ParameterState:
    """Return one parameter as clients draw it."""
    return ParameterState(
        parameter.name,
        value,
        parameter.default,
        _limit(parameter.minimum),
        _limit(parameter.maximum),
        parameter.choices,
        parameter.integer,
        parameter.text,
        parameter.live,
        parameter.doc,
    )


def _limit(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _steady(latency_ms: float | None) -> float | None:
    """Round to half a millisecond: what floats between two clocks would be news all the time."""
    return None if latency_ms is None else round(latency_ms * 2.0) / 2.0


def _voice(preset: Preset) -> str:
    entry = voice_entry(preset)
    if entry is None or entry.bypass:
        return ""
    return str(entry.parameters.get("voice", "")) or first_voice()


def first_voice() -> str:
    """Return the voice that is meant where none is named; empty if none is installed."""
    from vcfx_models.errors import VoiceError
    from vcfx_models.voice_library import peek_voice

    try:
        return peek_voice("").name
    except VoiceError:
        return ""
