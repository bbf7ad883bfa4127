"""The kinds of clips: live speech and each attack, how many of them, and how they are made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from vcfx_models.voice_library import find_voice

from . import liveness_attacks as attacks
from . import liveness_synthesis as speech
from .liveness_material import JUDGED_SETS, LEARNED_SETS, SPLITS, Mono, Take, load
from .liveness_rooms import other_loudspeaker, small_loudspeaker


class Made(NamedTuple):
    """A clip before the channel: sound, who speaks, and the corpus or program it comes from."""

    mono: Mono
    speaker: str
    origin: str


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind.

    Parameters
    ----------
    name
        Of the kind.
    counts
        Clips for train, dev and test; none to learn from makes it an unseen kind.
    room_share
        How often the channel has a room; a loudspeaker always plays into one.
    """

    name: str
    counts: tuple[int, int, int]
    room_share: float = 0.4

    def count(self, split: str) -> int:
        """Return the clips for a split."""
        return self.counts[SPLITS.index(split)]


LIVE: Final = "live"
#: Live speech comes first.
KINDS: Final = (
    Kind(LIVE, (2_400, 120, 200)),
    Kind("kokoro", (480, 20, 40)),
    Kind("flite", (200, 20, 24)),
    Kind("griffin_lim", (320, 20, 20)),
    Kind("world", (320, 20, 16)),
    Kind("converter", (320, 20, 12)),
    Kind("replay", (640, 40, 40), 1.0),
    Kind("lpc", (320, 20, 0)),
    Kind("stretched", (160, 20, 0)),
    Kind("mel", (320, 20, 0)),
    Kind("smooth_world", (320, 20, 0)),
    Kind("source_filter", (320, 20, 0)),
    Kind("converter_own", (240, 20, 0)),
    Kind("replay_other", (0, 0, 40), 1.0),
    Kind("piper", (0, 0, 20)),
    Kind("espeak", (0, 0, 24)),
    Kind("festival_hts", (0, 0, 16)),
    Kind("festival_diphone", (0, 0, 16)),
    Kind("pico", (0, 0, 24)),
    Kind("pitch_shift", (0, 0, 24)),
    Kind("shifted", (160, 20, 0)),
)
#: Share of each corpus among the live clips that are judged.
_TEST_SHARES: Final = {"librispeech": 0.2, "speechocean762": 0.2} | dict(
    zip(JUDGED_SETS, (0.15, 0.05, 0.07, 0.13, 0.1, 0.1), strict=True)
)

Rng = np.random.Generator


class Maker:
    """Makes the clips of each kind that are judged, from the corpus's test speakers and by other programs.

    Parameters
    ----------
    corpus
        Folder of the corpus.
    real, synthetic
        Its recordings, from `liveness_material`.
    python, piper_model
        Of the environment that holds piper-tts and py-nanotts.
    """

    def __init__(
        self, corpus: Path, real: Sequence[Take], synthetic: Sequence[Take], python: Path, piper_model: Path
    ) -> None:
        self._corpus = corpus
        self._real, self._synthetic = ([take for take in takes if take.split == "test"] for takes in (real, synthetic))
        self._python, self._model = python, piper_model

    def clips(self, kind: Kind, rng: Rng) -> Iterator[Made]:
        """Yield the clips of a kind."""
        count = kind.count("test")
        if kind.name == LIVE:
            yield from self._live(count, rng)
        elif kind.name == "kokoro":
            takes = self._synthetic[:count]
            yield from (Made(load(self._corpus, t.clip, rng), t.clip.speaker, t.clip.set) for t in takes)
        elif kind.name in _FROM_SPEECH:
            yield from self._from_speech(_FROM_SPEECH[kind.name], count, rng)
        elif kind.name == "converter":
            yield from self._converted(count, rng)
        else:
            yield from self._from_text(kind.name, count, rng)

    def _live(self, count: int, rng: Rng) -> Iterator[Made]:
        for name, share in _TEST_SHARES.items():
            takes = [take for take in self._real if take.clip.set == name]
            for take in takes[: round(share * count)]:
                yield Made(load(self._corpus, take.clip, rng), f"{name}/{take.clip.speaker}", name)

    def _sources(self, count: int, rng: Rng) -> list[Take]:
        takes = [take for take in self._real if take.clip.set in LEARNED_SETS[:2]]
        first = takes[: max(3 * count, 60)]
        return [first[at] for at in rng.permutation(len(first))[:count]]

    def _from_speech(self, attack: Callable[[Mono, Rng], Mono], count: int, rng: Rng) -> Iterator[Made]:
        for take in self._sources(count, rng):
            mono = attack(load(self._corpus, take.clip, rng), rng)
            yield Made(mono, f"{take.clip.set}/{take.clip.speaker}", take.clip.set)

    def _converted(self, count: int, rng: Rng) -> Iterator[Made]:
        names = attacks.shipped_voices()[::3]
        for number, take in enumerate(self._sources(count, rng)):
            name = names[number % len(names)]
            made = attacks.converted(load(self._corpus, take.clip, rng), find_voice(name, "files"))
            yield Made(made, name, take.clip.set)

    def _from_text(self, kind: str, count: int, rng: Rng) -> Iterator[Made]:
        commands = self._commands(kind)
        each = -(-count // len(commands))
        for voice, command in commands.items():
            takes = [take for take in self._sources(4 * each, rng) if 3 < len(take.clip.text.split()) < 15]
            texts = [take.clip.text.lower() for take in takes[:each]]
            yield from (Made(mono, voice, kind) for mono in speech.spoken(command, texts))

    def _commands(self, kind: str) -> dict[str, speech.Command]:
        return {
            "flite": {"awb": speech.flite("awb")},
            "espeak": {v: speech.espeak(v) for v in ("en-us", "en-gb+f2")},
            "festival_hts": {"slt-hts": speech.festival("cmu_us_slt_arctic_hts")},
            "festival_diphone": {"kal-diphone": speech.festival("kal_diphone")},
            "piper": {"joe": speech.piper(self._python, self._model)},
            "pico": {v: speech.pico(self._python, v) for v in ("en-GB", "en-US")},
        }[kind]


_FROM_SPEECH: Final[dict[str, Callable[[Mono, Rng], Mono]]] = {
    "griffin_lim": attacks.griffin_lim,
    "world": attacks.world_copy,
    "replay": small_loudspeaker,
    "replay_other": other_loudspeaker,
    "pitch_shift": attacks.shifted,
}
