"""The files of the converter's networks: what they are called, and whether they fit this program."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from . import geometry as grid
from .errors import ModelError
from .runtime.onnx_initialisers import Arrays, read_model

FORMAT: Final = "vcfx-converter"
FORMAT_VERSION: Final = 2
PARTS: Final = ("encoder", "decoder", "colour")
#: How the matrices are kept, best for a processor first: the first one that is there is used.
STORAGES: Final = ("int8", "int8_stored", "float16", "float32")
#: What both sides must agree on beside the version.
GEOMETRY: Final = {
    "sample_rate": str(grid.SAMPLE_RATE),
    "hop_samples": str(grid.HOP_SAMPLES),
    "latency_samples": str(grid.LATENCY_SAMPLES),
    "content_size": str(grid.CONTENT_SIZE),
    "voice_size": str(grid.VOICE_SIZE),
}


@dataclass(frozen=True, slots=True)
class NetworkFile:
    """One network, checked.

    Parameters
    ----------
    part
        "encoder", "decoder" or "colour".
    data
        The ONNX file.
    arrays
        Its weights by name.
    metadata
        What it says of itself.
    """

    part: str
    data: bytes
    arrays: Arrays
    metadata: dict[str, str]

    @property
    def dilations(self) -> tuple[int, ...]:
        """Reach of the layers."""
        return tuple(int(word) for word in self.metadata["dilations"].split(","))

    @property
    def channels(self) -> int:
        """Width of the layers."""
        return int(self.metadata["channels"])

    @property
    def neutral_voice(self) -> npt.NDArray[np.float32]:
        """The mean voice of those that the converter was trained on, shape (416,)."""
        return np.frombuffer(base64.b64decode(self.metadata["neutral_voice"], validate=True), "<f4").astype(np.float32)


def weights_folder() -> Path:
    """Return the folder of the weights that come with the program."""
    return Path(str(resources.files("vcfx_models") / "weights"))


def network_path(folder: Path | None, name: str, what: str, use: str) -> Path:
    """Return where a network of its own is, in a folder or with the program; ModelError if it is not there."""
    path = (weights_folder() if folder is None else folder) / name
    if not path.is_file():
        raise ModelError(f"there is no {what} {path}, which {use} needs")
    return path


def file_name(part: str, storage: str) -> str:
    """Return the name of a network's file."""
    return f"{part}.onnx" if storage == "float32" else f"{part}.{storage}.onnx"


def stored_as(folder: Path, storage: str | None = None, order: Sequence[str] = STORAGES) -> str:
    """Return how the networks in a folder are stored; with several ways, the given or the first in the order."""
    if storage is not None and storage not in STORAGES:
        raise ModelError(f"storage is '{storage}'; allowed: {', '.join(STORAGES)}")
    for known in order if storage is None else (storage,):
        if all((folder / file_name(part, known)).is_file() for part in PARTS):
            return known
    wanted = file_name("encoder", storage or STORAGES[0])
    raise ModelError(f"{folder} holds no voice model; needed: {wanted} and its decoder and colour")


def read_networks(folder: Path, storage: str | None = None) -> dict[str, NetworkFile]:
    """Return the three networks of a folder by part, all of one model. Thread: control."""
    storage = stored_as(folder, storage)
    files = {part: read_network(folder / file_name(part, storage), part) for part in PARTS}
    for part in PARTS[1:]:
        ours, theirs = (files[name].metadata["checkpoint_sha256"] for name in (part, PARTS[0]))
        if ours != theirs:
            raise ModelError(f"{folder} mixes two models: its {part} is not of the same training as its {PARTS[0]}")
    return files


def read_network(path: Path, part: str) -> NetworkFile:
    """Read and check one network. Thread: control."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}") from None
    try:
        stored = read_model(data)
        file = NetworkFile(part, data, stored.arrays, stored.metadata)
        _check(path, file, stored.graph_sha256)
        if not np.all(np.isfinite(file.neutral_voice)) or file.neutral_voice.shape != (grid.VOICE_SIZE,):
            raise ValueError("its neutral voice is none")
        if not file.dilations or file.channels < 1:
            raise ValueError("it has no layers")
    except (ValueError, IndexError, KeyError, UnicodeDecodeError, MemoryError) as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(f"{path} is damaged or no voice model") from None
    return file


def _check(path: Path, file: NetworkFile, graph_sha256: str) -> None:
    metadata = file.metadata
    if metadata.get("format") != FORMAT:
        raise ModelError(f"{path} is damaged or no voice model")
    wanted = {"format_version": str(FORMAT_VERSION), "part": file.part} | GEOMETRY
    for name, value in wanted.items():
        if metadata.get(name) != value:
            raise ModelError(f"{path}: {name} is {metadata.get(name, 'missing')}; this program needs {value}")
    if metadata.get("graph_sha256") != graph_sha256:
        raise ModelError(f"{path} is damaged: its contents do not match their checksum")
