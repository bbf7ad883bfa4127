"""The half of the converter that speaks: `VoiceFrame`s to samples in another voice."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from vcfx_dsp.source_filter import SourceFilterSynth

from . import geometry as grid
from .bands import HARMONIC_CENTRES_HZ, NOISE_CENTRES_HZ
from .envelope_shaping import EnvelopeShaper
from .errors import ModelError
from .frames import VoiceFrame
from .manner import Manner
from .melody import SourceRange, mapped_log_f0
from .networks_protocol import Networks, Singles
from .pause_hush import PauseHush
from .speaker_range import SpeakerRange
from .voice_file import Voice
from .voice_vector import voice_vector

MEAN, SPREAD, PITCH, EXPRESSIVENESS, FORMANT, CLARITY = range(6)
#: Colours that are kept; the oldest goes first.
MOST_VOICES: Final = 64
_SUBFRAME_SHARES: Final = np.arange(1, grid.SUBFRAMES + 1) / grid.SUBFRAMES
_SHARES: Final = (np.arange(1, grid.SUBFRAME_SAMPLES + 1) / grid.SUBFRAME_SAMPLES).astype(np.float32)
_FADE: Final = (np.arange(1, grid.HOP_SAMPLES + 1) / grid.HOP_SAMPLES).astype(np.float32)


class Speaker:
    """Speaks frames in a voice, 240 samples (24 kHz, float32) each, the same bits however the frames come.

    Parameters
    ----------
    networks
        Runs decoder and colour.
    voice
        Spoken with at first; `voice` and `manner` may be set between any two hops.
    manner
        How it speaks at first.
    """

    def __init__(self, networks: Networks, voice: Voice, manner: Manner | None = None) -> None:
        self._networks = networks
        self._neutral = networks.colour(networks.neutral_voice)
        self._loaded: dict[bytes, Singles] = {}
        self._harmonics, self._noise = EnvelopeShaper(HARMONIC_CENTRES_HZ), EnvelopeShaper(NOISE_CENTRES_HZ)
        self._synth = SourceFilterSynth(
            grid.SAMPLE_RATE, grid.SUBFRAME_SAMPLES, HARMONIC_CENTRES_HZ, NOISE_CENTRES_HZ, grid.N_FFT
        )
        self._source = SourceRange()
        self._hush = PauseHush()
        self._wanted = (voice, manner or Manner())
        self.load(voice)
        self.reset()

    @property
    def voice(self) -> Voice:
        """The voice spoken with. Setting one that is loaded costs nothing. Thread: control."""
        return self._wanted[0]

    @voice.setter
    def voice(self, voice: Voice) -> None:
        if voice is not self._wanted[0]:
            self.load(voice)
            self._wanted = (voice, self._wanted[1])

    @property
    def manner(self) -> Manner:
        """How it speaks. Thread: control."""
        return self._wanted[1]

    @manner.setter
    def manner(self, manner: Manner) -> None:
        self._wanted = (self._wanted[0], manner)

    def load(self, voice: Voice) -> None:
        """Prepare a voice, so that changing to it takes no time later. Thread: control."""
        colour = _colour_of(voice)
        if colour in self._loaded:
            return
        films = self._networks.colour(voice_vector(voice.embedding, voice.spectrum))
        if len(self._loaded) >= MOST_VOICES:
            wanted = _colour_of(self._wanted[0])
            del self._loaded[next(known for known in self._loaded if known != wanted)]
        self._loaded[colour] = films

    def reset(self) -> None:
        """Forget what was spoken and who was heard; voice and manner stay. Thread: worker."""
        self._memory = self._networks.empty_decoder_memory()
        self._synth.reset()
        self._source.reset()
        self._hush.reset()
        self._controls, self._colour = self._aims()
        self._gain = 1.0
        self._loudness = 0.0

    @property
    def source_range(self) -> SpeakerRange | None:
        """Range of whoever is heard; None before a second of voice. Thread: worker."""
        return self._source.heard

    def expect(self, known: SpeakerRange | None) -> None:
        """Say whose voice will be heard from the next `reset` on; None: anybody's. Thread: control."""
        self._source.known = known

    def meet(self, known: SpeakerRange) -> None:
        """Say whose voice is heard from now on. Thread: worker."""
        self._source.known = known
        self._source.reset()

    def speak(self, frame: VoiceFrame) -> Singles:
        """Return the 240 samples of a frame. Thread: worker."""
        return self.speak_many([frame])

    def speak_many(self, frames: Sequence[VoiceFrame]) -> Singles:
        """Return 240 samples for each of the frames. Thread: worker."""
        if not frames:
            raise ModelError("there are 0 frames to speak; allowed: 1 or more")
        controls, colour = self._aims()
        is_turning = colour is not self._colour and not np.array_equal(colour, self._colour)
        middle = 0.5 * (self._colour + colour) if is_turning else colour
        count = 1 if is_turning else len(frames)
        spoken = [self._speak(frames[:count], controls, middle)]
        self._controls, self._colour = controls, colour
        if count < len(frames):
            spoken.append(self._speak(frames[count:], controls, colour))
        return np.concatenate(spoken) if len(spoken) > 1 else spoken[0]

    def _aims(self) -> tuple[Singles, Singles]:
        """Return what the controls are set to: six numbers, and the films."""
        voice, manner = self._wanted
        numbers = np.zeros(6, np.float32)
        numbers[MEAN], numbers[SPREAD] = voice.f0_log_mean, voice.f0_log_spread
        numbers[PITCH], numbers[EXPRESSIVENESS] = manner.pitch_offset_semitones, manner.expressiveness
        numbers[FORMANT], numbers[CLARITY] = manner.formant_offset_semitones, manner.clarity
        films = self._loaded[_colour_of(voice)]
        if manner.similarity != 1.0:
            films = self._neutral + np.float32(manner.similarity) * (films - self._neutral)
        return numbers, films

    def _speak(self, frames: Sequence[VoiceFrame], controls: Singles, films: Singles) -> Singles:
        """Speak frames during the first of which the controls glide to their aims."""
        settings = np.tile(controls, (len(frames) * grid.SUBFRAMES, 1))
        glide = self._controls + (controls - self._controls) * _SUBFRAME_SHARES[:, None]
        settings[: grid.SUBFRAMES] = glide
        log_f0 = self._melody(frames, settings)
        pairs = [log_f0.reshape(-1, grid.SUBFRAMES)]
        pairs += [np.stack([getattr(frame, name) for frame in frames]) for name in ("voicing", "strength", "energy")]
        prosody = np.stack(pairs, axis=1).astype(np.float32)
        content = np.stack([frame.content for frame in frames])
        harmonic_log, noise_log, self._memory = self._networks.decode(content, prosody, films, self._memory)
        harmonic_log = self._hush.lower(harmonic_log, *(pair.ravel() for pair in pairs[1:]))
        formant, clarity = settings[:, FORMANT], settings[:, CLARITY]
        out = np.empty(len(frames) * grid.HOP_SAMPLES, np.float32)
        self._synth.render(
            np.exp(log_f0).astype(np.float32),
            np.ascontiguousarray(self._harmonics.shape(harmonic_log, formant, clarity)),
            np.ascontiguousarray(self._noise.shape(noise_log, formant, clarity)),
            out,
        )
        for frame, hop in zip(frames, out.reshape(-1, grid.HOP_SAMPLES), strict=True):
            self._set_level(frame, hop)
        return out

    def _melody(self, frames: Sequence[VoiceFrame], settings: Singles) -> Singles:
        """Learn the speaker's range and return ln F0 of the target for each subframe."""
        log_f0 = np.empty(len(settings), np.float32)
        for index, setting in enumerate(settings.tolist()):
            frame, place = frames[index // grid.SUBFRAMES], index % grid.SUBFRAMES
            heard = math.log(float(frame.f0_hz[place]))
            self._source.hear(heard, float(frame.voicing[place]), float(frame.strength[place]))
            log_f0[index] = mapped_log_f0(
                heard, self._source, setting[MEAN], setting[SPREAD], setting[PITCH], setting[EXPRESSIVENESS]
            )
        return log_f0

    def _set_level(self, frame: VoiceFrame, hop: Singles) -> None:
        """Take back the gain that the listener gave, along the same lines, and fade to nothing in silence."""
        for place, gain_db in enumerate(frame.gain_db.tolist()):
            subframe = hop[place * grid.SUBFRAME_SAMPLES : (place + 1) * grid.SUBFRAME_SAMPLES]
            gain = 10.0 ** (gain_db / 20.0)
            if gain != 1.0 or self._gain != 1.0:
                subframe /= np.float32(self._gain) + np.float32(gain - self._gain) * _SHARES
            self._gain = gain
        loudness = 0.0 if frame.is_silent else 1.0
        if loudness == 0.0 == self._loudness:
            hop[:] = 0.0
        elif loudness != 1.0 or self._loudness != 1.0:
            hop *= np.float32(self._loudness) + np.float32(loudness - self._loudness) * _FADE
        self._loudness = loudness


def _colour_of(voice: Voice) -> bytes:
    """Return what tells voices apart; two may have the same name."""
    return voice.embedding.tobytes() + voice.spectrum.tobytes()
