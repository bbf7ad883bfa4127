"""What both ends of the control socket agree on.

Each line is a JSON object. The voice says first ``{"vcfx": version, "control": 1}``. A client asks
``{"id": 7, "do": "submit", "message": {...}}``, and ``state``, ``meters``, ``catalogue``; ``watch`` and ``spectra``
with ``"on"``; ``follow`` with ``"rate_hz"`` (0 ends it). Each is answered once with its id, by ``{"id": 7, "answer":
...}`` or ``{"id": 7, "error": "a sentence"}``. Without being asked, the voice sends ``{"state": ...}`` to those who
watch and ``{"meters": ...}`` to those who follow.
"""

from __future__ import annotations

from typing import Final

#: Grows when an older end would not understand.
PROTOCOL: Final = 1
#: The longest line that a client may send, and that the voice may.
MOST_REQUEST_BYTES: Final = 65_536
MOST_ANSWER_BYTES: Final = 16 << 20
#: Meters a second that may be asked for.
MOST_RATE_HZ: Final = 60.0
#: Why a message is refused, or a question fails, when its process is gone.
ENDED: Final = "the voice changer has ended"
