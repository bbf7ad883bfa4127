"""Who speaks in a stream, from the first second on: the mean of GE2E's views of overlapping stretches of 1.6 s."""

from __future__ import annotations

from typing import Final, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from .errors import ModelError
from .ge2e_bands import Ge2eBands
from .ge2e_encoder import Ge2eState
from .ge2e_geometry import HOP_SAMPLES, PARTIAL_FRAMES, SAMPLE_RATE
from .voice_vector import unit

Floats = npt.NDArray[np.float32]
#: A partial begins every so many frames: 1.3 a second, as the package Resemblyzer does.
STEP_FRAMES: Final = 77
#: A partial at the end of the stream counts once so much of it is there, the rest taken for silence; the first always.
LEAST_SAMPLES: Final = PARTIAL_FRAMES * HOP_SAMPLES * 3 // 4


class Hearer(Protocol):
    """What turns mel power into embeddings: `Ge2eEncoder`, or the like of it."""

    def hear(self, bands: Floats, state: Ge2eState) -> tuple[Floats, Ge2eState]:
        """Go on with (streams, frames, 40); return (streams, 256) and the state after."""


class _Open(NamedTuple):
    """Partials that are not at their end: the first frame of each, and what the network remembers of them."""

    starts: tuple[int, ...]
    state: Ge2eState


class SpeakerPartials:
    """Speaker embedding of everything pushed so far, at any time, the same (within 1e-5) however the stream is cut.

    The partials, their mean and what becomes of the end are those of Resemblyzer's ``embed_utterance``; loudness and
    pauses are the caller's: GE2E was trained on speech at about -30 dBFS without long pauses.

    Parameters
    ----------
    encoder
        Hears the partials; each is heard as it comes, up to three at once.
    """

    def __init__(self, encoder: Hearer) -> None:
        self._encoder = encoder
        self._bands = Ge2eBands()
        self.reset()

    def reset(self) -> None:
        """Forget the stream."""
        self._bands.reset()
        self._samples = self._frames = 0
        self._open = _Open((), Ge2eState.empty(0))
        self._done: list[Floats] = []

    @property
    def seconds(self) -> float:
        """How much was pushed."""
        return self._samples / SAMPLE_RATE

    def push(self, mono: Floats) -> None:
        """Take in float32 (frames,) at 16 kHz, of any length. Thread: worker."""
        self._samples += mono.size
        bands = self._bands.push(mono)
        done, self._open = self._heard(bands, self._open)
        self._done += done
        self._frames += len(bands)

    def partials(self) -> Floats:
        """Return the embedding of each partial, shape (n, 256), in the order of their starts; needs one sample."""
        if self._samples == 0:
            raise ModelError("0 samples were heard; needed: 1 or more")
        count = 1 + max((self._samples - LEAST_SAMPLES) // (STEP_FRAMES * HOP_SAMPLES), 0)
        ended = self._done[:count]
        if missing := count - len(ended):
            ended = ended + self._ended_in_silence(missing)
        return np.stack(ended)

    def embedding(self) -> Floats:
        """Return the mean of the partials, scaled to length 1, shape (256,)."""
        return unit(self.partials().mean(axis=0))

    def _ended_in_silence(self, count: int) -> list[Floats]:
        """Return how the next partials would end if nothing more came; the stream itself goes on undisturbed."""
        bands = self._bands.copy()
        silence = bands.push(np.zeros(HOP_SAMPLES * (PARTIAL_FRAMES + (count + 1) * STEP_FRAMES), np.float32))
        return self._heard(silence, self._open)[0][:count]

    def _heard(self, bands: Floats, opened: _Open) -> tuple[list[Floats], _Open]:
        """Let all open partials hear frames that follow `self._frames`; return those that ended, and the rest."""
        done: list[Floats] = []
        frame, last = self._frames, self._frames + len(bands)
        while frame < last:
            starts, state = opened
            if frame % STEP_FRAMES == 0:
                starts = (*starts, frame)
                state = Ge2eState(*(_with_a_stream(part) for part in state))
            until = min(last, starts[0] + PARTIAL_FRAMES, (frame // STEP_FRAMES + 1) * STEP_FRAMES)
            heard = bands[frame - self._frames : until - self._frames]
            same = np.ascontiguousarray(np.broadcast_to(heard, (len(starts), *heard.shape)))
            embeddings, state = self._encoder.hear(same, state)
            frame = until
            if frame == starts[0] + PARTIAL_FRAMES:
                done.append(embeddings[0])
                starts, state = starts[1:], Ge2eState(*(np.ascontiguousarray(part[:, 1:]) for part in state))
            opened = _Open(starts, state)
        return done, opened


def _with_a_stream(part: Floats) -> Floats:
    return np.concatenate([part, np.zeros((part.shape[0], 1, part.shape[2]), np.float32)], axis=1)
