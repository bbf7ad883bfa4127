"""Record what goes in, what comes out, or both, with no disk work on the audio thread, the worker or control."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import time
from pathlib import Path
from typing import Any

from vcfx.errors import AudioFileError
from vcfx.provenance.disclosure import Disclosure, now_disclosed
from vcfx.provenance.of_graph import disclosure_of
from vcfx.provenance.tags import comment_with, write_tags

from . import cells as c
from .engine import Engine
from .recording_consent import RecordingConsent
from .tap import SIDES, Tap

_RING_S = 20.0
_WAKE_S = 0.1
_BLOCK_S = 0.5
_LITTLE_SPACE_BYTES = 1 << 20
WET = "wet"
#: What each ending is written as: WAV keeps the engine's floats, FLAC is half the size at 24 bits.
_SUBTYPES = {".wav": ("WAV", "FLOAT"), ".flac": ("FLAC", "PCM_24"), ".ogg": ("OGG", "VORBIS")}


def target_paths(path: Path, sides: str) -> dict[str, Path]:
    """Return the file of each side: `path` itself, or ``NAME-dry`` and ``NAME-wet`` beside it for both."""
    if sides != "both":
        return {sides: path}
    return {side: path.with_name(f"{path.stem}-{side}{path.suffix}") for side in SIDES[sides]}


def check_target(path: Path) -> str:
    """Return the ending of a recording's file name; raises `AudioFileError` if it cannot become a new file."""
    suffix = path.suffix.lower()
    if suffix not in _SUBTYPES:
        allowed = ", ".join(_SUBTYPES)
        raise AudioFileError(f"a recording cannot be written to '{path.name}'; allowed endings: {allowed}")
    if os.path.lexists(path):
        raise AudioFileError(f"'{path}' exists already; give the recording another name")
    if not path.absolute().parent.is_dir():
        raise AudioFileError(f"a recording cannot be written to '{path}': there is no folder '{path.parent}'")
    return suffix


class Recorder:
    """Writes one or both sides of the engine to files under temporary names; `close` gives them their own.

    The wet side is recorded only while every voice in it may be used for files. It ends before another one is heard.
    The wet side says of itself which artificial voices speak in it, as converted files do.
    A full disk ends the recording with a sentence in `problem`; what is on the disk by then is kept, and the voice
    goes on. Thread: any that may wait for the disk.

    Raises
    ------
    VcfxError
        If a file cannot be made, or a voice that is heard may not be recorded.
    """

    def __init__(self, engine: Engine, path: Path, sides: str = "wet") -> None:
        self.sides, self.problem = sides, ""
        self.targets = target_paths(path, sides)
        self._sample_rate, self._written = engine.sample_rate, 0
        self._engine, self._said = engine, now_disclosed(disclosure_of(engine.plan.graph))
        self._tap = Tap(engine, c.RECORD_TAP, sides, _RING_S)
        for target in self.targets.values():
            check_target(target)
        self._forbidden, self._gate = "", threading.Lock()
        self._consent = RecordingConsent(engine, self._forbid) if sides != "dry" else None
        self._files: dict[str, Any] = {}
        try:
            for side, target in self.targets.items():
                self._files[side] = _open(target, engine, self._said if side == WET else None)
        except AudioFileError:
            self._discard()
            self._ask_no_more()
            raise
        self._running = True
        with self._gate:
            if not self._forbidden:
                self._tap.attach()
        self._thread = threading.Thread(target=self._run, name="vcfx-record", daemon=True)
        self._thread.start()

    @property
    def paths(self) -> tuple[Path, ...]:
        """The files, dry before wet."""
        return tuple(self.targets.values())

    @property
    def first_block(self) -> int | None:
        """Number of the block that the recording begins with; None until it has come."""
        return self._tap.first_block

    @property
    def seconds(self) -> float:
        """How much is in the files by now."""
        return self._written / self._sample_rate

    @property
    def lost_frames(self) -> int:
        """Frames left out since the disk was too slow for 20 seconds."""
        return self._tap.lost_frames

    def close(self) -> None:
        """End the recording and put the files in their places."""
        self._running = False
        self._ask_no_more()
        self._thread.join(30.0)

    def _forbid(self, reason: str) -> None:
        """Hear nothing more, from the next block on. Thread: what is about to change the voice."""
        with self._gate:
            self._tap.close_ears()
            self._forbidden = self._forbidden or f"the recording to '{self.paths[0]}' has ended: {reason}"

    def _ask_no_more(self) -> None:
        if self._consent is not None:
            self._consent.close()

    def _run(self) -> None:
        frames = int(_BLOCK_S * self._sample_rate)
        try:
            while self._running and not self._forbidden:
                self._said = self._said.joined(disclosure_of(self._engine.plan.graph))
                if not self._write(frames):
                    time.sleep(_WAKE_S)
            self._tap.detach()
            while self._write(frames):
                pass
            self._finish()
            self.problem = self._forbidden
        except (OSError, RuntimeError) as error:
            self._tap.detach()
            self.problem = f"the recording to '{self.paths[0]}' has stopped: {self._reason(error)}"
            self._keep_what_is_there()

    def _write(self, frames: int) -> int:
        """Write what all sides have; dry and wet stay equally long."""
        count = min(frames, *(ring.fill for ring in self._tap.rings.values()))
        if count:
            for side, ring in self._tap.rings.items():
                self._files[side].write(ring.read(count).T)
            self._written += count
        return count

    def _finish(self) -> None:
        for side, target in self.targets.items():
            self._files[side].close()
            self._disclose(side, target)
            os.replace(_part(target), target)

    def _disclose(self, side: str, target: Path) -> None:
        """Write the whole of what is to be said; a sentence stands in the file from its beginning."""
        if side == WET and self._said.says_something:
            container = _SUBTYPES[target.suffix.lower()][0]
            write_tags(_part(target), container, self._said, {})

    def _keep_what_is_there(self) -> None:
        """Keep a file that can be read back, though it ends early, and nothing else."""
        import soundfile

        for side, target in self.targets.items():
            with contextlib.suppress(OSError, RuntimeError):
                self._files[side].close()
            with contextlib.suppress(OSError, RuntimeError):
                if soundfile.info(_part(target)).frames > 0:
                    with contextlib.suppress(OSError):  # no room is left for it
                        self._disclose(side, target)
                    os.replace(_part(target), target)
            _part(target).unlink(missing_ok=True)

    def _discard(self) -> None:
        for side, file in self._files.items():
            file.close()
            _part(self.targets[side]).unlink(missing_ok=True)

    def _reason(self, error: Exception) -> str:
        """Name a full disk; libsndfile says 'System error.' to everything."""
        with contextlib.suppress(OSError):
            if shutil.disk_usage(self.paths[0].absolute().parent).free < _LITTLE_SPACE_BYTES:
                return "no space left on the disk"
        return str(error)


def _part(path: Path) -> Path:
    return path.with_name(f".{path.name}.part")


def _open(path: Path, engine: Engine, said: Disclosure | None) -> Any:
    import soundfile

    form, subtype = _SUBTYPES[path.suffix.lower()]
    try:
        file = soundfile.SoundFile(_part(path), "w", engine.sample_rate, engine.channels, subtype, format=form)
        if said is not None and said.says_something:
            file.comment = comment_with(said, "")
    except (OSError, RuntimeError) as error:
        raise AudioFileError(f"a recording cannot be written to '{path}': {error}") from error
    return file
