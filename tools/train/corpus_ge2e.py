"""Stage 3: a GE2E speaker embedding (Wan et al. 2018) of every clip, with Resemblyzer's weights, in large batches."""

from __future__ import annotations

from collections.abc import Iterator
from multiprocessing.pool import Pool
from pathlib import Path
from typing import Any, Final

import librosa
import numpy as np
import numpy.typing as npt
import soxr
from rich.progress import track

from vcfx_models.ge2e_geometry import BANDS, EMBEDDING_SIZE, FFT_SAMPLES, HOP_SAMPLES, PARTIAL_FRAMES
from vcfx_models.ge2e_geometry import SAMPLE_RATE as ENCODER_RATE_HZ

from .corpus_audio import Mono, each_clip, read_clip
from .corpus_files import RATE_HZ, Clip, CorpusError, save_array

PARTIAL_STEP: Final = 80
MOST_PARTIALS: Final = 6
BATCH: Final = 512
SILENCE_DB: Final = -40.0
PAUSE_FRAMES: Final = 20

Bands = npt.NDArray[np.float32]


def mel_bands(mono: Mono) -> Bands:
    """Return the 40-band mel power of a 24 kHz signal, shape (frames, 40), without its silences."""
    low = soxr.resample(mono, RATE_HZ, ENCODER_RATE_HZ, "HQ")
    bands = librosa.feature.melspectrogram(
        y=low, sr=ENCODER_RATE_HZ, n_fft=FFT_SAMPLES, hop_length=HOP_SAMPLES, n_mels=BANDS
    ).T.astype(np.float32)
    return bands[spoken_frames(bands)]


def spoken_frames(bands: Bands) -> npt.NDArray[np.bool_]:
    """Return which frames are speech by their energy, keeping pauses of up to 0.2 s on each side of it."""
    power = bands.sum(axis=1)
    loud = power > power.max() * 10 ** (SILENCE_DB / 10)
    near = np.convolve(loud, np.ones(PAUSE_FRAMES + 1), mode="same")[: loud.size] > 0
    return near if near.any() else np.ones(loud.size, bool)


def partials(bands: Bands) -> Bands:
    """Return up to 6 stretches of 1.6 s, spread over the clip, shape (partials, 160, 40)."""
    if len(bands) < PARTIAL_FRAMES:
        return np.pad(bands, ((0, PARTIAL_FRAMES - len(bands)), (0, 0)))[None]
    last = len(bands) - PARTIAL_FRAMES
    count = min(MOST_PARTIALS, 1 + -(-last // PARTIAL_STEP))
    starts = np.linspace(0, last, count).round().astype(int)
    return np.stack([bands[start : start + PARTIAL_FRAMES] for start in starts])


def _clip_partials(place: tuple[str, int, int]) -> Bands:
    return partials(mel_bands(read_clip(place)))


class SpeakerEncoder:
    """Three LSTM layers and a projection, in float32 on the CPU.

    Parameters
    ----------
    weights
        ``resemblyzer/pretrained.pt``.
    threads
        Threads of a batch.
    """

    def __init__(self, weights: Path, threads: int) -> None:
        import torch

        from vcfx_models.networks.ge2e import read_ge2e

        if not weights.is_file():
            raise CorpusError(f"{weights} is missing")
        torch.set_num_threads(threads)
        self._torch: Any = torch
        self._network = read_ge2e(weights)

    def embed(self, stretches: Bands) -> npt.NDArray[np.float32]:
        """Return one unit vector per stretch, shape (stretches, 256)."""
        with self._torch.inference_mode():
            made = self._network(self._torch.from_numpy(np.ascontiguousarray(stretches)))
            vectors: npt.NDArray[np.float32] = made.numpy()
        return vectors


def batches(stretches: Iterator[Bands]) -> Iterator[tuple[Bands, list[int]]]:
    """Yield about 512 stretches at a time and how many belong to each clip."""
    held: list[Bands] = []
    for clip in stretches:
        held.append(clip)
        if sum(map(len, held)) >= BATCH:
            yield np.concatenate(held), [len(h) for h in held]
            held = []
    if held:
        yield np.concatenate(held), [len(h) for h in held]


def make_embeddings(folder: Path, clips: list[Clip], weights: Path, pool: Pool, threads: int) -> None:
    """Write ge2e.npy: the L2-normalised mean of each clip's partials, shape (clips, 256)."""
    encoder = SpeakerEncoder(weights, threads)
    stretches = pool.imap(_clip_partials, each_clip(folder, clips), chunksize=16)
    embeddings = np.zeros((len(clips), EMBEDDING_SIZE), np.float32)
    number = 0
    for batch, counts in batches(iter(track(stretches, "speakers", total=len(clips)))):
        vectors = encoder.embed(batch)
        for own in np.split(vectors, np.cumsum(counts)[:-1]):
            mean = own.mean(axis=0)
            embeddings[number] = mean / max(float(np.linalg.norm(mean)), 1e-9)
            number += 1
    save_array(folder / "ge2e.npy", embeddings)
