"""The way from a mouth, or from an attack, to a file: the same draws for both, so that the way tells nothing."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
import soxr
from scipy import signal

from vcfx_models.liveness.answer_coding import answer_coded

from .corpus_files import RATE_HZ as CORPUS_RATE_HZ
from .corpus_files import read_rows
from .liveness_material import RATE_HZ, Mono, share_of
from .liveness_rooms import box_room, in_room, noise_room

PEAK_RANGE: Final = (0.05, 0.9)
#: soundfile's name of the format and coding, and the compression levels drawn between.
CODECS: Final = {
    "opus": ("OGG", "OPUS", 0.87, 0.96),
    "mp3": ("MP3", "MPEG_LAYER_III", 0.3, 0.8),
    "vorbis": ("OGG", "VORBIS", 0.4, 0.9),
}
LEARNED_CODECS: Final = ("none", "none", "mp3", "answer")
JUDGED_CODECS: Final = ("none", "none", "mp3", "opus", "vorbis")


def coded(mono: Mono, codec: str, level: float) -> Mono:
    """Return a sound after a codec, at 16 kHz and as long as it was."""
    if codec == "none":
        return mono
    if codec == "answer":
        return answer_coded(mono)
    kind, coding, _, _ = CODECS[codec]
    extra = {"bitrate_mode": "CONSTANT"} if codec == "mp3" else {}
    file = io.BytesIO()
    soundfile.write(file, mono, RATE_HZ, format=kind, subtype=coding, compression_level=level, **extra)
    file.seek(0)
    found, _ = soundfile.read(file, dtype="float32")
    return np.resize(np.pad(found, (0, max(0, mono.size - found.size))), mono.size).astype(np.float32)


class Channel:
    """Draws rooms, microphones, noise, level and codec.

    Parameters
    ----------
    corpus
        Folder with noise.npy and noise.tsv.
    split
        "test" draws from noises and codecs that training never meets, and half its rooms are boxes.
    rng
        Source of all draws.
    snr_db
        Lowest and highest; None: 20 to 50, without noise for three clips in ten.
    """

    def __init__(
        self, corpus: Path, split: str, rng: np.random.Generator, snr_db: tuple[float, float] | None = None
    ) -> None:
        self._rng, self._snr_db, self._test = rng, snr_db, split == "test"
        rows = read_rows(corpus / "noise.tsv")
        self._noises = [
            (int(row["start"]), int(row["frames"]))
            for row in rows
            if (share_of(row["source"]) < 0.7) != self._test and int(row["frames"]) > CORPUS_RATE_HZ
        ]
        self._noise = np.load(corpus / "noise.npy", mmap_mode="r")

    def __call__(self, mono: Mono, room_share: float = 0.4) -> Mono:
        """Return a sound after one draw of everything; a room comes with the given probability."""
        rng = self._rng
        if rng.random() < room_share:
            room: Callable[[np.random.Generator], Mono] = box_room if self._test and rng.random() < 0.5 else noise_room
            mono = in_room(mono, room(rng))
        mono = self._noisy(self._microphone(mono))
        mono = _at_peak(mono, float(np.exp(rng.uniform(*np.log(PEAK_RANGE)))))
        codec = str(rng.choice(JUDGED_CODECS if self._test else LEARNED_CODECS))
        low, high = CODECS[codec][2:] if codec in CODECS else (0.0, 0.0)
        return coded(mono, codec, float(rng.uniform(low, high)))

    def _microphone(self, mono: Mono) -> Mono:
        rng = self._rng
        if rng.random() < 0.7:
            high = signal.butter(1, rng.uniform(40.0, 250.0), "high", fs=RATE_HZ, output="sos")
            mono = signal.sosfilt(high, mono)
        if rng.random() < 0.2:
            low = signal.butter(int(rng.integers(2, 9)), rng.uniform(5_000.0, 7_700.0), fs=RATE_HZ, output="sos")
            mono = signal.sosfilt(low, mono)
        return np.asarray(mono, np.float32)

    def _noisy(self, mono: Mono) -> Mono:
        rng = self._rng
        if self._snr_db is None and rng.random() < 0.3:
            return mono
        snr_db = rng.uniform(*(self._snr_db or (20.0, 50.0)))
        noise = self._some_noise(mono.size)
        level = np.sqrt(np.mean(np.square(mono)) / max(float(np.mean(np.square(noise))), 1e-12))
        return np.asarray(mono + noise * level * 10.0 ** (-snr_db / 20.0), np.float32)

    def _some_noise(self, frames: int) -> Mono:
        rng = self._rng
        if rng.random() < 0.4:  # hiss of a given colour
            return np.asarray(
                signal.lfilter([1.0], [1.0, -rng.uniform(0.0, 0.97)], rng.standard_normal(frames)), np.float32
            )
        start, length = self._noises[int(rng.integers(len(self._noises)))]
        wanted = frames * CORPUS_RATE_HZ // RATE_HZ + 1
        at = start + int(rng.integers(0, max(length - wanted, 1)))
        piece = np.resize(self._noise[at : min(at + wanted, start + length)].astype(np.float32), wanted)
        return np.asarray(soxr.resample(piece, CORPUS_RATE_HZ, RATE_HZ)[:frames], np.float32)


def _at_peak(mono: Mono, peak: float) -> Mono:
    return np.asarray(mono * (peak / max(float(np.abs(mono).max()), 1e-6)), np.float32)
