"""The voices that a node may speak with: admitted by their papers, kept ready, and asked for their papers again."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from vcfx_models.voice_file import Voice

#: Voices that stay ready, so that going back to one takes no computing; their papers are asked for all the same.
MAX_RESIDENT: Final = 16
#: A voice that was fetched is switched to within that; after that its papers are asked for anew.
FRESH_S: Final = 5.0
#: A use is logged when it begins, and again after that while it lasts.
NOTED_EVERY_S: Final = 3_600.0


@dataclass(frozen=True, slots=True)
class _Admitted:
    voice: Voice
    file: str
    at_s: float


class AdmittedVoices:
    """Reads voices and asks the gate for each. Thread: any but audio and worker: it reads files and the log.

    Parameters
    ----------
    use
        What they will be used for, one of `vcfx_models.papers.consent.USES`.
    needs_liveness
        Whether only voices will do that were enrolled by a person found living.
    """

    def __init__(self, use: str, needs_liveness: bool) -> None:
        self.use, self.needs_liveness = use, needs_liveness
        self._lock = threading.Lock()
        self._known: dict[str, _Admitted] = {}

    def get(self, name: str) -> Voice:
        """Return a voice that was admitted just now, or admit it.

        Raises
        ------
        VcfxError
            If there is none, its file is damaged, or its papers do not allow the use.
        """
        with self._lock:
            known = self._known.get(name)
        if known is not None and time.monotonic() - known.at_s < FRESH_S:
            return known.voice
        return self.renew(name)

    def renew(self, name: str) -> Voice:
        """Read and admit a voice, whatever is known of it; raises as `get` does."""
        from vcfx_models.voice_library import find_voice, voice_path
        from vcfx_models.voice_on_disk import shown

        path = voice_path(name)
        voice = find_voice(path, self.use, self.needs_liveness, notes_use=False)
        note_use(voice, shown(path), self.use, self.needs_liveness)
        with self._lock:
            known = self._known.pop(name, None)
            if known is not None and _sha256(known.voice) == _sha256(voice):
                voice = known.voice  # the same object: what was computed for it still holds
            if len(self._known) >= MAX_RESIDENT:
                del self._known[next(iter(self._known))]
            self._known[name] = _Admitted(voice, shown(path), time.monotonic())
        return voice

    def standing(self, voice: Voice, name: str, refused: bool) -> str:
        """Return why a voice may not go on being spoken with, as one sentence; empty if it may.

        Parameters
        ----------
        voice
            As `get` returned it.
        name
            What it was asked for by.
        refused
            Whether that has been said already, so that the log need not tell it again.
        """
        from vcfx_models.errors import ConsentError
        from vcfx_models.papers.admission import refusal

        with self._lock:
            known = self._known.get(name)
        file = known.file if known is not None else name
        assert voice.papers is not None
        if refused:
            reason = refusal(voice.papers, self.use, self.needs_liveness)
            return f"{file}: {reason}" if reason else ""
        try:
            note_use(voice, file, self.use, self.needs_liveness)
        except ConsentError as error:
            self._forget(name)
            return str(error)
        return ""

    def _forget(self, name: str) -> None:
        """Let nothing that was asked before count."""
        with self._lock:
            if name in self._known:
                self._known[name] = replace(self._known[name], at_s=-math.inf)


_noted_s: dict[tuple[str, str, str], float] = {}


def note_use(voice: Voice, file: str, use: str, needs_liveness: bool = False) -> None:
    """Admit a voice, and log that it is used unless that has been done within the hour.

    Raises
    ------
    ConsentError
        If its papers do not allow it, or the log cannot be written.
    """
    from vcfx_models.papers.admission import admit
    from vcfx_models.papers.audit import log_path

    key = (str(log_path()), _sha256(voice), use)
    noted_s, now_s = _noted_s.get(key), time.monotonic()
    due = noted_s is None or now_s - noted_s >= NOTED_EVERY_S
    admit(voice, file, use, needs_liveness, notes_use=due)
    if due:
        _noted_s[key] = now_s


def _sha256(voice: Voice) -> str:
    return "" if voice.papers is None else voice.papers.bundle_sha256
