"""What passes from the half of the converter that listens to the half that speaks: 10 ms of speech in 154 bytes."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from .errors import ModelError
from .geometry import CONTENT_SIZE, SUBFRAMES

Singles = npt.NDArray[np.float32]
VERSION: Final = 1
_HEAD: Final = struct.Struct("<BB")
#: Version, flags, F0 in float32, four paths and the content in float16.
FRAME_BYTES: Final = _HEAD.size + 4 * SUBFRAMES + 2 * (4 * SUBFRAMES + CONTENT_SIZE)
_SILENT: Final = 1


@dataclass(frozen=True, slots=True)
class VoiceFrame:
    """One hop of speech without the speaker. Pairs hold at the ends of the two subframes of the hop that is spoken.

    Parameters
    ----------
    content
        (64,): what is said.
    f0_hz
        (2,): fundamental frequency, held where there is none.
    voicing
        (2,): 0 where there is no fundamental, else its strength.
    strength
        (2,): how periodic the voice is, 0 to 1.
    energy
        (2,): natural log of the mean mel power of the levelled input.
    gain_db
        (2,): by how much the input was raised to be levelled; the speaking half takes it back.
    is_silent
        Whether there has been no sound at all for a while.
    """

    content: Singles
    f0_hz: Singles
    voicing: Singles
    strength: Singles
    energy: Singles
    gain_db: Singles
    is_silent: bool

    def to_bytes(self) -> bytes:
        """Return the frame for the wire: `FRAME_BYTES` long, little-endian."""
        paths = np.concatenate([self.voicing, self.strength, self.energy, self.gain_db, self.content])
        head = _HEAD.pack(VERSION, _SILENT if self.is_silent else 0)
        return head + self.f0_hz.astype("<f4").tobytes() + paths.astype("<f2").tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> VoiceFrame:
        """Undo `to_bytes`; what comes from elsewhere is checked for size, version and finiteness."""
        if len(data) != FRAME_BYTES:
            raise ModelError(f"the voice frame has {len(data)} bytes; allowed: {FRAME_BYTES}")
        version, flags = _HEAD.unpack_from(data)
        if version != VERSION:
            raise ModelError(f"the voice frame has version {version}; this program needs {VERSION}")
        place = _HEAD.size
        f0_hz = np.frombuffer(data, "<f4", SUBFRAMES, place).astype(np.float32)
        paths = np.frombuffer(data, "<f2", offset=place + 4 * SUBFRAMES).astype(np.float32)
        if not (np.all(np.isfinite(paths)) and np.all(np.isfinite(f0_hz)) and np.all(f0_hz > 0.0)):
            raise ModelError("the voice frame holds numbers that are not finite, or no F0")
        voicing, strength, energy, gain_db = paths[: 4 * SUBFRAMES].reshape(4, SUBFRAMES)
        return cls(paths[4 * SUBFRAMES :], f0_hz, voicing, strength, energy, gain_db, bool(flags & _SILENT))
