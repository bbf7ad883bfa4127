"""Scores of the detector of live voices on every test clip, as it is and changed in known ways."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import signal

from tools.train.liveness_batches import only_pauses
from tools.train.liveness_channel import Channel, coded
from tools.train.liveness_kinds import KINDS
from tools.train.liveness_material import RATE_HZ, Mono
from vcfx_models.errors import VoiceError
from vcfx_models.liveness.answer_coding import answer_coded
from vcfx_models.liveness.live_detector import LiveDetector
from vcfx_models.liveness.speech_spectrum import band_levels_db, centred, is_speech, speech_spectrum

LIVE: Final = "live"
SNRS_DB: Final = (20.0, 10.0, 5.0)
#: Clips for the sweeps, live and of each attack, and how few frames of pause are too few.
SWEPT_LIVE, SWEPT_ATTACKS, LEAST_PAUSE_FRAMES = 40, 8, 30
NARROW_HZ: Final = 3_800.0
NO_CHANNEL: Final = "no channel but the codings"
#: The channel alone for attacks, and the corpus's coding before it for live speech; then what the program does.
AS_ANSWERED: Final = "as the program hears it: attacks coded by nobody else"
NEVER_CODED: Final = "attacks as they were made, no channel"


class JudgedClip(NamedTuple):
    """A clip of the test split: after the channel, before it, and before any coding of ours; where it comes from."""

    kind: str
    speaker: str
    origin: str
    number: int
    heard: Mono
    before: Mono
    raw: Mono


def judged_clips(folder: Path) -> list[JudgedClip]:
    """Return all clips of the test split."""
    return [clip for file in sorted(folder.glob("test-*.npz")) for clip in _clips_of(file)]


def _clips_of(file: Path) -> Iterator[JudgedClip]:
    with np.load(file) as stored:
        ends = np.cumsum(stored["samples"])[:-1]
        heard, before, raw = (
            np.split(stored[name].astype(np.float32) / 32_000.0, ends) for name in ("heard", "before", "raw")
        )
        names = zip(stored["speaker"], stored["origin"], strict=True)
        for number, (speaker, origin) in enumerate(names):
            kind = file.stem.removeprefix("test-")
            yield JudgedClip(kind, str(speaker), str(origin), number, heard[number], before[number], raw[number])


def detector_results(folder: Path, corpus: Path) -> list[dict[str, Any]]:
    """Return one row for each clip and each way it was changed: kind, speaker, origin, how, score."""
    clips = judged_clips(folder)
    detector = LiveDetector()
    rows = [_row(clip, "as it is", detector, clip.heard) for clip in clips]
    rooms = {kind.name: kind.room_share for kind in KINDS}
    channel = Channel(corpus, "test", np.random.default_rng(11))
    rows += [_row(clip, AS_ANSWERED, detector, answer_coded(channel(clip.raw, rooms[clip.kind]))) for clip in clips]
    swept = [clip for clip in clips if clip.number % _step(clips, clip.kind) == 0]
    for clip in swept:
        rows.append(_row(clip, NO_CHANNEL, detector, clip.before))
        rows.append(_row(clip, NEVER_CODED, detector, answer_coded(clip.raw)))
        rows.append(_row(clip, "Opus once more", detector, answer_coded(clip.heard)))
        rows.append(_row(clip, "MP3 again", detector, coded(clip.heard, "mp3", 0.6)))
        rows.append(_row(clip, "nothing above 3.8 kHz", detector, _narrow(clip.heard)))
        rows.append(_pauses(clip, detector))
    for snr_db in SNRS_DB:
        channel = Channel(corpus, "test", np.random.default_rng(int(snr_db)), (snr_db, snr_db))
        rows += [_row(clip, f"{snr_db:.0f} dB SNR", detector, channel(clip.before)) for clip in swept]
    return [row for row in rows if row]


def _step(clips: list[JudgedClip], kind: str) -> int:
    """Return which of a kind's clips are swept: every so many."""
    count = sum(clip.kind == kind for clip in clips)
    return max(1, count // (SWEPT_LIVE if kind == LIVE else SWEPT_ATTACKS))


def _row(clip: JudgedClip, how: str, detector: LiveDetector, sound: Mono) -> dict[str, Any]:
    """Return what the detector says of a sound coded a last time, as those are that it learned from."""
    try:
        score = detector.score_coded(answer_coded(sound))
    except VoiceError:  # less than a second of speech
        return {}
    return _named(clip, how) | {"score": score}


def _named(clip: JudgedClip, how: str) -> dict[str, Any]:
    names = {"kind": clip.kind, "number": clip.number, "speaker": clip.speaker, "origin": clip.origin}
    return names | {"how": how}


def _narrow(mono: Mono) -> Mono:
    low = signal.butter(10, NARROW_HZ, fs=RATE_HZ, output="sos")
    return np.asarray(signal.sosfilt(low, mono), np.float32)


def _pauses(clip: JudgedClip, detector: LiveDetector) -> dict[str, Any]:
    """Return what the detector says of the pauses alone, which it never hears otherwise."""
    levels_db = band_levels_db(answer_coded(clip.heard))
    pauses: npt.NDArray[np.float32] = only_pauses(levels_db, is_speech(levels_db))
    if pauses.shape[0] < LEAST_PAUSE_FRAMES:
        return {}
    return _named(clip, "pauses alone") | {"score": detector.judge(centred(pauses))}


def detector_cost(seconds: float = 5.0, rounds: int = 20) -> dict[str, float]:
    """Return the milliseconds of one thread that a score of so much speech takes, median and worst, and the bytes."""
    detector = LiveDetector()
    noise = np.random.default_rng(1).standard_normal(int(seconds * RATE_HZ)).astype(np.float32)
    taken_ms = []
    for _ in range(rounds):
        started_ns = time.thread_time_ns()
        detector.score(noise)
        taken_ms.append((time.thread_time_ns() - started_ns) / 1e6)
    size = float(detector.path.stat().st_size)
    spectrum = speech_spectrum(noise)
    started_ns = time.thread_time_ns()
    detector.judge(spectrum)
    alone_ms = (time.thread_time_ns() - started_ns) / 1e6
    return {"median_ms": float(np.median(taken_ms)), "worst_ms": max(taken_ms), "network_ms": alone_ms, "bytes": size}
