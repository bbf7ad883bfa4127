"""What is learned from: shards of clips of each kind, most of them copies of the same recordings as are shown live."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from vcfx_models.errors import VoiceError
from vcfx_models.reference import Clip as Reference
from vcfx_models.reference import voice_from_clips
from vcfx_models.voice_file import Voice
from vcfx_models.voice_library import find_voice

from . import liveness_attacks as attacks
from . import liveness_copies as copies
from . import liveness_synthesis as speech
from .corpus_files import Clip, CorpusError
from .liveness_kinds import KINDS, LIVE, Kind, Made
from .liveness_material import LEARNED_SETS, RATE_HZ, Mono, Take, load
from .liveness_rooms import small_loudspeaker

SHARD_CLIPS: Final = 40
#: Of 20 clips, as many come from each corpus.
_OF_TWENTY: Final = dict(zip(LEARNED_SETS, (8, 10, 1, 1), strict=True))
FLITE_VOICES: Final = ("slt", "rms", "kal")
FEWEST_WORDS, MOST_WORDS = 4, 14
REFERENCES: Final = 3
#: What may go wrong with a single clip, which is then left out: too little speech to enrol, an odd text.
_FAILURES: Final = (VoiceError, CorpusError, np.linalg.LinAlgError)

Rng = np.random.Generator
COPIES: Final[dict[str, Callable[[Mono, Rng], Mono]]] = {
    "griffin_lim": attacks.griffin_lim,
    "world": attacks.world_copy,
    "lpc": copies.lpc_copy,
    "stretched": copies.stretched,
    "shifted": copies.shifted_by_vocoder,
    "mel": copies.mel_copy,
    "smooth_world": copies.smooth_world,
    "source_filter": copies.source_filter_copy,
    "replay": small_loudspeaker,
}


def shards(split: str) -> list[tuple[Kind, int]]:
    """Return kind and number of each shard, so that all kinds grow alike: a stop leaves a smaller set, not another."""
    found = []
    for at, kind in enumerate(KINDS):
        count = -(-kind.count(split) // SHARD_CLIPS)
        found += [((number + 0.5) / count, at, number) for number in range(count)]
    return [(KINDS[at], number) for _, at, number in sorted(found)]


class LearnedTakes:
    """The recordings of a split in an endless order of fixed shares; a number says which, and which part of it.

    Parameters
    ----------
    takes
        From `real_takes`: the first ones of a corpus come first.
    split
        "train" or "dev".
    """

    def __init__(self, takes: Sequence[Take], split: str) -> None:
        pools = {name: [t for t in takes if t.split == split and t.clip.set == name] for name in LEARNED_SETS}
        fallback = next(pool for pool in pools.values() if pool)
        order = [name for name, count in _OF_TWENTY.items() for _ in range(count)]
        mixed = [order[7 * place % 20] for place in range(20)]
        self._places = [
            (pools[name] or fallback, mixed[:at].count(name), mixed.count(name)) for at, name in enumerate(mixed)
        ]

    def take(self, number: int) -> Take:
        """Return recording `number`."""
        pool, rank, count = self._places[number % 20]
        return pool[(number // 20 * count + rank) % len(pool)]

    def sound(self, corpus: Path, number: int) -> Mono:
        """Return the same up to 4.5 s of recording `number` whoever asks."""
        return load(corpus, self.take(number).clip, np.random.default_rng((17, number)))


class LearnedMaker:
    """Makes the shards of one split.

    Parameters
    ----------
    corpus
        Folder of the corpus.
    real, synthetic
        Its recordings, from `liveness_material`.
    split
        "train" or "dev".
    """

    def __init__(self, corpus: Path, real: Sequence[Take], synthetic: Sequence[Take], split: str) -> None:
        self._corpus, self._split, self._takes = corpus, split, LearnedTakes(real, split)
        self._synthetic = [take for take in synthetic if take.split == split]
        self._by_speaker: dict[tuple[str, str], list[Take]] = {}
        for take in real:
            if take.split == split:
                self._by_speaker.setdefault((take.clip.set, take.clip.speaker), []).append(take)

    def clips(self, kind: Kind, shard: int, rng: Rng) -> Iterator[tuple[int, Made]]:
        """Yield the clips of a shard, each with the number of the recording that it is a copy of, or -1."""
        numbers = self._numbers(kind, shard)
        if kind.name == "kokoro":
            for take in self._synthetic[shard * SHARD_CLIPS :][: len(numbers)]:
                yield -1, Made(load(self._corpus, take.clip, rng), take.clip.speaker, take.clip.set)
            return
        for number in numbers:
            try:
                yield self._made(kind.name, number, rng)
            except _FAILURES as problem:
                print(f"{kind.name} {number} is left out: {problem}", flush=True)

    def _numbers(self, kind: Kind, shard: int) -> range:
        """Return the recordings of a shard: those of some shard of live clips, other ones for each kind."""
        own, live = (kind_.count(self._split) for kind_ in (kind, KINDS[0]))
        clips = min(SHARD_CLIPS, own - shard * SHARD_CLIPS)
        if kind.name == LIVE:
            return range(shard * SHARD_CLIPS, shard * SHARD_CLIPS + clips)
        at = (shard * live // own + KINDS.index(kind)) % (live // SHARD_CLIPS)
        return range(at * SHARD_CLIPS, at * SHARD_CLIPS + clips)

    def _made(self, kind: str, number: int, rng: Rng) -> tuple[int, Made]:
        clip = self._takes.take(number).clip
        speaker = f"{clip.set}/{clip.speaker}"
        if kind == "flite":
            voice = FLITE_VOICES[number % len(FLITE_VOICES)]
            words = clip.text.lower().split()[:MOST_WORDS] or ["nothing"]
            text = " ".join((words * FEWEST_WORDS)[: max(len(words), FEWEST_WORDS)])
            return -1, Made(speech.spoken(speech.flite(voice), [text])[0], voice, kind)
        sound = self._takes.sound(self._corpus, number)
        if kind == LIVE:
            return number, Made(sound, speaker, clip.set)
        if kind == "converter":
            name = learned_voices()[number % len(learned_voices())]
            return number, Made(attacks.converted(sound, find_voice(name, "files")), name, clip.set)
        if kind == "converter_own":
            return number, Made(attacks.converted(sound, self._own_voice(clip, rng)), speaker, clip.set)
        return number, Made(COPIES[kind](sound, rng), speaker, clip.set)

    def _own_voice(self, clip: Clip, rng: Rng) -> Voice:
        """Return the voice of who speaks in a clip, as it would be enrolled."""
        own = self._by_speaker[clip.set, clip.speaker][:REFERENCES]
        heard = [Reference(load(self._corpus, take.clip, rng), RATE_HZ) for take in own]
        return voice_from_clips(heard, "own")


def learned_voices() -> Sequence[str]:
    """Return the voices of the program that are learned from: two in three."""
    names = attacks.shipped_voices()
    return [name for name in names if name not in names[::3]]
