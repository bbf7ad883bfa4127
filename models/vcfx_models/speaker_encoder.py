"""Who speaks: a recording to a point on the sphere of voices."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from .errors import ModelError
from .geometry import EMBEDDING_SIZE
from .log_mel_frames import log_mel_frames
from .network_files import network_path
from .runtime.one_thread import failures_named, open_session
from .voice_vector import unit

FILE_NAME = "speaker.onnx"
Floats = npt.NDArray[np.float32]


class SpeakerEmbedder(Protocol):
    """Whatever turns speech into an embedding."""

    def embed(self, mono: Floats) -> Floats:
        """Return (256,) of unit length for mono at 24 kHz."""


class SpeakerEncoder:
    """Speaker embedding by a network on ONNX Runtime, on one thread.

    Parameters
    ----------
    folder
        Holds ``speaker.onnx``: input ``log_mel`` (1, frames, 80), output ``embedding`` (1, 256); None: the weights
        that come with the program.

    Raises
    ------
    ModelError
        If the file is missing, damaged or of another shape.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.path = network_path(folder, FILE_NAME, "speaker network", "making a voice of recordings")
        with failures_named(self.path, "speaker network"):
            self._session = open_session(self.path.read_bytes())
            self.embed(np.zeros(4_800, np.float32))

    def embed(self, mono: Floats) -> Floats:
        """Return (256,) of unit length for speech, mono at 24 kHz and levelled."""
        found = self._session.run(["embedding"], {"log_mel": log_mel_frames(mono)[None]})[0]
        if found.shape != (1, EMBEDDING_SIZE) or not np.isfinite(found).all():
            raise ModelError(f"{self.path} gives {found.shape} or no numbers; needed: (1, {EMBEDDING_SIZE})")
        return unit(found[0])
