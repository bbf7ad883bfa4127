"""A file object for libsndfile that remembers why reading or writing failed."""

from __future__ import annotations

import io
from typing import Any

import soundfile


class CheckedFile:
    """Passes calls on to an unbuffered or buffered file and keeps the first failure.

    libsndfile calls this from C, where an exception would be lost; and some of its encoders (Vorbis, Opus, MP3) do not
    look at whether a write succeeded. So nothing is raised here: call `check` after every operation.

    Parameters
    ----------
    file
        An open binary file.
    """

    def __init__(self, file: io.RawIOBase | io.BufferedIOBase) -> None:
        self._file = file
        self._failure: BaseException | None = None

    def check(self) -> None:
        """Raise the first failure, if there was one."""
        if self._failure is not None:
            raise self._failure

    def tell(self) -> int:
        """Return the position."""
        try:
            return self._file.tell()
        except BaseException as failure:
            return self._keep(failure)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move; a damaged file may ask for a place before its start, which leaves the position as it is."""
        try:
            return self._file.seek(offset, whence)
        except (OSError, ValueError):
            return self.tell()
        except BaseException as failure:
            return self._keep(failure)

    def readinto(self, into: Any) -> int:
        """Fill `into` as far as the file goes."""
        try:
            return self._file.readinto(into) or 0
        except BaseException as failure:
            return self._keep(failure)

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes."""
        into = bytearray(size)
        return bytes(into[: self.readinto(into)])

    def write(self, data: bytes) -> int:
        """Write everything; after a failure nothing more, so that the encoder may finish in peace."""
        if self._failure is not None:
            return len(data)
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[self._file.write(rest) or 0 :]
        except BaseException as failure:
            self._keep(failure)
        return len(data)

    def _keep(self, failure: BaseException) -> int:
        if self._failure is None:
            self._failure = failure
        return 0


class ForwardSoundFile(soundfile.SoundFile):  # type: ignore[misc]  # soundfile carries no types
    """A sound file used from start to end: does not seek to where it already is after every block."""

    def seekable(self) -> bool:
        """Say no, whatever the file could do."""
        return False
