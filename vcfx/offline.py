"""Render a preset without devices: the same plan with the same hop as live, hence the same sound."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vcfx.graph.build import build_graph
from vcfx.graph.plan import PlanSpec, RenderPlan
from vcfx.presets import Preset, load_preset
from vcfx.presets.voice_chain import with_voice
from vcfx.provenance.disclosure import Disclosure
from vcfx.provenance.of_graph import disclosure_of
from vcfx_dsp.node import Block

if TYPE_CHECKING:
    from vcfx_models.speaker_range import SpeakerRange

RendererFactory = Callable[[int, int, int], "PresetRenderer"]


class PresetRenderer:
    """A preset at one sample rate and channel count, rendered block by block.

    Parameters
    ----------
    preset
        A checked preset.
    sample_rate, channels
        Of the sound; 8000 to 192000 Hz, 1 to 32.
    max_frames
        The longest block. Any shorter block may be rendered too; output does not depend on how sound is cut.
    """

    def __init__(self, preset: Preset, sample_rate: int, channels: int, max_frames: int) -> None:
        self.preset = preset
        self.sample_rate, self.channels, self.max_frames = sample_rate, channels, max_frames
        spec = PlanSpec(sample_rate, channels, max_frames, preset.hop_frames, False, preset.on_overload)
        self.plan = RenderPlan(build_graph(preset), spec)

    @property
    def latency_samples(self) -> int:
        """Frames by which the output lags the input."""
        return self.plan.latency_samples

    @property
    def tail_samples(self) -> int:
        """Frames that may sound after the input ended, latency included."""
        return self.plan.tail_samples

    @property
    def disclosure(self) -> Disclosure:
        """What is to be said of the sound."""
        return disclosure_of(self.plan.graph)

    @property
    def expects_speaker(self) -> bool:
        """Whether the sound depends on who speaks: a voice is converted, and nothing moves its pitch before."""
        return bool(self.plan.first_voices)

    def expect_speaker(self, known: SpeakerRange | None) -> None:
        """Say who will speak, None: anybody; forgets all signal history."""
        for voice in self.plan.first_voices:
            voice.expect(known)
        self.reset()

    def process(self, block: Block) -> Block:
        """Return the output for `block`, float32 (channels, frames), at most `max_frames`."""
        out = np.empty_like(block)
        self.plan.render(np.ascontiguousarray(block), out)
        return out

    def reset(self) -> None:
        """Forget all signal history."""
        self.plan.reset()


def renderer_factory(preset: str | Path | Preset) -> RendererFactory:
    """Return a maker of renderers for a preset given by name, path or value.

    Raises
    ------
    PresetError
        If there is no such preset or it is damaged.
    """
    loaded = preset if isinstance(preset, Preset) else load_preset(preset)

    def make(sample_rate: int, channels: int, max_frames: int) -> PresetRenderer:
        return PresetRenderer(loaded, sample_rate, channels, max_frames)

    return make


def voiced_renderer_factory(request: str) -> RendererFactory:
    """Return a maker of renderers that convert the voice first.

    Parameters
    ----------
    request
        JSON, so that it can cross to another process: ``preset``, a name, a path or null, and ``voice``, the
        parameters of the node `voice`.
    """
    asked = json.loads(request)
    preset = None if asked["preset"] is None else load_preset(asked["preset"])
    return renderer_factory(with_voice(preset, asked["voice"]))
