"""Writing sound: to a temporary name in the same folder, renamed when all is well."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt
import soundfile

from vcfx import __version__
from vcfx.errors import AudioFileError
from vcfx.provenance.credentials import check_signing, sign_file
from vcfx.provenance.disclosure import Disclosure
from vcfx.provenance.tags import comment_with, write_tags

from .checked_file import CheckedFile, ForwardSoundFile
from .formats import MAX_RIFF_BYTES, Encoding, stored_bytes
from .quantise import count_above_full_scale, is_integer, replace_non_finite, to_integers
from .renderer import Block

_MAX_TAG_CHARACTERS = 1000
_FLOATING = ("FLOAT", "DOUBLE")
_TAGS = ("title", "artist", "album", "comment", "copyright", "date", "license", "tracknumber", "genre")


def part_beside(target: Path) -> Path:
    """Return a new temporary name in the target's folder."""
    return target.with_name(f".vcfx-{secrets.token_hex(6)}.part")


class TargetFile:
    """A sound file in the making; a context manager that leaves nothing behind unless `commit` was called.

    Parameters
    ----------
    target
        The final name.
    encoding
        Container and subtype.
    sample_rate, channels
        Hz; count.
    tags
        Title, artist and so on; what the format cannot hold is dropped.
    part
        The temporary name, if the caller must know it.
    disclosure
        What the file is to say of how its sound was made.
    credentials
        Whether that is signed into it too, as content credentials.
    """

    def __init__(
        self,
        target: Path,
        encoding: Encoding,
        sample_rate: int,
        channels: int,
        tags: dict[str, str],
        part: Path | None = None,
        disclosure: Disclosure | None = None,
        credentials: bool = False,
    ) -> None:
        self._target, self._encoding, self._channels = target, encoding, channels
        self._disclosure, self._tags = disclosure, dict(tags)
        self._credentials = credentials and disclosure is not None
        if self._credentials:
            check_signing(encoding.container, str(target))
        if disclosure is not None:
            self._tags["comment"] = comment_with(disclosure, tags.get("comment", ""))
        self._part = part or part_beside(target)
        self._closed = False
        self.frames = 0
        self.clipped_samples = 0
        self.non_finite_samples = 0
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            self._raw = self._part.open("xb", buffering=0)
        except OSError as error:
            raise self._cannot(error) from error
        self._checked = CheckedFile(self._raw)
        try:
            self._open(sample_rate)
        except BaseException:
            self._discard()
            raise

    def _open(self, sample_rate: int) -> None:
        container, subtype = self._encoding.container, self._encoding.subtype
        try:
            self._file = ForwardSoundFile(
                self._checked, "w", sample_rate, self._channels, format=container, subtype=subtype
            )
        except (soundfile.SoundFileError, ValueError) as error:
            self._raise_failure()
            raise AudioFileError(
                f"{self._target}: {container} {subtype} does not take {sample_rate} Hz with {self._channels} channels"
            ) from error
        for name in _TAGS:
            self._set_tag(name, self._tags.get(name, ""))
        self._set_tag("software", f"vcfx {__version__}")

    def _set_tag(self, name: str, text: str) -> None:
        text = text.replace("\0", "").encode("utf-8", "replace").decode()[:_MAX_TAG_CHARACTERS]
        if text:
            with contextlib.suppress(soundfile.SoundFileError):  # AIFF and others hold only some tags
                setattr(self._file, name, text)

    def write(self, block: Block) -> None:
        """Append (channels, frames).

        What is not a number becomes 0; what is above full scale is held there, unless floating point is written (LAME
        aborts on huge samples). Both are counted.
        """
        self.non_finite_samples += replace_non_finite(block)
        subtype = self._encoding.subtype
        if subtype not in _FLOATING:
            self.clipped_samples += count_above_full_scale(block)
        self.frames += block.shape[1]
        if self._encoding.container in ("WAV", "WAVEX", "AIFF"):
            self._check_size()
        if is_integer(subtype):
            self._put(to_integers(block, subtype))
        elif subtype in _FLOATING:
            self._put(np.ascontiguousarray(block.T))
        else:
            self._put(np.ascontiguousarray(np.clip(block, -1.0, 1.0).T))

    def _check_size(self) -> None:
        if stored_bytes(self._encoding.subtype, self.frames, self._channels) > MAX_RIFF_BYTES:
            raise AudioFileError(f"{self._target} passes the 4 GiB that {self._encoding.container} holds; use rf64")

    def _put(self, samples: npt.NDArray[np.int32] | Block) -> None:
        try:
            self._file.write(samples)
        except soundfile.SoundFileError as error:
            self._raise_failure()
            raise AudioFileError(f"{self._target} cannot be written: {error}") from error
        self._raise_failure()

    def commit(self) -> None:
        """Finish the file and give it its name."""
        try:
            self._file.close()
        except soundfile.SoundFileError as error:
            self._raise_failure()
            raise AudioFileError(f"{self._target} cannot be finished: {error}") from error
        self._raise_failure()
        try:
            self._raw.close()
            self._disclose()
            os.replace(self._part, self._target)
        except OSError as error:
            raise self._cannot(error) from error
        self._closed = True

    def _disclose(self) -> None:
        """Write into the finished file what it is to say; what signs it needs it whole, and makes another."""
        if self._disclosure is None:
            return
        container = self._encoding.container
        write_tags(self._part, container, self._disclosure, self._tags)
        if self._credentials:
            signed = part_beside(self._target)
            try:
                sign_file(self._part, signed, container, self._disclosure)
                os.replace(signed, self._part)
            finally:
                signed.unlink(missing_ok=True)

    def _raise_failure(self) -> None:
        try:
            self._checked.check()
        except OSError as error:
            raise self._cannot(error) from error

    def _cannot(self, error: OSError) -> AudioFileError:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return AudioFileError(f"{self._target} cannot be written: no space left on the disk")
        return AudioFileError(f"{self._target} cannot be written: {error.strerror or error}")

    def _discard(self) -> None:
        if self._closed:
            return
        self._closed = True
        file = getattr(self, "_file", None)
        if file is not None:
            with contextlib.suppress(soundfile.SoundFileError):
                file.close()
        with contextlib.suppress(OSError):
            self._raw.close()
        with contextlib.suppress(OSError):
            self._part.unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._discard()
