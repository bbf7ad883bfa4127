"""Every meter applied to one conversion after another; what was measured once is not measured again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .cache import Cache
from .corpus import read_clip
from .embedders import DVector, Embedder, Ge2e, likeness
from .melody import F0Track, SecondF0Track, best_lag_frames, compare_melody
from .phonemes import PhonemeRecogniser
from .protocol import REFERENCE_RATIO, Conversion
from .quality import Dnsmos
from .recognisers import Recogniser
from .sound import Sound, active_level_db, split_at_pause
from .words import comparable, edit_distance, sign_errors, word_errors

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Material:
    """The sounds of one conversion.

    The source, what a converter hears of the target, what it is judged by, and something else that the source's
    speaker said.
    """

    source: Sound
    references: tuple[Sound, ...]
    judged_by: Sound
    earlier: Sound | None = None


def load_material(folder: Path, conversion: Conversion) -> Material:
    """Decode a conversion's clips; the target's one clip is cut in two at a pause."""
    reference, rest = split_at_pause(read_clip(folder, conversion.target), REFERENCE_RATIO)
    earlier = None if conversion.earlier is None else read_clip(folder, conversion.earlier)
    return Material(read_clip(folder, conversion.source), (reference,), rest, earlier)


class Meters:
    """All meters, each loaded when a sound is met that it has not measured yet.

    Parameters
    ----------
    cache
        Where results are kept.
    second_recogniser
        Whether Whisper tiny.en listens too.
    """

    def __init__(self, cache: Cache, second_recogniser: bool = False) -> None:
        self.cache = cache
        names = ("base", "tiny.en") if second_recogniser else ("base",)
        self.recognisers = tuple(Recogniser(name, cache.folder) for name in names)
        self.embedders: dict[str, Embedder] = {"ge2e": Ge2e(), "dvector": DVector()}
        self._dnsmos, self._f0, self._second_f0 = Dnsmos(), F0Track(), SecondF0Track()
        self._phonemes = PhonemeRecogniser()

    def text(self, recogniser: Recogniser, sound: Sound, language: str = "en") -> str:
        """Return what a recogniser hears."""
        meter = recogniser.meter if language == "en" else f"{recogniser.meter}-{language}"
        heard: str = self._value(meter, sound, lambda: recogniser.text(sound, language))
        return heard

    def vector(self, embedder: Embedder, sound: Sound) -> list[float]:
        """Return the voice's vector."""
        vector: list[float] = self._value(embedder.meter, sound, lambda: embedder.vector(sound))
        return vector

    def dnsmos(self, sound: Sound) -> dict[str, float]:
        """Return the DNSMOS scores."""
        scores: dict[str, float] = self._value(self._dnsmos.meter, sound, lambda: self._dnsmos.scores(sound))
        return scores

    def phonemes(self, sound: Sound) -> list[str]:
        """Return the phonemes heard."""
        heard: list[str] = self._value(self._phonemes.meter, sound, lambda: self._phonemes.phonemes(sound))
        return heard

    def f0_hz(self, sound: Sound) -> list[float]:
        """Return the F0 track."""
        track: list[float] = self._value(self._f0.meter, sound, lambda: self._f0.hz(sound))
        return track

    def second_f0_hz(self, sound: Sound) -> list[float]:
        """Return the F0 track of the other tracker."""
        track: list[float] = self._value(self._second_f0.meter, sound, lambda: self._second_f0.hz(sound))
        return track

    def _value(self, meter: str, sound: Sound, measure: Callable[[], Any]) -> Any:
        return self.cache.value(meter, sound.content_hash(), measure)


def measure_conversion(
    meters: Meters, conversion: Conversion, material: Material, output: Sound, keeps_words: bool
) -> Row:
    """Return one row of the run's table: what was converted and everything measured on it."""
    row: Row = {
        "id": conversion.id,
        "set": conversion.source.set,
        "genders": conversion.genders,
        "source": conversion.source.path,
        "target": conversion.target.path,
        "text": comparable(conversion.source.text),
        "seconds_in": round(material.source.seconds, 3),
        "seconds_out": round(output.seconds, 3),
        "level_in_db": round(active_level_db(material.source), 2),
        "level_out_db": round(active_level_db(output), 2),
        "sound": meters.cache.keep_sound(output),
    }
    row.update(similarity_of(meters, material, output))
    row.update({f"dnsmos_{name}": score for name, score in meters.dnsmos(output).items()})
    if keeps_words:
        row.update(words_of(meters, row["text"], material.source, output))
        row.update(phonemes_of(meters, material.source, output))
        row.update(melody_of(meters, material.source, output))
    return row


def similarity_of(meters: Meters, material: Material, output: Sound) -> Row:
    """Return the cosines to target and source by both embedders, and whether the target is the nearer one."""
    found: Row = {}
    for name, embedder in meters.embedders.items():
        vector = meters.vector(embedder, output)
        to_target = likeness(vector, meters.vector(embedder, material.judged_by))
        to_source = likeness(vector, meters.vector(embedder, material.source))
        found |= {f"{name}_target": round(to_target, 4), f"{name}_source": round(to_source, 4)}
        found[f"{name}_nearer_target"] = float(to_target > to_source)
    return found


def words_of(meters: Meters, text: str, source: Sound, output: Sound, language: str = "en") -> Row:
    """Return what each recogniser hears in source and output, with edits and counts."""
    found: Row = {}
    for recogniser in meters.recognisers:
        for side, sound in (("source", source), ("output", output)):
            heard = comparable(meters.text(recogniser, sound, language), language)
            name = f"{recogniser.name}_{side}"
            found[f"{name}_heard"] = heard
            found[f"{name}_word_edits"], found["words"] = word_errors(text, heard)
            found[f"{name}_sign_edits"], found["signs"] = sign_errors(text, heard)
    return found


def phonemes_of(meters: Meters, source: Sound, output: Sound) -> Row:
    """Return how many phonemes are heard in the source, and by how many edits those in the output differ."""
    said = meters.phonemes(source)
    return {"phonemes": len(said), "phoneme_edits": edit_distance(said, meters.phonemes(output))}


def melody_of(meters: Meters, source: Sound, output: Sound) -> Row:
    """Return how F0 and voicing came through, at the lag where the loudness fits best."""
    lag = best_lag_frames(source, output)
    found = compare_melody(meters.f0_hz(source), meters.f0_hz(output), lag)
    second = compare_melody(meters.second_f0_hz(source), meters.second_f0_hz(output), lag)
    found["f0_correlation_second"] = second["f0_correlation"]
    return {name: None if value is None else round(value, 4) for name, value in found.items()}
