"""Reading sound: libsndfile first, the ffmpeg command for all else."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import numpy as np
import numpy.typing as npt
import soundfile

from vcfx.errors import AudioFileError

from .checked_file import CheckedFile, ForwardSoundFile
from .ffmpeg import FfmpegSource
from .formats import Encoding

Interleaved = npt.NDArray[np.float32]
#: libsndfile says so when a header does not tell the length.
_UNKNOWN_LENGTH = 1 << 62


class Source(Protocol):
    """An opened sound file, read from start to end.

    Attributes
    ----------
    sample_rate, channels
        Hz; count.
    frames
        What the header promises, or None.
    encoding
        How the file stores its samples.
    tags
        title, artist, album, comment, copyright, date, license, tracknumber, genre: those that are there.
    """

    sample_rate: int
    channels: int
    frames: int | None
    encoding: Encoding
    tags: dict[str, str]

    def read(self, frames: int) -> Interleaved:
        """Return the next frames, (frames, channels); fewer at the end, then none. Valid until the next call."""
        ...

    def close(self) -> None:
        """Close; may be called twice."""
        ...


class SndfileSource:
    """A file that libsndfile reads.

    Parameters
    ----------
    path
        The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._raw = path.open("rb")
        self._checked = CheckedFile(self._raw)
        try:
            self._file = ForwardSoundFile(self._checked)
        except BaseException:
            self._raw.close()
            raise
        self.sample_rate: int = self._file.samplerate
        self.channels: int = self._file.channels
        frames = int(self._file.frames)
        self.frames: int | None = frames if 0 <= frames < _UNKNOWN_LENGTH else None
        self.encoding = Encoding(self._file.format, self._file.subtype)
        self.tags: dict[str, str] = {name: text for name, text in self._file.copy_metadata().items() if text}
        self._block = np.empty((0, self.channels), np.float32)

    def read(self, frames: int) -> Interleaved:
        """Return the next frames."""
        if len(self._block) < frames:
            self._block = np.empty((frames, self.channels), np.float32)
        try:
            got: Interleaved = self._file.read(out=self._block[:frames])
            self._checked.check()
        except soundfile.SoundFileError as error:
            raise AudioFileError(f"{self._path} is damaged: {_reason(error)}") from error
        except OSError as error:
            raise AudioFileError(f"{self._path} cannot be read on: {error.strerror or error}") from error
        return got

    def close(self) -> None:
        """Close."""
        self._file.close()
        self._raw.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def open_source(path: Path) -> Source:
    """Open a sound file, whatever its name says.

    Parameters
    ----------
    path
        A file; not a folder.
    """
    try:
        _check_readable(path)
        try:
            return SndfileSource(path)
        except soundfile.SoundFileError as error:
            return FfmpegSource(path, _reason(error))
    except AudioFileError:
        raise
    except OSError as error:
        raise AudioFileError(f"{path} cannot be read: {error.strerror or error}") from error


def _check_readable(path: Path) -> None:
    mode = os.stat(path)
    if stat.S_ISDIR(mode.st_mode):
        raise AudioFileError(f"{path} is a folder, not a sound file")
    if stat.S_ISREG(mode.st_mode) and mode.st_size == 0:
        raise AudioFileError(f"{path} is empty (0 bytes)")


def _reason(error: soundfile.SoundFileError) -> str:
    text = str(getattr(error, "error_string", error))
    return text.removeprefix("Error : ").strip().rstrip(".").replace("\n", " ") or "no reason given"
