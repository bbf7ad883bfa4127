"""Record what goes in or out to a file, with no disk work on the audio thread or the worker."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
import time
from pathlib import Path
from typing import Any

from vcfx.errors import AudioFileError
from vcfx_dsp.ring import Ring

from . import cells as c
from .engine import Engine

_RING_S = 20.0
_WAKE_S = 0.1
_BLOCK_S = 0.5
_LITTLE_SPACE_BYTES = 1 << 20
#: What each ending is written as: WAV keeps the engine's floats, FLAC is half the size at 24 bits.
_SUBTYPES = {".wav": ("WAV", "FLOAT"), ".flac": ("FLAC", "PCM_24"), ".ogg": ("OGG", "VORBIS")}


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
    """Writes the engine's output (or input) to a file under a temporary name; `close` gives it its own.

    A full disk ends the recording with a sentence in `problem`; the voice goes on. Thread: control.
    """

    def __init__(self, engine: Engine, path: Path, dry: bool = False) -> None:
        import soundfile

        suffix = check_target(path)
        self.path, self.problem = path, ""
        self._part = path.with_name(f".{path.name}.part")
        self._engine, self._cell = engine, c.DRY_TAP if dry else c.WET_TAP
        self._ring = Ring(engine.channels, int(_RING_S * engine.sample_rate))
        form, subtype = _SUBTYPES[suffix]
        try:
            self._file: Any = soundfile.SoundFile(
                self._part, "w", engine.sample_rate, engine.channels, subtype, format=form
            )
        except (OSError, RuntimeError) as error:
            raise AudioFileError(f"a recording cannot be written to '{path}': {error}") from error
        self._running = True
        self._thread = threading.Thread(target=self._run, name="vcfx-record", daemon=True)
        engine.set_cell(self._cell, self._ring.address)
        self._thread.start()

    @property
    def lost_frames(self) -> int:
        """Frames left out since the disk was too slow for 20 seconds."""
        return self._ring.refused_frames

    def close(self) -> None:
        """End the recording and put the file in its place."""
        self._engine.set_cell(self._cell, 0)
        self._running = False
        self._thread.join(10.0)
        with contextlib.suppress(OSError, RuntimeError):  # a full disk was reported by then
            self._file.close()
        if self.problem:
            self._part.unlink(missing_ok=True)
        else:
            os.replace(self._part, self.path)

    def _run(self) -> None:
        frames = int(_BLOCK_S * self._engine.sample_rate)
        try:
            while self._running or self._ring.fill:
                block = self._ring.read(frames)
                if block.shape[1]:
                    self._file.write(block.T)
                elif self._running:
                    time.sleep(_WAKE_S)
        except (OSError, RuntimeError) as error:
            self._engine.set_cell(self._cell, 0)
            self.problem = f"the recording to '{self.path}' has stopped: {self._reason(error)}"

    def _reason(self, error: Exception) -> str:
        """Name a full disk; libsndfile says 'System error.' to everything."""
        with contextlib.suppress(OSError):
            if shutil.disk_usage(self.path.absolute().parent).free < _LITTLE_SPACE_BYTES:
                return "no space left on the disk"
        return str(error)
