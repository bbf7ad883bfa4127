"""What makes a recording unfit to make a voice of."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from .errors import VoiceError
from .geometry import SAMPLE_RATE
from .speaker_encoder import SpeakerEmbedder
from .speech_level import FRAME_SAMPLES, Mono, active_frames, active_level_dbfs, frame_powers

LEAST_SPEECH_S, RECOMMENDED_SPEECH_S = 3.0, 5.0
LEAST_LEVEL_DBFS: Final = -70.0
MOST_CLIPPED_PERCENT: Final = 1.0
#: So many samples in a row within a thousandth of the loudest are a flat top, if the loudest is near full scale.
FLAT_TOP_SAMPLES, FULL_SCALE = 3, 0.89
LEAST_SNR_DB: Final = 5.0
#: Share of the frames that are taken for noise alone: pauses and the closures of plosives.
NOISE_PERCENTILE: Final = 10.0
#: Parts that are compared: their length, the step from one to the next, how many at most, of how much speech at least.
PART_S, PART_STEP_S, MOST_PARTS, LEAST_COMPARED_S = 2.0, 0.5, 20, 5.0
#: So many frames on each side of speech belong to it: short pauses.
MARGIN_FRAMES: Final = 6
#: More than this plus so much divided by the seconds of speech (20 at most) is the spread of two people. Set so that
#: about 2 of 100 recordings of one are refused; models/SPEAKERS.md has the rates.
MOST_SPREAD, MOST_SPREAD_SECONDS, LONGEST_S = 0.014, 0.175, 20.0


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
    """Refuse a recording whose parts sound like different people; less than 5 s of speech is too little to tell.

    For one recording at a time: another microphone moves the embeddings as another person does.
    """
    speech = without_pauses(mono)
    seconds = speech.size / SAMPLE_RATE
    if seconds < LEAST_COMPARED_S:
        return
    spread = spread_along_one_line(np.stack([encoder.embed(part) for part in speaker_parts(speech)]))
    allowed = MOST_SPREAD + MOST_SPREAD_SECONDS / min(seconds, LONGEST_S)
    if spread > allowed:
        raise VoiceError(
            f"{files}: two people seem to speak, or the sound changes (its parts differ by {1e3 * spread:.0f}; "
            f"allowed: {1e3 * allowed:.0f}); give recordings of one person, each of one place"
        )


def without_pauses(mono: Mono) -> Mono:
    """Return the spoken stretches of mono at 24 kHz, one after the other."""
    is_speech = active_frames(frame_powers(mono))
    near = np.convolve(is_speech, np.ones(2 * MARGIN_FRAMES + 1), mode="same")[: is_speech.size] > 0.5
    return np.ascontiguousarray(mono[: is_speech.size * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)[near].ravel())


def speaker_parts(speech: Mono) -> list[Mono]:
    """Return stretches of 2 s, one every 0.5 s, or 20 spread over the whole of longer speech."""
    length, step = (int(seconds * SAMPLE_RATE) for seconds in (PART_S, PART_STEP_S))
    last = speech.size - length
    starts = np.linspace(0, last, min(MOST_PARTS, last // step + 1)).astype(int)
    return [speech[at : at + length] for at in starts]


def spread_along_one_line(embeddings: npt.NDArray[np.float32]) -> float:
    """Return how much more embeddings, shape (parts, size), vary in one direction than in the next: their variances.

    One voice scatters round its mean with what is said; a second one draws the embeddings out along a line.
    """
    if len(embeddings) < 2:
        return 0.0
    strengths = np.linalg.svd(embeddings - embeddings.mean(axis=0), compute_uv=False) ** 2 / len(embeddings)
    return float(strengths[0] - strengths[1])
