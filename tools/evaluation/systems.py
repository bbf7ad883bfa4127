"""The converters that can be measured. A new one is a class with `convert` and a line in `SYSTEMS`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from .errors import EvaluationError
from .melody import F0Track, median_f0_hz
from .sound import Audio, Sound, load_sound

if TYPE_CHECKING:
    from vcfx_models.speaker_range import SpeakerRange

#: Formants move by this share of the pitch change in semitones. Men's and women's voices differ by 9 to 10 semitones
#: in pitch and by 2 to 3 in formants.
FORMANT_SHARE: Final = 0.25
LARGEST_SHIFT_SEMITONES: Final = 12.0
BLOCK_FRAMES: Final = 480


class System(Protocol):
    """A converter of voices."""

    #: Whether the output says the source's words; if not, only similarity and quality are measured.
    keeps_words: bool

    def convert(
        self, audio: Audio, sample_rate: int, reference_clips: Sequence[Sound], earlier: Sound | None = None
    ) -> tuple[Audio, int]:
        """Return the source's words in the voice of the references.

        Parameters
        ----------
        audio
            float32 (frames,), mono.
        sample_rate
            Of the source in Hz.
        reference_clips
            Speech of the target, each mono with its own rate.
        earlier
            What the source's speaker said another time, if there is a recording of it.

        Returns
        -------
        tuple
            float32 (frames,) and its sample rate; delay taken off.
        """
        ...


class Unconverted:
    """The floor: the source as it is."""

    keeps_words = True

    def convert(
        self, audio: Audio, sample_rate: int, reference_clips: Sequence[Sound], earlier: Sound | None = None
    ) -> tuple[Audio, int]:
        """Return the source."""
        return audio, sample_rate


class TargetItself:
    """The ceiling: what the target said elsewhere, instead of a conversion."""

    keeps_words = False

    def convert(
        self, audio: Audio, sample_rate: int, reference_clips: Sequence[Sound], earlier: Sound | None = None
    ) -> tuple[Audio, int]:
        """Return the references one after another."""
        rate = reference_clips[0].sample_rate
        return np.concatenate([clip.at(rate).audio for clip in reference_clips]), rate


class NaiveShift:
    """Our pitch node, moved to the target's median F0, its formants moved along by a fixed rule."""

    keeps_words = True

    def convert(
        self, audio: Audio, sample_rate: int, reference_clips: Sequence[Sound], earlier: Sound | None = None
    ) -> tuple[Audio, int]:
        """Return the source, shifted."""
        tracker = F0Track()
        source_hz = median_f0_hz(tracker.hz(Sound(audio, sample_rate)))
        target_hz = median_f0_hz([hz for clip in reference_clips for hz in tracker.hz(clip)])
        shift = 12 * np.log2(target_hz / source_hz) if source_hz and target_hz else 0.0
        shift = float(np.clip(shift, -LARGEST_SHIFT_SEMITONES, LARGEST_SHIFT_SEMITONES))
        return _shifted(audio, sample_rate, shift), sample_rate


def _shifted(audio: Audio, sample_rate: int, shift_semitones: float) -> Audio:
    from vcfx.offline import PresetRenderer
    from vcfx.presets import NodeEntry, Preset

    settings = {"shift_semitones": shift_semitones, "formant_semitones": FORMANT_SHARE * shift_semitones}
    preset = Preset("Naive", chain=(NodeEntry("pitch", "pitch", settings), NodeEntry("limiter", "limiter")))
    renderer = PresetRenderer(preset, sample_rate, 1, BLOCK_FRAMES)
    padded = np.pad(audio, (0, renderer.latency_samples))[None]
    starts = range(0, padded.shape[1], BLOCK_FRAMES)
    blocks = [renderer.process(np.ascontiguousarray(padded[:, at : at + BLOCK_FRAMES])) for at in starts]
    return np.ascontiguousarray(np.concatenate(blocks, axis=1)[0, renderer.latency_samples :], np.float32)


class NeuralVoice:
    """The program's own model, with the voice enrolled from the references as a user would.

    Parameters
    ----------
    hops_at_once
        1: as it runs live, hop by hop; more: as files are converted.
    knows
        What the range of the source's voice is known from before the first word: ``nothing``; ``earlier``, another
        recording, as a live program remembers its last run; ``source``, as a file is heard before it is converted.
    """

    keeps_words = True

    def __init__(self, hops_at_once: int, knows: str = "nothing") -> None:
        from vcfx_models.load_networks import load_networks

        self._networks, self._hops_at_once, self._knows = load_networks(device="cpu"), hops_at_once, knows

    def convert(
        self, audio: Audio, sample_rate: int, reference_clips: Sequence[Sound], earlier: Sound | None = None
    ) -> tuple[Audio, int]:
        """Return the source in the voice of the references, in line with the source."""
        from vcfx_models.converter import VoiceConverter
        from vcfx_models.geometry import HOP_SAMPLES, SAMPLE_RATE
        from vcfx_models.reference import Clip, voice_from_clips

        voice = voice_from_clips([Clip(clip.audio, clip.sample_rate) for clip in reference_clips], "target")
        converter = VoiceConverter(self._networks, voice)
        converter.expect(self._range(Sound(audio, sample_rate), earlier))
        converter.reset()
        heard = Sound(audio, sample_rate).at(SAMPLE_RATE).audio.astype(np.float32)
        step, late = self._hops_at_once * HOP_SAMPLES, converter.latency_samples
        padded = np.pad(heard, (0, -(heard.size + late) % step + late))
        spoken = [converter.convert_hops(padded[at : at + step]) for at in range(0, padded.size, step)]
        return np.concatenate(spoken)[late : late + heard.size], SAMPLE_RATE

    def _range(self, source: Sound, earlier: Sound | None) -> SpeakerRange | None:
        from vcfx.hosts.speaker_memory import remembered
        from vcfx_models.speaker_range import RangeScan

        known_from = {"nothing": None, "earlier": earlier, "source": source}[self._knows]
        if known_from is None:
            return None
        scan = RangeScan(known_from.sample_rate)
        scan.hear(known_from.audio)
        found = scan.range()
        if found is None or self._knows == "source":
            return found
        return remembered(found)


#: Name on the command line -> maker. Makers load what they need, so that a name alone costs nothing.
SYSTEMS: Final[dict[str, Callable[[], System]]] = {
    "none": Unconverted,
    "naive": NaiveShift,
    "target": TargetItself,
    "model": lambda: NeuralVoice(hops_at_once=1),
    "model-known": lambda: NeuralVoice(hops_at_once=1, knows="earlier"),
    "model-offline": lambda: NeuralVoice(hops_at_once=100, knows="source"),
}


def make_system(name: str) -> System:
    """Return the converter of that name.

    Raises
    ------
    EvaluationError
        If there is none.
    """
    if name not in SYSTEMS:
        raise EvaluationError(f"there is no system '{name}'; allowed: {', '.join(SYSTEMS)}")
    return SYSTEMS[name]()


def ready_sound(folder: Path, conversion_id: str) -> Sound:
    """Return a conversion that was made elsewhere: ``<id>.wav`` or ``<id>.flac`` in `folder`."""
    for ending in ("wav", "flac"):
        path = folder / f"{conversion_id}.{ending}"
        if path.is_file():
            return load_sound(path)
    raise EvaluationError(f"'{folder}' lacks {conversion_id}.wav; --list prints what each number stands for")
