"""GE2E without torch: mel power and a memory in, who speaks and the memory after it out."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .errors import ModelError
from .ge2e_geometry import BANDS, EMBEDDING_SIZE, HIDDEN_SIZE, LAYERS
from .runtime.one_thread import failures_named, open_session

Floats = npt.NDArray[np.float32]
INPUTS = ("bands", "hidden", "cell")
OUTPUTS = ("embedding", "hidden_after", "cell_after")


class Ge2eState(NamedTuple):
    """What the network remembers of some streams: `hidden` and `cell`, both (3, streams, 256)."""

    hidden: Floats
    cell: Floats

    @classmethod
    def empty(cls, streams: int) -> Ge2eState:
        """Return the memory before the first frame."""
        return cls(*(np.zeros((LAYERS, streams, HIDDEN_SIZE), np.float32) for _ in range(2)))


class Ge2eEncoder:
    """The GE2E network on ONNX Runtime, on one thread.

    Parameters
    ----------
    path
        What ``python -m tools.train.ge2e_export`` wrote: inputs ``bands`` (streams, frames, 40), ``hidden`` and
        ``cell`` (3, streams, 256); outputs ``embedding`` (streams, 256), ``hidden_after`` and ``cell_after``.

    Raises
    ------
    ModelError
        If the file is missing, damaged or of another shape.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise ModelError(f"there is no GE2E network {path}")
        self.path = path
        with failures_named(path, "GE2E network"):
            self._session = open_session(path.read_bytes())
            self.hear(np.zeros((2, 1, BANDS), np.float32), Ge2eState.empty(2))

    def hear(self, bands: Floats, state: Ge2eState) -> tuple[Floats, Ge2eState]:
        """Go on with (streams, frames, 40), 1 frame or more; return (streams, 256) unit vectors and the state after."""
        found = self._session.run(OUTPUTS, dict(zip(INPUTS, (bands, *state), strict=True)))
        embedding: Floats = found[0]
        if embedding.shape != (len(bands), EMBEDDING_SIZE) or not np.isfinite(embedding).all():
            raise ModelError(f"{self.path} gives {embedding.shape} or no numbers; needed: ({len(bands)}, 256)")
        return embedding, Ge2eState(found[1], found[2])
