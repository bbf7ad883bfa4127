"""What makes a recording unfit to make a voice of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from .errors import VoiceError
from .geometry import SAMPLE_RATE
from .speaker_encoder import SpeakerEmbedder
from .speech_level import FRAME_SAMPLES, Mono, active_frames, active_level_dbfs, frame_powers
from .voice_vector import unit

LEAST_SPEECH_S, RECOMMENDED_SPEECH_S = 3.0, 5.0
LEAST_LEVEL_DBFS: Final = -70.0
MOST_CLIPPED_PERCENT: Final = 1.0
#: So many samples in a row within a thousandth of the loudest are a flat top, if the loudest is near full scale.
FLAT_TOP_SAMPLES, FULL_SCALE = 3, 0.89
LEAST_SNR_DB: Final = 5.0
#: Share of the frames that are taken for noise alone: pauses and the closures of plosives.
NOISE_PERCENTILE: Final = 10.0
#: Speaker parts: length, how much of it must be speech, how many are compared.
PART_S, LEAST_PART_SPEECH_S, MOST_PARTS = 3.0, 1.5, 20
#: Cosine between the means of the two groups that differ most; below it two people are likely. With GE2E it was lower
#: for 1 of 40 draws of read speech by one speaker, and for half of those by two.
LEAST_SIMILARITY: Final = 0.7


def check_clip(audio: npt.NDArray[np.float32], mono: Mono, file: str) -> None:
    """Refuse a recording that is silent, clipped or noisy.

    Parameters
    ----------
    audio
        (channels, frames) as recorded: resampling hides flat tops.
    mono
        The same, mono at 24 kHz.
    file
        How errors name it.
    """
    level_dbfs = active_level_dbfs(mono)
    if level_dbfs < LEAST_LEVEL_DBFS:
        level = "silent" if level_dbfs == -np.inf else f"as quiet as {level_dbfs:.0f} dBFS"
        raise VoiceError(f"{file}: is {level}; needed: speech of {LEAST_LEVEL_DBFS:.0f} dBFS or more")
    clipped = clipped_percent(audio)
    if clipped > MOST_CLIPPED_PERCENT:
        raise VoiceError(f"{file}: {clipped:.1f} % of its samples are clipped; allowed: {MOST_CLIPPED_PERCENT:g} %")
    snr_db = speech_to_noise_db(mono)
    if snr_db < LEAST_SNR_DB:
        raise VoiceError(f"{file}: its speech is {snr_db:.0f} dB above its noise; needed: {LEAST_SNR_DB:g} dB or more")


def check_seconds(seconds: float, files: str) -> None:
    """Refuse recordings that together hold too few seconds of speech."""
    if seconds < LEAST_SPEECH_S:
        heard_s = math.floor(10.0 * seconds) / 10.0  # never rounded up to what is needed
        raise VoiceError(
            f"{files}: {heard_s:.1f} s of speech; needed: {LEAST_SPEECH_S:g} s, better {RECOMMENDED_SPEECH_S:g} s"
        )


def clipped_percent(audio: npt.NDArray[np.float32]) -> float:
    """Return which part of the samples, in percent, lies in flat tops at the loudest value."""
    peak = float(np.abs(audio).max(initial=0.0))
    if peak < FULL_SCALE:
        return 0.0
    flat = 0
    for row in audio:
        at_top = np.concatenate([[False], np.abs(row) >= 0.999 * peak, [False]])
        edges = np.flatnonzero(np.diff(at_top.astype(np.int8)))
        lengths = edges[1::2] - edges[::2]
        flat += int(lengths[lengths >= FLAT_TOP_SAMPLES].sum())
    return 100.0 * flat / audio.size


def speech_to_noise_db(mono: Mono) -> float:
    """Return how far the speech of mono at 24 kHz lies above what is there between words, an estimate."""
    powers = frame_powers(mono)
    noise = max(float(np.percentile(powers, NOISE_PERCENTILE)), 1e-12)
    active = powers[active_frames(powers)]
    speech = max(float(active.mean()) - noise, 1e-12)
    return float(10.0 * np.log10(speech / noise))


def check_one_speaker(mono: Mono, encoder: SpeakerEmbedder, files: str) -> None:
    """Refuse recordings whose parts sound like different people."""
    similarity = least_similarity(speaker_parts(mono), encoder)
    if similarity < LEAST_SIMILARITY:
        raise VoiceError(
            f"{files}: two people seem to speak (likeness of the parts {similarity:.2f}; needed: "
            f"{LEAST_SIMILARITY:g}); give recordings of one"
        )


def speaker_parts(mono: Mono) -> list[Mono]:
    """Return stretches of 3 s that are speech for the most part, at most 20, spread over the whole."""
    length = int(PART_S * SAMPLE_RATE) // FRAME_SAMPLES
    is_speech = active_frames(frame_powers(mono))
    starts = range(0, is_speech.size - length + 1, length)
    least = LEAST_PART_SPEECH_S / PART_S
    spoken = [
        mono[FRAME_SAMPLES * at : FRAME_SAMPLES * (at + length)]
        for at in starts
        if is_speech[at : at + length].mean() >= least
    ]
    chosen = np.unique(np.linspace(0, len(spoken) - 1, min(MOST_PARTS, len(spoken))).round().astype(int))
    return [spoken[index] for index in chosen]


def least_similarity(parts: Sequence[Mono], encoder: SpeakerEmbedder) -> float:
    """Return the cosine between the means of two groups of parts: round the two that are least alike."""
    if len(parts) < 2:
        return 1.0
    embeddings = np.stack([encoder.embed(part) for part in parts])
    alike = embeddings @ embeddings.T
    first, second = np.unravel_index(int(alike.argmin()), alike.shape)
    nearer_first = alike[first] >= alike[second]
    if nearer_first.all():
        return 1.0
    one, other = (unit(embeddings[chosen].mean(axis=0)) for chosen in (nearer_first, ~nearer_first))
    return float(one @ other)
