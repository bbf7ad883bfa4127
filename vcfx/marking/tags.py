"""What a mark can say in its few bits: which installation, which voice."""

from __future__ import annotations

import hashlib
from typing import Final

from vcfx_dsp.watermark.payload import INSTALLATION_BITS, VOICE_BITS
from vcfx_models.papers.keys import PublicKey

#: Tag of an installation or a voice that could not be named.
NAMELESS: Final = 0


def installation_tag(key: PublicKey) -> int:
    """Return the number that stands for an installation: 1 to 2**INSTALLATION_BITS - 1, from its public key."""
    return _tag(hashlib.sha256(b"vcfx installation\n" + key.raw).digest(), INSTALLATION_BITS)


def voice_tag(voice_id: str) -> int:
    """Return the number that stands for a voice: 1 to 2**VOICE_BITS - 1, from `Papers.voice_id`."""
    return _tag(hashlib.sha256(b"vcfx voice\n" + voice_id.encode()).digest(), VOICE_BITS)


def _tag(digest: bytes, bits: int) -> int:
    return int.from_bytes(digest[:8], "big") % ((1 << bits) - 1) + 1
