"""Recordings of a live run: begun, ended and reported by control, with all disk work on threads of their own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import platformdirs

from vcfx.engine.engine import Engine
from vcfx.engine.recording import Recorder
from vcfx.errors import AudioFileError, VcfxError
from vcfx_models.data_folder import with_home

from .live_state import RecordingState
from .messages import RecordSides
from .reply import Reply

_FIRST_BLOCK_S = 1.0


def default_path() -> Path:
    """Return a new name with date and time in the user's music folder."""
    return platformdirs.user_music_path() / "vcfx" / time.strftime("vcfx-%Y-%m-%d-%H%M%S.flac")


class Takes:
    """One recording at a time. Thread: control.

    Parameters
    ----------
    call
        Runs a function on the control thread.
    """

    def __init__(self, call: Callable[[Callable[[], None]], None]) -> None:
        self._call = call
        self._recorder: Recorder | None = None
        self._busy = False
        self._ended: RecordingState | None = None
        self._jobs: list[threading.Thread] = []

    @property
    def running(self) -> bool:
        """Whether a recording is being made."""
        return self._recorder is not None

    def state(self) -> RecordingState | None:
        """Return the recording that runs, or the one that a problem has ended."""
        return self._describe(self._recorder) if self._recorder else self._ended

    def start(self, engine: Engine, sides: RecordSides, path: str | None, reply: Reply) -> None:
        """Open the files and listen."""
        if self._recorder is not None or self._busy:
            name = f" to '{self._recorder.paths[0]}'" if self._recorder else ""
            reply.refused(f"a recording{name} is being made; stop it first")
            return
        self._busy, self._ended = True, None
        self._work(lambda: self._open(engine, sides, path, reply))

    def stop(self, reply: Reply | None = None, problem: str = "") -> None:
        """Finish the files; `problem` says why, where nobody has asked for it."""
        recorder, self._recorder = self._recorder, None
        if recorder is None:
            self._ended = None
            if reply:
                reply.refused("no recording is being made")
            return
        self._busy = True
        self._work(lambda: self._finish(recorder, reply, problem))

    def poll(self) -> bool:
        """Look whether a problem has ended the recording; whether it has."""
        if self._recorder is None or not self._recorder.problem:
            return False
        self._ended, self._recorder = self._describe(self._recorder), None
        return True

    def close(self) -> str:
        """Finish what runs and wait for it; returns the problem that ended the last recording, or nothing."""
        if self._recorder is not None:
            self._recorder.close()
            self._ended = self._describe(self._recorder) if self._recorder.problem else None
            self._recorder = None
        for job in self._jobs:
            job.join(30.0)
        return self._ended.problem if self._ended else ""

    def _work(self, job: Callable[[], None]) -> None:
        self._jobs = [thread for thread in self._jobs if thread.is_alive()]
        thread = threading.Thread(target=job, name="vcfx-take", daemon=True)
        self._jobs.append(thread)
        thread.start()

    def _open(self, engine: Engine, sides: RecordSides, path: str | None, reply: Reply) -> None:
        """Thread: the take's own."""
        try:
            target = default_path() if path is None else with_home(Path(path))
            if path is None:
                target.parent.mkdir(parents=True, exist_ok=True)
            recorder = Recorder(engine, target, sides)
        except (VcfxError, OSError) as error:
            sentence = error if isinstance(error, AudioFileError) else f"a recording cannot be made: {error}"
            self._call(lambda: self._opened(None, reply, str(sentence)))
            return
        limit_s = time.monotonic() + _FIRST_BLOCK_S
        while recorder.first_block is None and time.monotonic() < limit_s:
            time.sleep(0.001)
        self._call(lambda: self._opened(recorder, reply, ""))

    def _opened(self, recorder: Recorder | None, reply: Reply, problem: str) -> None:
        self._busy = False
        self._recorder = recorder
        if recorder is None:
            reply.refused(problem)
        else:
            reply.applied(recorder.first_block, ", ".join(map(str, recorder.paths)))

    def _finish(self, recorder: Recorder, reply: Reply | None, problem: str) -> None:
        """Thread: the take's own."""
        recorder.close()
        self._call(lambda: self._finished(recorder, reply, problem))

    def _finished(self, recorder: Recorder, reply: Reply | None, problem: str) -> None:
        self._busy = False
        recorder.problem = recorder.problem or problem
        self._ended = self._describe(recorder) if recorder.problem else None
        if reply and recorder.problem:
            reply.refused(recorder.problem)
        elif reply:
            reply.applied(None, ", ".join(map(str, recorder.paths)))

    def _describe(self, recorder: Recorder) -> RecordingState:
        paths = tuple(str(path) for path in recorder.paths)
        return RecordingState(recorder.sides, paths, float(int(recorder.seconds)), recorder.problem)
