"""How often the check of the phrase is right: on real recordings with their transcripts, and on spoken challenges."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import soxr
from scipy import signal

from tools.train.corpus_audio import read_clip
from tools.train.corpus_files import RATE_HZ as CORPUS_RATE_HZ
from tools.train.corpus_files import Clip, read_clips
from tools.train.liveness_material import Mono, share_of
from tools.train.liveness_synthesis import espeak, flite, spoken
from vcfx_models.liveness.challenge import new_challenge
from vcfx_models.liveness.phrase_check import RATE_HZ, PhraseListener
from vcfx_models.liveness.words import WORDS

SETS: Final = ("librispeech", "speechocean762", "vctk_bits", "rhasspy_kathleen")
FEWEST_WORDS, MOST_WORDS = 5, 9
SPEAKERS_OF_PHRASES: Final = {"flite slt": flite("slt"), "flite rms": flite("rms"), "espeak-ng": espeak("en-us")}
SNRS_DB: Final = (20.0, 10.0, 5.0)


def phrase_results(corpus: Path, per_set: int, phrases: int) -> list[dict[str, Any]]:
    """Return one row for each recording and each spoken challenge: right words of the asked, for true and false."""
    return [*_recordings(corpus, per_set), *_challenges(phrases)]


def _recordings(corpus: Path, per_set: int) -> Iterator[dict[str, Any]]:
    known = _dictionary()
    rng = np.random.default_rng(3)
    clips = [clip for clip in read_clips(corpus) if clip.kind == "real" and _words(clip, known)]
    for name in SETS:
        own = sorted((c for c in clips if c.set == name), key=lambda c: share_of(c.source))
        first = {clip.speaker: clip for clip in reversed(own)} if name != "rhasspy_kathleen" else {}
        chosen = (list(first.values()) or own)[:per_set]
        for clip, other in zip(chosen, chosen[1:] + chosen[:1], strict=True):
            asked, others = _words(clip, known), _words(other, known)
            mono = _sound(corpus, clip)
            yield _row(name, clip.speaker, None, mono, asked, others)
            snr_db = float(rng.choice(SNRS_DB))
            yield _row(name, clip.speaker, snr_db, _noisy(mono, snr_db, rng), asked, None)


def _challenges(count: int) -> Iterator[dict[str, Any]]:
    """Yield rows for challenges spoken by synthesisers: no recordings of people saying them are at hand."""
    listener, rng = PhraseListener(), np.random.default_rng(5)
    for name, command in SPEAKERS_OF_PHRASES.items():
        asked = [new_challenge(0.0) for _ in range(count)]
        for number, mono in enumerate(spoken(command, [challenge.phrase for challenge in asked])):
            wrong = asked[(number + 1) % count].words
            for snr_db in (None, float(rng.choice(SNRS_DB))):
                sound = mono if snr_db is None else _noisy(mono, snr_db, rng)
                heard = listener.hear(sound, asked[number].words)
                false = listener.hear(sound, wrong)
                yield {"set": "challenges", "speaker": name, "snr_db": snr_db, "words": len(heard.words)} | {
                    "asked": heard.asked,
                    "right": heard.right,
                    "right_of_false": false.right,
                    "asked_false": false.asked,
                }


def _row(
    name: str, speaker: str, snr_db: float | None, mono: Mono, asked: Sequence[str], others: Sequence[str] | None
) -> dict[str, Any]:
    """Return how much is heard of what was said, and of what another said."""
    row: dict[str, Any] = {"set": name, "speaker": speaker, "snr_db": snr_db, "asked": len(asked)}
    heard = PhraseListener(_vocabulary(asked)).hear(mono, asked)
    row |= {"right": heard.right, "words": len(heard.words)}
    if others is not None:
        false = PhraseListener(_vocabulary(others)).hear(mono, others)
        row |= {"right_of_false": false.right, "asked_false": len(others)}
    return row


def _vocabulary(asked: Sequence[str]) -> list[str]:
    return list(dict.fromkeys([*asked, *WORDS]))[: len(WORDS)]


def _words(clip: Clip, known: frozenset[str]) -> list[str]:
    """Return the words of a transcript that can be asked for, or none."""
    words = ["".join(c for c in word if c.isalpha() or c == "'") for word in clip.text.lower().split()]
    fits = FEWEST_WORDS <= len(words) <= MOST_WORDS and known.issuperset(words)
    return words if fits else []


def _dictionary() -> frozenset[str]:
    from pocketsphinx import get_model_path

    lines = Path(get_model_path("en-us/cmudict-en-us.dict")).read_text(encoding="utf-8").splitlines()
    return frozenset(line.split(maxsplit=1)[0] for line in lines if line)


def _sound(corpus: Path, clip: Clip) -> Mono:
    mono = read_clip((str(corpus / "audio.npy"), clip.start, clip.frames))
    return np.asarray(soxr.resample(mono, CORPUS_RATE_HZ, RATE_HZ), np.float32)


def _noisy(mono: Mono, snr_db: float, rng: np.random.Generator) -> Mono:
    """Return speech in the noise of a fan: hiss that falls with frequency."""
    noise = signal.lfilter([1.0], [1.0, -0.9], rng.standard_normal(mono.size))
    return np.asarray(mono + noise * (np.std(mono) / np.std(noise)) * 10.0 ** (-snr_db / 20.0), np.float32)
