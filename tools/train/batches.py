"""Crops of the corpus, spoiled on the way in as microphones and rooms do, with what should come out."""

from __future__ import annotations

import csv
import itertools
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from vcfx_models import geometry as grid
from vcfx_models.voice_vector import voice_vector

from .compute_device import on_device
from .front_end import PAST_SAMPLES, energy_pairs, log_mel, power_frames, warped_filterbank

#: Where the melody of a target is held.
LOWEST_HZ, HIGHEST_HZ = 50.0, 800.0
WARPS = np.linspace(0.84, 1.19, 15)
Floats = npt.NDArray[np.float32]


@dataclass
class Batch:
    """One training batch; shapes with b clips of t hops.

    Parameters
    ----------
    mel
        (b, t, 80) of the spoiled input.
    prosody
        (b, t, 4, 2) as the decoder wants it, melody of the target, loudness of the input.
    voice
        (b, 416) of the target.
    identity
        (b, 256) GE2E embedding of the target clip itself.
    target
        (b, t * 240) samples to be spoken.
    f0_hz
        (b, 2 t), held where unvoiced.
    symbols, features, features_known
        (b, t) symbol numbers, -1 unknown; (b, t, 128) content of the teacher, (b, t) where it is known.
    bandwidth_hz, is_swap, is_back
        (b,); a swap has another's voice and no audio to compare with, a "back" is a recording whose input shall be
        converted to another's voice first.
    """

    mel: Tensor
    prosody: Tensor
    voice: Tensor
    identity: Tensor
    target: Tensor
    f0_hz: Tensor
    symbols: Tensor
    features: Tensor
    features_known: Tensor
    bandwidth_hz: Tensor
    is_swap: Tensor
    is_back: Tensor


