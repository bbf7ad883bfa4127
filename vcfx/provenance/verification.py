"""Everything that a sound file tells of where its voice comes from: mark, metadata, content credentials."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from vcfx.errors import AudioFileError
from vcfx.files.quantise import replace_non_finite
from vcfx.files.source import Source, open_source
from vcfx_dsp.node import MAX_CHANNELS, MAX_RATE_HZ, MIN_RATE_HZ
from vcfx_dsp.watermark.key import WatermarkKey

from .credentials import Credentials, read_credentials
from .disclosure import Disclosure
from .marks import KeyedSegment, MarkReport, MarkScan
from .names import KnownNames
from .tags import read_tags

#: Called with the seconds done and, if the header told, the seconds in all.
OnProgress = Callable[[float, float | None], None]
_BLOCK: Final = 1 << 15


@dataclass(frozen=True, slots=True)
class FileReport:
    """What was found in a file.

    Parameters
    ----------
    mark
        What the detector says.
    says
        What its metadata say; None if they say nothing.
    says_all
        Whether `says` is the whole of what was written, not only a sentence in a comment.
    credentials
        None if it has none.
    """

    mark: MarkReport
    says: Disclosure | None
    says_all: bool
    credentials: Credentials | None

    @property
    def conclusion(self) -> str:
        """One sentence without its full stop."""
        mark = self.mark
        if mark.found:
            where = ", ".join(f"from {each.start_s:.1f} to {each.end_s:.1f} s" for each in mark.segments[:8])
            more = f" and in {len(mark.segments) - 8} more places" if len(mark.segments) > 8 else ""
            return f"carries the mark of vcfx: a converted voice, {where}{more}"
        if mark.is_too_short:
            found = f"too short to tell ({mark.sound_seconds:.1f} s of sound)"
        else:
            found = f"no mark found in {mark.sound_seconds:.1f} s of sound"
        claims = self._claims()
        hidden = ", and marked under a private key" if self.private_key else ""
        return f"{found}, but {' and '.join(claims)} that its voice is artificial{hidden}" if claims else found

    @property
    def contradiction(self) -> str:
        """What does not fit together, one sentence without its full stop; empty if all does."""
        said = self.says
        if said is None or said.mark is None:
            return ""
        found = {segment.payload.number for segment in self.mark.segments if segment.key == said.mark_key}
        if not found or said.mark in found:
            return ""
        return "the metadata name another mark than the sound carries; they may have come from another file"

    @property
    def private_key(self) -> str:
        """Fingerprint of the private key under which the file says that it is marked, where no such mark was found."""
        claimed = [self.says, None if self.credentials is None else self.credentials.disclosure]
        keys = [said.mark_key for said in claimed if said is not None and said.mark_key]
        found = {segment.key for segment in self.mark.segments}
        return next((key for key in keys if key not in found), "")

    def as_json(self, names: KnownNames) -> dict[str, Any]:
        """Return what `vcfx verify --json` prints besides the file's name."""
        return {
            "conclusion": self.conclusion,
            "contradiction": self.contradiction,
            "mark": {
                "found": self.mark.found,
                "confidence": self.mark.confidence,
                "seconds": round(self.mark.seconds, 3),
                "sound_seconds": round(self.mark.sound_seconds, 3),
                "too_short": self.mark.is_too_short,
                "says_private_key": self.private_key or None,
                "segments": [_segment(each, names) for each in self.mark.segments],
            },
            "metadata": None if self.says is None else _said(self.says) | {"whole": self.says_all},
            "credentials": None if self.credentials is None else _claimed(self.credentials),
        }

    def _claims(self) -> list[str]:
        claims = []
        if self.says is not None and self.says.is_artificial:
            claims.append("its metadata say")
        credentials = self.credentials
        said = None if credentials is None or credentials.state == "broken" else credentials.disclosure
        if said is not None and said.is_artificial:
            claims.append("its content credentials say")
        return claims


def verify_file(
    path: Path, on_progress: OnProgress, shown: str = "", private_keys: Sequence[WatermarkKey] = ()
) -> FileReport:
    """Read a sound file whole and return what it tells.

    Parameters
    ----------
    path
        The file.
    on_progress
        Called now and then.
    shown
        What errors call it; empty: its path.
    private_keys
        Keys of marks to look for besides the public one.

    Raises
    ------
    AudioFileError
        If it cannot be read as sound.
    """
    audio = open_source(path)
    try:
        _check(audio, shown or str(path))
        comment = audio.tags.get("comment", "")
        scan = MarkScan(audio.sample_rate, audio.channels, private_keys)
        mark = _scanned(audio, scan, on_progress)
    finally:
        audio.close()
    said, is_whole = read_tags(path, comment)
    return FileReport(mark, said, is_whole, read_credentials(path))


def _check(audio: Source, shown: str) -> None:
    if not MIN_RATE_HZ <= audio.sample_rate <= MAX_RATE_HZ:
        raise AudioFileError(f"{shown} has {audio.sample_rate} Hz; allowed: {MIN_RATE_HZ} to {MAX_RATE_HZ}")
    if not 1 <= audio.channels <= MAX_CHANNELS:
        raise AudioFileError(f"{shown} has {audio.channels} channels; allowed: 1 to {MAX_CHANNELS}")


def _scanned(audio: Source, scan: MarkScan, on_progress: OnProgress) -> MarkReport:
    seconds_in_all = None if audio.frames is None else audio.frames / audio.sample_rate
    done = 0
    while len(interleaved := audio.read(_BLOCK)):
        block = np.array(interleaved.T, np.float32, order="C")
        replace_non_finite(block)
        scan.add(block)
        done += block.shape[1]
        on_progress(done / audio.sample_rate, seconds_in_all)
    return scan.finish()


def _segment(segment: KeyedSegment, names: KnownNames) -> dict[str, Any]:
    return {
        "start_s": round(segment.start_s, 3),
        "end_s": round(segment.end_s, 3),
        "confidence": segment.confidence,
        "private_key": segment.key or None,
        "payload_confidence": segment.payload_confidence,
        "installation": segment.payload.installation,
        "installation_name": names.installation(segment.payload.installation),
        "voice": segment.payload.voice,
        "voice_name": names.voice(segment.payload.voice),
    }


def _said(disclosure: Disclosure) -> dict[str, Any]:
    return asdict(disclosure) | {"artificial": disclosure.is_artificial, "sentence": disclosure.sentence}


def _claimed(credentials: Credentials) -> dict[str, Any]:
    said = None if credentials.disclosure is None else _said(credentials.disclosure)
    return asdict(credentials) | {"disclosure": said}
