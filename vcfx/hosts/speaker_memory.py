"""Who speaks into this machine: the range of their voice, from one run to the next.

A converter that knows it speaks the first word at the right height; without, it needs a second or two to find out.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from vcfx_models.speaker_range import SpeakerRange

FILE_NAME: Final = "speaker.json"
#: What is remembered weighs as so much voice at most, so that another person is followed within seconds.
MOST_BELIEVED_S: Final = 5.0


def remembered(heard: SpeakerRange) -> SpeakerRange:
    """Return what was heard, as it is believed another time."""
    return replace(heard, voiced_s=min(heard.voiced_s, MOST_BELIEVED_S))


class SpeakerMemory:
    """Two numbers, shared by all voices of a live program, so that a change of preset does not forget them.

    Closed, as it is at first, it knows nobody and takes in nothing: files and tests must not depend on who spoke last.
    """

    def __init__(self) -> None:
        self._path: Path | None = None
        self._range: SpeakerRange | None = None
        #: Who heard last, by `id`, so that no plan is kept alive; 0: nobody yet.
        self._listener = 0

    @property
    def range(self) -> SpeakerRange | None:
        """Of the speaker, believed like 5 s of voice at most; None if nobody is known. Thread: any."""
        known = self._range
        return None if known is None else remembered(known)

    def hear(self, listener: object, heard: SpeakerRange | None) -> None:
        """Take in what a voice has learned of the speaker. Thread: worker."""
        if self._path is not None and heard is not None:
            self._range, self._listener = heard, id(listener)

    def news_for(self, listener: object) -> SpeakerRange | None:
        """Return what another voice has learned since this one last heard the speaker. Thread: worker.

        A plan that was kept ready while another one ran begins with it.
        """
        return None if self._listener in (0, id(listener)) else self.range

    def open(self, folder: Path) -> None:
        """Begin with what a former run has left in a folder; a damaged file counts as none. Thread: control."""
        from vcfx_models.errors import ModelError
        from vcfx_models.speaker_range import SpeakerRange

        self._path, self._range, self._listener = folder / FILE_NAME, None, 0
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
            numbers = (float(found[name]) for name in ("log_mean", "log_spread", "voiced_s"))
            self._range = SpeakerRange(*numbers)
        except (OSError, ValueError, TypeError, KeyError, ModelError):
            return

    def close(self) -> None:
        """Leave what was heard to the next run, and forget it here. Thread: control.

        A folder that cannot be written is no reason to complain: all that is lost is a right first second.
        """
        from vcfx_models.whole_file import replace_file

        path, heard = self._path, self._range
        self._path = self._range = None
        if path is None or heard is None:
            return
        text = json.dumps({name: getattr(heard, name) for name in ("log_mean", "log_spread", "voiced_s")})
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, f"{text}\n".encode())


MEMORY: Final = SpeakerMemory()