class Corpus:
    """The folder that `prepare_corpus.py` made, mapped into memory."""

    def __init__(self, folder: Path) -> None:
        self.audio = np.load(folder / "audio.npy", mmap_mode="r")
        with (folder / "clips.tsv").open() as table:
            self.clips = list(csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE))
        self.f0_hz, self.strength = np.load(folder / "f0_hz.npy"), np.load(folder / "strength.npy", mmap_mode="r")
        self.ge2e, self.spectrum = np.load(folder / "ge2e.npy"), np.load(folder / "spectrum.npy")
        # Before our own speaker encoder is there, its teacher's embeddings stand in.
        own = folder / "embedding.npy"
        self.embedding = np.load(own) if own.exists() else self.ge2e
        content = folder / "content"
        self.token_of_frame = np.load(content / "token_of_frame.npy")
        self.token_id = np.load(content / "token_id.npy")
        self.token_features = np.load(content / "token_pca.npy", mmap_mode="r")
        # Stored at unit variance; learned with the weight of their variance, or the weak axes drown the strong ones.
        scale = np.load(content / "pca.npz")["scale"]
        self.feature_scale = scale / np.sqrt(np.mean(scale**2))
        self.noise = np.load(folder / "noise.npy", mmap_mode="r")
        self.aligned: npt.NDArray[np.int16] | None = None
        if (folder / "aligned_start.npy").exists():
            self.aligned = np.load(folder / "aligned.npy")
            self.aligned_start = np.load(folder / "aligned_start.npy")
        self.start = self._column("start")
        self.frames = self._column("frames")
        self.f0_start, self.content_start = self._column("f0_start"), self._column("content_start")
        self.content_frames, self.partner = self._column("content_frames"), self._column("partner")
        self.held_f0_hz = _held(self.f0_hz, self.f0_start)
        self.by_speaker: dict[str, list[int]] = {}
        for index, clip in enumerate(self.clips):
            self.by_speaker.setdefault(f"{clip['set']}/{clip['speaker']}", []).append(index)

    def _column(self, name: str) -> npt.NDArray[np.int64]:
        return np.array([int(clip[name]) for clip in self.clips])

    def samples(self, clip: int, first: int, count: int) -> Floats:
        """Return samples of a clip, zeros beyond its ends."""
        out = np.zeros(count, np.float32)
        low, high = max(first, 0), min(first + count, int(self.frames[clip]))
        if high > low:
            place = int(self.start[clip])
            out[low - first : high - first] = self.audio[place + low : place + high] * (1.0 / 32768.0)
        return out

    def log_f0_mean(self, clip: int) -> float:
        """Return the median of ln F0 over the voiced frames of a clip, ln 150 where there are none."""
        first = int(self.f0_start[clip])
        track = self.f0_hz[first : first + int(self.frames[clip]) // grid.SUBFRAME_SAMPLES]
        voiced = track[track > 0]
        return float(np.log(np.median(voiced))) if voiced.size else float(np.log(150.0))


def _held(f0_hz: Floats, starts: npt.NDArray[np.int64]) -> Floats:
    """Fill unvoiced frames with the last voiced one of the clip (the first of all, before it)."""
    held = f0_hz.copy()
    edges = [*sorted(int(start) for start in starts), f0_hz.size]
    for left, right in itertools.pairwise(edges):
        track = held[left:right]
        voiced = np.flatnonzero(track > 0)
        if voiced.size == 0:
            track[:] = 150.0
            continue
        source = np.maximum.accumulate(np.where(track > 0, np.arange(track.size), 0))
        source[: voiced[0]] = voiced[0]
        track[:] = track[source]
    return held


class BatchMaker:
    """Draws batches; batch n of a seed is always the same.

    Parameters
    ----------
    corpus, seed
        What to draw from.
    size, hops
        Crops in a batch and their length.
    shares
        Weight of the kinds: "pair" (synthetic to synthetic), "real_pair" (recording to synthetic), "to_real" (the
        other way), "self" (a recording to itself), "swap" (a recording in another's voice), "back" (that, back to
        the recording).
    """

    def __init__(self, corpus: Corpus, seed: int, size: int, hops: int, shares: dict[str, float], spoil: bool = True):
        self.corpus, self.seed, self.size, self.hops, self.spoil = corpus, seed, size, hops, spoil
        self._filterbanks = torch.stack([warped_filterbank(float(warp)) for warp in WARPS])
        self._plain = warped_filterbank(1.0)
        self._pools = self._make_pools()
        self._kinds = list(shares)
        total = sum(shares.values())
        self._shares = [shares[kind] / total for kind in self._kinds]

    def _make_pools(self) -> dict[str, tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]]:
        corpus, pools = self.corpus, {"pair": [], "real_pair": [], "to_real": [], "self": []}
        shortest = grid.HOP_SAMPLES * 70
        for index, clip in enumerate(corpus.clips):
            if clip["split"] != "train" or corpus.frames[index] < shortest:
                continue
            partner = int(corpus.partner[index])
            kind = clip["kind"]
            if kind == "kokoro" and partner >= 0 and corpus.clips[partner]["kind"] == "kokoro":
                pools["pair"].append(index)
            elif kind == "kokoro" and partner >= 0:
                pools["to_real"].append(index)
            elif kind == "real":
                pools["self"].append(index)
                if partner >= 0:
                    pools["real_pair"].append(index)
        weighted = {}
        for kind, members in pools.items():
            weights = np.array([self._weight(index, kind) for index in members])
            weighted[kind] = (np.array(members), np.cumsum(weights / weights.sum()))
        return weighted

    def _weight(self, index: int, kind: str) -> float:
        """Give each speaker a say that grows more slowly than the hours they gave."""
        if kind != "self":
            return 1.0
        clip = self.corpus.clips[index]
        of_speaker = len(self.corpus.by_speaker[f"{clip['set']}/{clip['speaker']}"])
        doubt = 0.5 if clip["set"] == "speechocean762" else 1.0
        return doubt * of_speaker**-0.5

    def batch(self, number: int) -> Batch:
        """Return batch `number`."""
        rng = np.random.default_rng([self.seed, number])
        items = [self._item(rng) for _ in range(self.size)]
        stacked = {name: on_device(torch.from_numpy(np.stack([item[name] for item in items]))) for name in items[0]}
        power = power_frames(stacked.pop("input"))
        warp = stacked.pop("warp").long()
        banks = torch.where((warp < 0)[:, None, None], self._plain, self._filterbanks[warp.clamp(min=0)])
        mel = log_mel(power, banks)
        mel = torch.clamp(mel + stacked.pop("tilt")[:, None, :], min=float(np.log(grid.MEL_FLOOR)))
        energy = energy_pairs(log_mel(power, self._plain))
        melody = stacked.pop("melody")
        stacked["prosody"] = torch.cat([melody, energy[:, :, None]], dim=2)
        stacked["f0_hz"] = melody[:, :, 0].exp().flatten(1)
        return Batch(mel=mel, **{field.name: stacked[field.name] for field in fields(Batch) if field.name != "mel"})

    def _item(self, rng: np.random.Generator) -> dict[str, npt.NDArray[np.generic]]:
        corpus = self.corpus
        kind = self._kinds[int(rng.choice(len(self._kinds), p=self._shares))]
        source = self._draw(rng, kind)
        target = source if kind in ("self", "swap", "back") else int(corpus.partner[source])
        voice = self._draw(rng, kind) if kind == "swap" else target
        first = self._first_sample(rng, min(int(corpus.frames[source]), int(corpus.frames[target])))
        gain = np.float32(10.0 ** (rng.uniform(-15.0, 6.0) / 20.0)) if self.spoil else np.float32(1.0)
        heard = corpus.samples(source, first - PAST_SAMPLES, PAST_SAMPLES + self.hops * grid.HOP_SAMPLES) * gain
        spoken = corpus.samples(target, first - grid.LATENCY_SAMPLES, self.hops * grid.HOP_SAMPLES) * gain
        symbols, features = self._content(source, first)
        return {
            "input": self._spoiled(rng, heard),
            "target": spoken,
            "melody": self._melody(target, first, voice),
            "voice": self._voice(rng, voice),
            "identity": corpus.ge2e[voice],
            "symbols": symbols,
            "features": features,
            "features_known": features.any(axis=1),
            "bandwidth_hz": np.float32(corpus.clips[target]["bandwidth_hz"]),
            "is_swap": np.bool_(kind == "swap"),
            "is_back": np.bool_(kind == "back"),
            "warp": self._warp(rng, kind),
            "tilt": self._tilt(rng),
        }

    def _draw(self, rng: np.random.Generator, kind: str) -> int:
        members, edges = self._pools["self" if kind in ("swap", "back") else kind]
        return int(members[min(int(np.searchsorted(edges, rng.random())), len(members) - 1)])

    def _first_sample(self, rng: np.random.Generator, frames: int) -> int:
        spare = frames + grid.LATENCY_SAMPLES - self.hops * grid.HOP_SAMPLES
        latest = max(spare // grid.HOP_SAMPLES, 4)
        return int(rng.integers(3, latest + 1)) * grid.HOP_SAMPLES

    def _warp(self, rng: np.random.Generator, kind: str) -> npt.NDArray[np.int64]:
        likely = {"self": 0.6, "back": 0.0}.get(kind, 0.5)
        chosen = int(rng.integers(len(WARPS))) if self.spoil and rng.random() < likely else -1
        return np.int64(chosen)

    def _tilt(self, rng: np.random.Generator) -> Floats:
        """Return what a microphone adds to the log-mel spectrum: a slope and a bend, sometimes a narrow band."""
        tilt = np.zeros(grid.N_MELS, np.float32)
        if not self.spoil or rng.random() < 0.4:
            return tilt
        x = np.linspace(-1.0, 1.0, grid.N_MELS)
        tilt += (rng.normal(0.0, 0.8) * x + rng.normal(0.0, 0.6) * (x * x - 0.33)).astype(np.float32)
        if rng.random() < 0.12:
            tilt[int(rng.integers(48, 76)) :] -= 6.0
        return tilt

    def _spoiled(self, rng: np.random.Generator, heard: Floats) -> Floats:
        if not self.spoil:
            return heard
        if rng.random() < 0.25:
            heard = in_a_room(rng, heard)
        if rng.random() < 0.5:
            first = int(rng.integers(0, self.corpus.noise.size - heard.size))
            noise = self.corpus.noise[first : first + heard.size].astype(np.float32) / 32768.0
            ratio = 10.0 ** (rng.uniform(5.0, 40.0) / 20.0)
            noise *= np.sqrt(np.mean(heard**2) + 1e-9) / (np.sqrt(np.mean(noise**2)) + 1e-6) / ratio
            heard = heard + noise.astype(np.float32)
        hiss = 10.0 ** (rng.uniform(-90.0, -55.0) / 20.0)
        heard = heard + rng.standard_normal(heard.size, dtype=np.float32) * np.float32(hiss)
        return np.clip(heard, -1.0, 1.0)

    def _melody(self, clip: int, first: int, voice: int) -> Floats:
        """Return (hops, 3, 2): log F0 held, voicing, strength at the ends of the subframes of each output hop.

        Another `voice` than the clip's gets the clip's melody around its own mean.
        """
        corpus, count = self.corpus, self.hops * grid.SUBFRAMES
        low = int(corpus.f0_start[clip])
        last = low + int(corpus.frames[clip]) // grid.SUBFRAME_SAMPLES
        index = low + (first - grid.LATENCY_SAMPLES) // grid.SUBFRAME_SAMPLES + 1 + np.arange(count)
        inside = (index >= low) & (index <= last)
        index = np.clip(index, low, last)
        strength = np.where(inside, corpus.strength[index], 0.0)
        voicing = np.where(corpus.f0_hz[index] > 0, strength, 0.0)
        shift = 0.0 if voice == clip else corpus.log_f0_mean(voice) - corpus.log_f0_mean(clip)
        log_f0 = np.clip(np.log(corpus.held_f0_hz[index]) + shift, np.log(LOWEST_HZ), np.log(HIGHEST_HZ))
        tracks = np.stack([log_f0, voicing, strength])
        return tracks.reshape(3, self.hops, grid.SUBFRAMES).transpose(1, 0, 2).astype(np.float32)

    def _voice(self, rng: np.random.Generator, clip: int) -> Floats:
        corpus, row = self.corpus, self.corpus.clips[clip]
        reference = clip
        if row["kind"] == "real":
            siblings = corpus.by_speaker[f"{row['set']}/{row['speaker']}"]
            reference = int(siblings[int(rng.integers(len(siblings)))])
        embedding = corpus.embedding[reference]
        if self.spoil:
            embedding = embedding + rng.normal(0.0, 0.008, embedding.size).astype(np.float32)
        return voice_vector(embedding, corpus.spectrum[reference])

    def _content(self, clip: int, first: int) -> tuple[npt.NDArray[np.int64], Floats]:
        corpus = self.corpus
        features = np.zeros((self.hops, corpus.token_features.shape[1]), np.float32)
        symbols = np.full(self.hops, -1, np.int64)
        middle = first - grid.LATENCY_SAMPLES + grid.HOP_SAMPLES // 2 + np.arange(self.hops) * grid.HOP_SAMPLES
        if corpus.content_start[clip] < 0:
            if corpus.aligned is not None and corpus.aligned_start[clip] >= 0:
                place = middle // grid.HOP_SAMPLES
                inside = (place >= 0) & (place < int(corpus.frames[clip]) // grid.HOP_SAMPLES)
                start = int(corpus.aligned_start[clip])
                symbols[inside] = corpus.aligned[start + place[inside]]
            return symbols, features
        frame = middle // 600  # the teacher's frames: 40 a second
        inside = (frame >= 0) & (frame < corpus.content_frames[clip])
        rows = corpus.token_of_frame[int(corpus.content_start[clip]) + np.where(inside, frame, 0)]
        inside &= rows >= 0
        rows = np.where(inside, rows, 0)
        features[inside] = corpus.token_features[rows[inside]] * corpus.feature_scale
        symbols[inside] = corpus.token_id[rows[inside]]
        return symbols, features


def in_a_room(rng: np.random.Generator, heard: Floats) -> Floats:
    """Add a decaying tail of noise to the direct sound: a simple room."""
    seconds, level = rng.uniform(0.08, 0.4), 10.0 ** (rng.uniform(-25.0, -8.0) / 20.0)
    time = np.arange(int(seconds * grid.SAMPLE_RATE)) / grid.SAMPLE_RATE
    tail = rng.standard_normal(time.size) * np.exp(-6.9 * time / seconds)
    tail *= level / np.sqrt(np.sum(tail**2))
    tail[0] = 1.0
    size = 1 << (heard.size + tail.size).bit_length()
    spread = np.fft.irfft(np.fft.rfft(heard, size) * np.fft.rfft(tail, size), size)[: heard.size]
    return spread.astype(np.float32)
