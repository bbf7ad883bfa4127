"""Stage 2: F0 and periodicity of every clip, 200 frames a second, without the tracker's delay."""

from __future__ import annotations

from multiprocessing.pool import Pool
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from rich.progress import track

from vcfx_dsp.f0_tracker import F0Tracker
from vcfx_models.geometry import F0_HIGHEST_HZ, F0_LOOKAHEAD_HOPS, F0_LOWEST_HZ

from .corpus_audio import Mono, each_clip, read_clip
from .corpus_files import RATE_HZ, Clip, save_array, write_clips

FRAME_SAMPLES: Final = 120

Track = npt.NDArray[np.float32]


def frame_count(frames: int) -> int:
    """Return how many F0 frames a clip of so many samples has."""
    return frames // FRAME_SAMPLES + 1


def f0_frames(mono: Mono) -> tuple[Track, Track]:
    """Return F0 (Hz, 0 = unvoiced) and strength (0 to 1); frame k describes the voice around sample 120 * k."""
    tracker = F0Tracker(RATE_HZ, F0_LOWEST_HZ, F0_HIGHEST_HZ, F0_LOOKAHEAD_HOPS)
    # The tracker's frame j is given out after 120 * (j + 1) samples and describes the voice delay_samples earlier.
    shift = round(tracker.delay_samples / FRAME_SAMPLES) - 1
    count = frame_count(mono.size)
    found = tracker.track(np.pad(mono, (0, (shift + 2) * FRAME_SAMPLES)))
    ours = slice(shift, shift + count)
    return found.f0_hz[ours].astype(np.float32), found.voicing[ours].astype(np.float32)


def _clip_frames(place: tuple[str, int, int]) -> tuple[Track, Track]:
    return f0_frames(read_clip(place))


def make_f0(folder: Path, clips: list[Clip], pool: Pool) -> None:
    """Write f0_hz.npy, strength.npy and the column f0_start."""
    starts = np.cumsum([0, *(frame_count(clip.frames) for clip in clips)])
    f0_hz, strength = np.zeros(starts[-1], np.float32), np.zeros(starts[-1], np.float32)
    tracks = pool.imap(_clip_frames, each_clip(folder, clips), chunksize=16)
    for clip, (f0, voicing) in zip(clips, track(tracks, "F0", total=len(clips)), strict=True):
        start, stop = starts[clip.clip], starts[clip.clip + 1]
        f0_hz[start:stop], strength[start:stop] = f0, voicing
        clip.f0_start = int(start)
    write_clips(folder, clips)
    save_array(folder / "strength.npy", strength)
    save_array(folder / "f0_hz.npy", f0_hz)
