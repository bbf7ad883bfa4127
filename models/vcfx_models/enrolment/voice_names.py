"""What a voice may be called: its name is a file's name on every system, and a word on the command line."""

from __future__ import annotations

import unicodedata
from typing import Final

from ..errors import VoiceError
from ..one_line import is_one_line

MAX_LETTERS: Final = 64
#: Beside letters, marks and digits of any script.
ALLOWED_SIGNS: Final = " -_.'+&()"
#: Names that Windows keeps for devices, whatever their ending.
RESERVED: Final = frozenset(
    ["con", "prn", "aux", "nul"] + [f"{port}{number}" for port in ("com", "lpt") for number in "0123456789¹²³"]
)


def checked_voice_name(name: str) -> str:
    """Return the name, letters composed (Unicode NFC), if it may be one.

    Raises
    ------
    VoiceError
        If it is empty or too long, holds what is no letter, digit or allowed sign, begins or ends with a sign that
        file systems or shells read otherwise, or is reserved.
    """
    composed = unicodedata.normalize("NFC", name)
    shown = repr(name[:40])
    if not 1 <= len(composed) <= MAX_LETTERS or len(composed.encode(errors="replace")) > 200:
        raise VoiceError(f"the voice's name {shown} has {len(composed)} letters; allowed: 1 to {MAX_LETTERS}")
    wrong = [sign for sign in composed if not _is_allowed(sign)]
    if wrong:
        allowed = f"letters, digits and {ALLOWED_SIGNS.strip()} and spaces between"
        raise VoiceError(f"the voice's name {shown} holds {wrong[0]!r}; allowed: {allowed}")
    if not is_one_line(composed, 1, MAX_LETTERS):
        raise VoiceError(f"the voice's name {shown} holds signs that cannot be seen; choose another")
    if composed[0] in " -." or composed[-1] in " .":
        raise VoiceError(f"the voice's name {shown} begins or ends with a sign that file names may not; choose another")
    if composed.split(".")[0].rstrip().casefold() in RESERVED:
        raise VoiceError(f"the voice's name {shown} is reserved by a system on which files are shared; choose another")
    if composed.casefold().endswith((".vcfxvoice", ".part")):
        raise VoiceError(f"the voice's name {shown} ends like a file's; give the name alone")
    return composed


def _is_allowed(sign: str) -> bool:
    return sign in ALLOWED_SIGNS or unicodedata.category(sign)[0] in "LMN"
