"""What the node `voice` asks of a voice converter, and how it gets one."""

from __future__ import annotations

from typing import Protocol

from vcfx_models.speaker_range import SpeakerRange
from vcfx_models.voice_file import Voice

from .sample_queue import Samples


class HopConverter(Protocol):
    """Converts mono at 24 kHz in hops of 240 samples. Controls may change between two hops."""

    voice: Voice
    pitch_offset_semitones: float
    formant_offset_semitones: float
    expressiveness: float
    similarity: float
    clarity: float

    def load(self, voice: Voice) -> None:
        """Prepare a voice, so that changing to it takes no time on the worker. Thread: control."""

    @property
    def source_range(self) -> SpeakerRange | None:
        """Range of the voice that is heard; None before a second of it. Thread: worker."""

    def expect(self, known: SpeakerRange | None) -> None:
        """Say whose voice will be heard from the next `reset` on; None: anybody's. Thread: control."""

    def meet(self, known: SpeakerRange) -> None:
        """Say whose voice is heard from now on. Thread: worker."""

    def convert_hop(self, hop: Samples) -> Samples:
        """Return 240 samples for 240. Thread: worker."""

    def reset(self) -> None:
        """Forget everything heard; the controls stay. Thread: control, while nothing runs."""


def make_converter(model: str, device: str, voice: Voice) -> HopConverter:
    """Return a converter on the networks in the folder `model` (empty: those that come with vcfx).

    Raises
    ------
    VcfxError
        If the networks are missing or damaged, or the device is not there.
    """
    from vcfx_models.converter import VoiceConverter
    from vcfx_models.load_networks import load_networks

    return VoiceConverter(load_networks(model, device), voice)
