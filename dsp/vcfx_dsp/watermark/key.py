"""Keys of the mark: bytes that decide which tile of the pattern is raised and which is lowered."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ..errors import ParameterError

MIN_KEY_BYTES: Final = 8
MAX_KEY_BYTES: Final = 64
NEW_KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class WatermarkKey:
    """A key of the mark.

    Parameters
    ----------
    secret
        8 to 64 bytes. Who knows them can find the mark, and can take it out.
    """

    secret: bytes

    def __post_init__(self) -> None:
        if not MIN_KEY_BYTES <= len(self.secret) <= MAX_KEY_BYTES:
            raise ParameterError(
                f"watermark key has {len(self.secret)} bytes; allowed: {MIN_KEY_BYTES} to {MAX_KEY_BYTES}"
            )

    @classmethod
    def new(cls) -> WatermarkKey:
        """Return a key that nobody has had before."""
        return cls(secrets.token_bytes(NEW_KEY_BYTES))

    @property
    def fingerprint(self) -> str:
        """What may be shown of it, for people to compare: 16 hexadecimal digits, from which it cannot be told."""
        return hashlib.sha256(b"vcfx watermark key\n" + self.secret).hexdigest()[:16]

    @classmethod
    def from_hex(cls, text: str) -> WatermarkKey:
        """Return the key written as hexadecimal digits; the public one for empty text.

        Raises
        ------
        ParameterError
            If the text is not hexadecimal or of a wrong length.
        """
        if not text:
            return DEFAULT_KEY
        try:
            return cls(bytes.fromhex(text))
        except ValueError as error:
            if isinstance(error, ParameterError):
                raise
            raise ParameterError("watermark key is not hexadecimal; allowed: pairs of the digits 0-9 and a-f") from None

    def random_words(self, purpose: str, count: int) -> npt.NDArray[np.uint64]:
        """Return `count` words that only the key and the purpose decide (SHAKE-256), alike on every machine."""
        stream = hashlib.shake_256(len(self.secret).to_bytes(1, "big") + self.secret + purpose.encode())
        return np.frombuffer(stream.digest(8 * count), dtype="<u8").astype(np.uint64)


#: Known to everybody, so that everybody can verify; a mark under an own key is found by its owner only.
DEFAULT_KEY: Final = WatermarkKey(b"vcfx public mark 1")
