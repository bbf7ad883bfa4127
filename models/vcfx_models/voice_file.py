"""A target voice: what the networks are told of a speaker, and the bytes that hold it in a bundle."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from .errors import VoiceError
from .geometry import EMBEDDING_SIZE, N_MELS
from .one_line import is_one_line

if TYPE_CHECKING:
    from .papers.bundle import Papers

Floats = npt.NDArray[np.float32]
Arrays = dict[str, npt.NDArray[Any]]

FORMAT_VERSION: Final = "1"
MAX_BYTES: Final = 100_000
MAX_TEXT: Final = 1_000
LOWEST_HZ, HIGHEST_HZ = 40.0, 900.0
#: What metadata may hold: where the recordings come from, under which licence, of whom, made from what, how high.
METADATA_KEYS: Final = ("source", "licence", "gender", "made_from", "seconds", "usual_pitch")
_DIGEST, _VERSION = "digest", "vcfx_voice"
_SHAPES: Final = {"embedding": (EMBEDDING_SIZE,), "spectrum": (2 * N_MELS,), "f0": (3,)}
_LARGEST: Final = 100.0


@dataclass(frozen=True, slots=True, eq=False)
class Voice:
    """A voice to be spoken with.

    Parameters
    ----------
    name
        What people call it: one printable line.
    embedding
        float32 (256,), of length 1.
    spectrum
        float32 (160,): mean and spread of the log-mel spectrum, from `voice_vector.spectrum_of_voice`.
    f0_log_mean, f0_log_spread
        Of the natural logarithm of F0 in Hz over voiced speech; the spread is a standard deviation, 0.01 to 1.
    median_hz
        Median F0, 40 to 900 Hz.
    metadata
        Text by the keys `METADATA_KEYS`; any may be absent.
    papers
        Who allowed its use; None while it has not been enrolled.

    Raises
    ------
    VoiceError
        Naming what is not allowed.
    """

    name: str
    embedding: Floats
    spectrum: Floats
    f0_log_mean: float
    f0_log_spread: float
    median_hz: float
    metadata: Mapping[str, str] = field(default_factory=dict)
    papers: Papers | None = None

    def __post_init__(self) -> None:
        _check_text(self.name, "name", least=1)
        for name in ("embedding", "spectrum"):
            _check_array(getattr(self, name), name)
        if not abs(float(np.linalg.norm(self.embedding)) - 1.0) < 0.01:
            raise VoiceError(f"embedding has the length {np.linalg.norm(self.embedding):.3g}; allowed: 1")
        limits = (
            ("f0_log_mean", self.f0_log_mean, math.log(LOWEST_HZ), math.log(HIGHEST_HZ)),
            ("f0_log_spread", self.f0_log_spread, 0.01, 1.0),
            ("median_hz", self.median_hz, LOWEST_HZ, HIGHEST_HZ),
        )
        for name, value, low, high in limits:
            if not low <= value <= high:
                raise VoiceError(f"{name} is {value:g}; allowed: {low:.4g} to {high:.4g}")
        for key, text in self.metadata.items():
            if key not in METADATA_KEYS:
                raise VoiceError(f"metadata has the key {key[:40]!r}; allowed: {', '.join(METADATA_KEYS)}")
            _check_text(text, key)


def voice_bytes(voice: Voice) -> bytes:
    """Return a voice without its papers in safetensors."""
    from safetensors.numpy import save

    f0 = np.array([voice.f0_log_mean, voice.f0_log_spread, voice.median_hz], np.float64)
    arrays: Arrays = {"embedding": voice.embedding, "spectrum": voice.spectrum, "f0": f0}
    metadata = {**voice.metadata, "name": voice.name, _VERSION: FORMAT_VERSION}
    return bytes(save(arrays, {**metadata, _DIGEST: _digest(arrays, metadata)}))


def read_voice(content: bytes, file: str) -> Voice:
    """Return the voice that such bytes hold; without papers, hence not to be spoken with.

    Parameters
    ----------
    content
        At most 100 kB.
    file
        How errors name it.

    Raises
    ------
    VoiceError
        One sentence: file, what is wrong.
    """
    if len(content) > MAX_BYTES:
        raise VoiceError(f"{file}: is larger than {MAX_BYTES // 1000} kB, which no voice file is")
    arrays, metadata = _parse(content, file)
    version = metadata.pop(_VERSION, None)
    if version is None:
        raise VoiceError(f"{file}: is a safetensors file, but none of a voice")
    if version != FORMAT_VERSION:
        raise VoiceError(f"{file}: has the format {version[:20]!r}; this vcfx reads {FORMAT_VERSION}")
    for name, shape in _SHAPES.items():
        if name not in arrays or arrays[name].shape != shape:
            found = arrays[name].shape if name in arrays else "missing"
            raise VoiceError(f"{file}: {name} is {found}; allowed: the shape {shape}")
    if metadata.pop(_DIGEST, "") != _digest(arrays, metadata | {_VERSION: version}):
        raise VoiceError(f"{file}: is damaged (its checksum does not fit)")
    mean, spread, median_hz = (float(value) for value in arrays["f0"])
    name = metadata.pop("name", "")
    try:
        return Voice(name, arrays["embedding"], arrays["spectrum"], mean, spread, median_hz, metadata)
    except VoiceError as error:
        raise VoiceError(f"{file}: {error}") from None


def _parse(content: bytes, file: str) -> tuple[Arrays, dict[str, str]]:
    """Return arrays and metadata of a safetensors file; the library hands out metadata only of files on disk."""
    from safetensors.numpy import load

    try:
        arrays = load(content)
        size = int.from_bytes(content[:8], "little")
        metadata = dict(json.loads(content[8 : 8 + size]).get("__metadata__", {}))
    except Exception as error:  # what the library raises on rubbish is its own affair, and changes
        reason = " ".join(str(error).split())[:100]
        reason = reason if reason and reason.isprintable() else type(error).__name__
        raise VoiceError(f"{file}: is no voice file or is damaged ({reason})") from None
    return arrays, metadata


def _digest(arrays: Mapping[str, npt.NDArray[Any]], metadata: Mapping[str, str]) -> str:
    content = hashlib.sha256(json.dumps(dict(sorted(metadata.items()))).encode())
    for name in sorted(_SHAPES):
        content.update(f"{name} {arrays[name].dtype} ".encode())
        content.update(np.ascontiguousarray(arrays[name]).tobytes())
    return content.hexdigest()


def _check_array(array: npt.NDArray[Any], name: str) -> None:
    if array.shape != _SHAPES[name] or array.dtype != np.float32:
        raise VoiceError(f"{name} is {array.dtype} {array.shape}; allowed: float32 {_SHAPES[name]}")
    if not np.isfinite(array).all() or float(np.abs(array).max()) > _LARGEST:
        raise VoiceError(f"{name} holds a value that is no number or beyond {_LARGEST:g}; allowed: finite, smaller")


def _check_text(text: str, name: str, least: int = 0) -> None:
    if not is_one_line(text, least, MAX_TEXT):
        raise VoiceError(f"{name} is {text[:40]!r}; allowed: one line of {least} to {MAX_TEXT} printable characters")
