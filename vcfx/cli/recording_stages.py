"""One recording after another at the microphone: what to say, a level meter, Enter to begin and to end."""

from __future__ import annotations

import hashlib
import io
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from vcfx.errors import VcfxError, printable

from .keys import KeyReader, key_reader
from .questions import say

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from vcfx.engine.microphone_capture import MicrophoneCapture
    from vcfx.engine.streams import Backend
    from vcfx_models.reference import Clip

_FRAME_S: Final = 0.1
_QUIET_PEAK: Final = 0.003


@dataclass(frozen=True, slots=True)
class Stage:
    """Something to be said.

    Parameters
    ----------
    title
        What it is.
    text
        What is read.
    most_s
        When it ends by itself.
    waits
        Whether Enter begins it; otherwise it begins when the text is shown.
    """

    title: str
    text: str
    most_s: float = 60.0
    waits: bool = True


class Recordist(Protocol):
    """Whatever gives recordings."""

    @property
    def no_person(self) -> str:
        """Why nobody can be found living there, whatever is heard; empty if somebody can."""

    def record(self, stage: Stage, on_shown: Callable[[], None] | None = None) -> Clip:
        """Return what was said; `on_shown` is called when the text is there to be read."""


class FileRecordist:
    """Gives recordings that lie in files, one for each stage."""

    no_person = "recordings from files cannot show that a living person speaks"

    def __init__(self, files: list[str]) -> None:
        from vcfx.files.reference_clips import clip_paths

        self._files: Iterator[Path] = iter([clip_paths([name])[0] for name in files])

    def record(self, stage: Stage, on_shown: Callable[[], None] | None = None) -> Clip:
        """Return the next file's sound."""
        from vcfx.files.reference_clips import read_clip

        return read_clip(next(self._files))


class TerminalRecordist:
    """Records with a person before a terminal."""

    def __init__(self, microphone: MicrophoneCapture, console: Console) -> None:
        self._microphone, self._console = microphone, console
        self.no_person = ""
        if microphone.hears_programs:
            self.no_person = f"'{microphone.name}' records what programs play; a living person needs a microphone"

    def record(self, stage: Stage, on_shown: Callable[[], None] | None = None) -> Clip:
        """Show the text, record until Enter or the time is over."""
        from vcfx_models.reference import Clip

        with key_reader() as keys:
            if keys is None:
                raise VcfxError("recording needs a terminal; give recordings with --from STATEMENT SAMPLE")
            self._console.print()
            if stage.waits:
                self._show(stage)
                self._wait_for_enter(keys)
            self._microphone.begin()
            if not stage.waits:
                self._show(stage)
            if on_shown is not None:
                on_shown()
            self._listen(stage, keys)
        return Clip(self._microphone.end(), self._microphone.sample_rate, f"the {stage.title}")

    def _show(self, stage: Stage) -> None:
        from rich.panel import Panel
        from rich.text import Text

        panel = Panel(Text(printable(stage.text), "bold"), title=stage.title, title_align="left", width=self._width())
        self._console.print(panel)

    def _wait_for_enter(self, keys: KeyReader) -> None:
        from rich.live import Live

        with Live(console=self._console, auto_refresh=False, transient=True) as live:
            while True:
                self._microphone.check()
                live.update(self._meter("Enter begins; say something to try the level"), refresh=True)
                if keys(_FRAME_S) in ("\n", "\r"):
                    return

    def _listen(self, stage: Stage, keys: KeyReader) -> None:
        from rich.live import Live

        begun_s, loudest = time.monotonic(), 0.0
        with Live(console=self._console, auto_refresh=False, transient=True) as live:
            while (spent_s := time.monotonic() - begun_s) < stage.most_s:
                self._microphone.check()
                loudest = max(loudest, self._microphone.peak)
                left = f"{spent_s:3.0f} s of {stage.most_s:.0f}"
                hint = "nothing is heard: is it the right microphone? (-i)" if spent_s > 3 > 0 == loudest else ""
                hint = hint or ("very quiet: come nearer" if spent_s > 3 and loudest < _QUIET_PEAK else "Enter ends it")
                live.update(self._meter(f"recording, {left}; {hint}"), refresh=True)
                if keys(_FRAME_S) in ("\n", "\r"):
                    return

    def _meter(self, words: str) -> RenderableType:
        from rich.console import Group
        from rich.text import Text

        from .live_view import meter

        level_db = 20.0 * math.log10(max(self._microphone.peak, 1e-6))
        return Group(meter(level_db, level_db), Text(words, "grey62"))

    def _width(self) -> int:
        return min(self._console.width, 80)


@contextmanager
def open_recordist(device: str | None, backend: Backend | None = None) -> Iterator[TerminalRecordist]:
    """Open the microphone for as long as somebody records.

    Raises
    ------
    DeviceError
        If there is no such device, or it refuses.
    """
    import sys

    from rich.console import Console

    from vcfx.engine.microphone_capture import MicrophoneCapture
    from vcfx.engine.portaudio_backend import PortAudioBackend

    if not (sys.stdin and sys.stdin.isatty()):
        raise VcfxError("recording needs a terminal; give recordings with --from STATEMENT SAMPLE")
    microphone = MicrophoneCapture(backend or PortAudioBackend(), device)
    try:
        say(f"The microphone is '{microphone.name}', {microphone.sample_rate} Hz. Ctrl-C ends it all; nothing is left.")
        yield TerminalRecordist(microphone, Console(stderr=True, highlight=False))
    finally:
        microphone.close()


def wave_file(clip: Clip) -> bytes:
    """Return a recording as a WAV file of 16 bits."""
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, clip.audio.T, clip.sample_rate, subtype="PCM_16", format="WAV")
    return file.getvalue()


def sha256_of_bytes(content: bytes) -> str:
    """Return the hash, 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()
