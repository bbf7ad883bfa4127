"""What a notice sounds like: two notes, or a sentence."""

from __future__ import annotations

from importlib import resources
from typing import Final

import numpy as np

from .node import Block
from .resampler import resample_signal

SOUNDS: Final = ("tone", "spoken")
#: The notes: Hz, seconds, and the pause between them.
NOTES_HZ: Final = (880.0, 1174.66)
NOTE_S: Final = 0.3
PAUSE_S: Final = 0.05
TONE_PEAK: Final = 0.2
#: "You are listening to an artificial voice." It was spoken by the speech synthesiser Kokoro-82M (Apache-2.0) with its
#: voice bf_emma, made 16 kHz, trimmed, set to a peak of 1 and packed into the 8 bits of `unpacked`: 34 kB.
CLIP: Final = "artificial_voice.ulaw"
CLIP_RATE_HZ: Final = 16_000
SPOKEN_PEAK: Final = 0.5
_MU: Final = 255.0


def notice_sound(sound: str, sample_rate: int) -> Block:
    """Return a notice as float32 (1, frames); it begins and ends with silence or close to it.

    Parameters
    ----------
    sound
        One of `SOUNDS`.
    sample_rate
        Hz, 8000 to 192000.
    """
    return _tone(sample_rate) if sound == "tone" else _spoken(sample_rate)


def unpacked(packed: bytes) -> Block:
    """Return samples packed by the mu law with mu = 255, one byte each: round(127 F(x)) + 128 (ITU-T G.711's curve)."""
    compressed = (np.frombuffer(packed, np.uint8).astype(np.float64) - 128.0) / 127.0
    samples = np.sign(compressed) * ((1.0 + _MU) ** np.abs(compressed) - 1.0) / _MU
    return samples.astype(np.float32).reshape(1, -1)


def _tone(sample_rate: int) -> Block:
    """Notes under a raised-sine envelope, which begins and ends with zero slope."""
    time_s = np.arange(round(NOTE_S * sample_rate)) / sample_rate
    envelope = np.sin(np.pi * time_s / NOTE_S) ** 2
    pause = np.zeros(round(PAUSE_S * sample_rate))
    low, high = (TONE_PEAK * envelope * np.sin(2.0 * np.pi * note_hz * time_s) for note_hz in NOTES_HZ)
    return np.concatenate([low, pause, high]).astype(np.float32).reshape(1, -1)


def _spoken(sample_rate: int) -> Block:
    packed = (resources.files("vcfx_dsp") / "sounds" / CLIP).read_bytes()
    clip = resample_signal(unpacked(packed), CLIP_RATE_HZ, sample_rate)
    return np.ascontiguousarray(clip * np.float32(SPOKEN_PEAK / np.abs(clip).max()))
