"""Mono sound with its sample rate, and the few measurements that every part of the evaluation shares."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from vcfx_dsp.resampler import resample_signal

Audio = npt.NDArray[np.float32]

#: Frames this far below the loudest one are pauses.
ACTIVE_RANGE_DB: Final = 35.0
FRAME_S: Final = 0.02
#: What a level of nothing at all is called.
SILENCE_DB: Final = -120.0


class Sound(NamedTuple):
    """Mono audio, float32 (frames,), and its rate in Hz."""

    audio: Audio
    sample_rate: int

    @property
    def seconds(self) -> float:
        """Duration."""
        return self.audio.size / self.sample_rate

    def at(self, sample_rate: int) -> Sound:
        """Return the sound at another rate."""
        if sample_rate == self.sample_rate:
            return self
        converted = resample_signal(self.audio[None], self.sample_rate, sample_rate)
        return Sound(np.ascontiguousarray(converted[0], np.float32), sample_rate)

    def content_hash(self) -> str:
        """Return a name for exactly these samples at this rate."""
        digest = hashlib.sha256(str(self.sample_rate).encode())
        digest.update(np.ascontiguousarray(self.audio, np.float32).tobytes())
        return digest.hexdigest()[:32]


def load_sound(path: Path) -> Sound:
    """Read a sound file, its channels averaged."""
    import soundfile

    audio, sample_rate = soundfile.read(path, dtype="float32", always_2d=True)
    return Sound(np.ascontiguousarray(audio.mean(axis=1), np.float32), int(sample_rate))


def save_sound(path: Path, sound: Sound) -> None:
    """Write 16-bit sound in the format of the file's ending, under a temporary name first."""
    import soundfile

    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.stem}.part{path.suffix}")
    soundfile.write(temporary, np.clip(sound.audio, -1.0, 1.0), sound.sample_rate, subtype="PCM_16")
    temporary.replace(path)


def frame_levels_db(sound: Sound, frame_s: float = FRAME_S) -> npt.NDArray[np.float64]:
    """Return the level of each frame in dB of full scale, not below `SILENCE_DB`."""
    size = max(1, round(frame_s * sound.sample_rate))
    count = sound.audio.size // size
    if count == 0:
        return np.full(1, SILENCE_DB)
    frames = sound.audio[: count * size].astype(np.float64).reshape(count, size)
    floor = 10 ** (SILENCE_DB / 10)
    levels: npt.NDArray[np.float64] = 10 * np.log10(np.maximum(np.mean(frames**2, axis=1), floor))
    return levels


def active_level_db(sound: Sound) -> float:
    """Return the RMS level, in dB of full scale, of the frames that are not pauses."""
    levels = frame_levels_db(sound)
    active = levels[levels >= levels.max() - ACTIVE_RANGE_DB]
    return float(10 * np.log10(np.mean(10 ** (active / 10))))


def split_at_pause(sound: Sound, ratio: float) -> tuple[Sound, Sound]:
    """Cut in two at the quietest 60 ms within a tenth of the length around `ratio`."""
    levels = frame_levels_db(sound)
    smooth = np.convolve(levels, np.ones(3) / 3, mode="same")
    low, high = int((ratio - 0.1) * levels.size), int((ratio + 0.1) * levels.size) + 1
    cut = round((low + int(np.argmin(smooth[low:high])) + 0.5) * FRAME_S * sound.sample_rate)
    return Sound(sound.audio[:cut], sound.sample_rate), Sound(sound.audio[cut:], sound.sample_rate)
