"""What the voice converter asks of whatever runs its networks."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Singles = npt.NDArray[np.float32]
#: What a network remembers of the past, one array or tensor a layer. A value: calls return a new one and change none.
Memory = list[Any]


class Networks(Protocol):
    """Encoder, decoder and colour of one model, for one voice at a time; safe to share between converters."""

    @property
    def neutral_voice(self) -> Singles:
        """The mean voice of the training, shape (416,)."""

    def empty_encoder_memory(self) -> Memory:
        """Return the encoder's memory before the first hop."""

    def empty_decoder_memory(self) -> Memory:
        """Return the decoder's memory before the first hop."""

    def encode(self, log_mel: Singles, memory: Memory) -> tuple[Singles, Memory]:
        """Turn (hops, 80) into content (hops, 64) and the next memory. Thread: worker."""

    def decode(
        self, content: Singles, prosody: Singles, films: Singles, memory: Memory
    ) -> tuple[Singles, Singles, Memory]:
        """Turn content (hops, 64) and prosody (hops, 4, 2) into envelopes and the next memory. Thread: worker.

        Returns
        -------
        tuple
            Natural log amplitudes of the harmonics (2 * hops, 80) and of the noise (2 * hops, 48); the next memory.
        """

    def colour(self, voice: Singles) -> Singles:
        """Turn a voice vector (416,) into films (blocks, 2 * channels). Thread: control."""
