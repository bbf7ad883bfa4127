"""Reads the weights of a CTranslate2 model file (binary version 6), as converters of recognisers write them."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

VERSION = 6
KINDS = (np.float32, np.int8, np.int16, np.int32, np.float16)


def read_ctranslate(path: Path) -> dict[str, npt.NDArray[np.generic]]:
    """Return every variable of a model.bin by its name.

    Raises
    ------
    ValueError
        The file is of another version or holds a kind of number that is not known here.
    """
    with path.open("rb") as file:
        version = _whole(file, "<I")
        if version != VERSION:
            raise ValueError(f"{path}: version {version} of CTranslate2's format, {VERSION} is known here")
        _text(file)
        _whole(file, "<I")
        return dict(_variable(file, path) for _ in range(_whole(file, "<I")))


def _variable(file: BinaryIO, path: Path) -> tuple[str, npt.NDArray[np.generic]]:
    name = _text(file)
    shape = [_whole(file, "<I") for _ in range(_whole(file, "<B"))]
    kind = _whole(file, "<B")
    if kind >= len(KINDS):
        raise ValueError(f"{path}: {name} has numbers of kind {kind}, 0 to {len(KINDS) - 1} are known here")
    return name, np.frombuffer(file.read(_whole(file, "<I")), KINDS[kind]).reshape(shape)


def _text(file: BinaryIO) -> str:
    return file.read(_whole(file, "<H"))[:-1].decode()


def _whole(file: BinaryIO, form: str) -> int:
    value: int = struct.unpack(form, file.read(struct.calcsize(form)))[0]
    return value
