"""One voice in, another voice out, 25 ms later."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from . import geometry as grid
from .errors import ModelError
from .listener import Listener
from .manner import Manner
from .networks_protocol import Networks, Singles
from .speaker import Speaker
from .speaker_range import SpeakerRange
from .voice_file import Voice

#: Hops that the networks get at once where all of the signal is there.
HOPS_AT_ONCE = 100


class _Control:
    """An attribute of the converter that stands for one field of its speaker's manner."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, converter: VoiceConverter, owner: type | None = None) -> float:
        return float(getattr(converter.speaker.manner, self._name))

    def __set__(self, converter: VoiceConverter, value: float) -> None:
        manner = converter.speaker.manner
        if value != getattr(manner, self._name):
            converter.speaker.manner = replace(manner, **{self._name: float(value)})


class VoiceConverter:
    """Converts mono float32 at 24 kHz in hops of 240 samples.

    Latency: 600 samples (25 ms), to which whoever collects the hop adds that hop.

    Parameters
    ----------
    networks
        Runs the networks.
    voice
        To speak with at first; the attribute of that name may be set between any two hops.
    manner
        How to speak at first; its fields are attributes that may be set between any two hops.
    levels
        Whether to bring quiet and loud microphones to the level that the networks know, and back at the output.
    """

    pitch_offset_semitones = _Control()
    formant_offset_semitones = _Control()
    expressiveness = _Control()
    similarity = _Control()
    clarity = _Control()

    def __init__(self, networks: Networks, voice: Voice, manner: Manner | None = None, levels: bool = True) -> None:
        self.listener = Listener(networks, levels)
        self.speaker = Speaker(networks, voice, manner)

    @property
    def voice(self) -> Voice:
        """The voice spoken with. Setting one that was loaded costs nothing."""
        return self.speaker.voice

    @voice.setter
    def voice(self, voice: Voice) -> None:
        self.speaker.voice = voice

    def load(self, voice: Voice) -> None:
        """Prepare a voice, so that changing to it takes no time on the worker. Thread: control."""
        self.speaker.load(voice)

    @property
    def source_range(self) -> SpeakerRange | None:
        """Range of the voice that is heard; None before a second of it. Thread: worker."""
        return self.speaker.source_range

    def expect(self, known: SpeakerRange | None) -> None:
        """Say whose voice will be heard from the next `reset` on; None: anybody's. Thread: control."""
        self.speaker.expect(known)

    def meet(self, known: SpeakerRange) -> None:
        """Say whose voice is heard from now on. Thread: worker."""
        self.speaker.meet(known)

    @property
    def latency_samples(self) -> int:
        """By how much the voice is late, at 24 kHz: 600."""
        return grid.LATENCY_SAMPLES

    def reset(self) -> None:
        """Return to the start: the same input gives the same bits again. Thread: worker."""
        self.listener.reset()
        self.speaker.reset()

    def convert_hop(self, hop: Singles) -> Singles:
        """Take in (240,) and return (240,). Thread: worker."""
        if hop.shape != (grid.HOP_SAMPLES,):
            raise ModelError(f"the hop has the shape {hop.shape}; allowed: ({grid.HOP_SAMPLES},)")
        return self.speaker.speak(self.listener.hear(hop))

    def convert_hops(self, hops: Singles) -> Singles:
        """Take in any number of hops in a row, shape (n * 240,); the same as one by one. Thread: worker."""
        return self.speaker.speak_many(self.listener.hear_many(hops))

    def convert_signal(self, audio: Singles) -> Singles:
        """Convert a whole signal from the start and return it in line with the input, as long. Thread: any, one."""
        if audio.ndim != 1:
            raise ModelError(f"the audio has {audio.ndim} dimensions; allowed: 1 (mono)")
        self.reset()
        hops = -(-(audio.size + self.latency_samples) // grid.HOP_SAMPLES)
        padded = np.zeros(hops * grid.HOP_SAMPLES, np.float32)
        padded[: audio.size] = audio
        step = HOPS_AT_ONCE * grid.HOP_SAMPLES
        spoken = [self.convert_hops(padded[first : first + step]) for first in range(0, padded.size, step)]
        return np.concatenate(spoken)[self.latency_samples : self.latency_samples + audio.size]
