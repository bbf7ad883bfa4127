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

from . import cells as c
from .engine import Engine
from .tap import SIDES, Tap

_RING_S = 20.0
_WAKE_S = 0.1
_BLOCK_S = 0.5
_LITTLE_SPACE_BYTES = 1 << 20
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

    A full disk ends the recording with a sentence in `problem`; what is on the disk by then is kept, and the voice
    goes on. Thread: any that may wait for the disk.
    """

    def __init__(self, engine: Engine, path: Path, sides: str = "wet") -> None:
        self.sides, self.problem = sides, ""
        self.targets = target_paths(path, sides)
        self._sample_rate, self._written = engine.sample_rate, 0
        self._tap = Tap(engine, c.RECORD_TAP, sides, _RING_S)
        for target in self.targets.values():
            check_target(target)
        self._files: dict[str, Any] = {}
        try:
            for side, target in self.targets.items():
                self._files[side] = _open(target, engine)
        except AudioFileError:
            self._discard()
            raise
        self._running = True
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
        self._thread.join(30.0)

    def _run(self) -> None:
        frames = int(_BLOCK_S * self._sample_rate)
        try:
            while self._running:
                if not self._write(frames):
                    time.sleep(_WAKE_S)
            self._tap.detach()
            while self._write(frames):
                pass
            self._finish()
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
            os.replace(_part(target), target)

    def _keep_what_is_there(self) -> None:
        """Keep a file that can be read back, though it ends early, and nothing else."""
        import soundfile

        for side, target in self.targets.items():
            with contextlib.suppress(OSError, RuntimeError):
                self._files[side].close()
            with contextlib.suppress(OSError, RuntimeError):
                if soundfile.info(_part(target)).frames > 0:
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


def _open(path: Path, engine: Engine) -> Any:
    import soundfile

    form, subtype = _SUBTYPES[path.suffix.lower()]
    try:
        return soundfile.SoundFile(_part(path), "w", engine.sample_rate, engine.channels, subtype, format=form)
    except (OSError, RuntimeError) as error:
        raise AudioFileError(f"a recording cannot be written to '{path}': {error}") from error
