"""Weights and metadata of an ONNX file, read without the onnx package."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

# Field numbers of onnx.proto (ModelProto, GraphProto, TensorProto, StringStringEntryProto).
GRAPH, METADATA = 7, 14
INITIALISER = 5
DIMS, DATA_TYPE, NAME, RAW_DATA = 1, 2, 8, 9
KEY, VALUE = 1, 2
DTYPES = {1: np.float32, 2: np.uint8, 3: np.int8, 7: np.int64, 10: np.float16}
Arrays = dict[str, npt.NDArray[np.generic]]


def _varint(data: memoryview, place: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7


def _fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Yield (number, value) of a message; bytes are views. Raises IndexError or ValueError where it is damaged."""
    place = 0
    while place < len(data):
        key, place = _varint(data, place)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, place = _varint(data, place)
            yield number, value
            continue
        if wire == 2:
            size, place = _varint(data, place)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise ValueError(f"wire type {wire}")
        if place + size > len(data):
            raise IndexError("message ends early")
        yield number, data[place : place + size]
        place += size


def _bytes_of(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise ValueError("a number where bytes belong")
    return value


def _tensor(data: memoryview) -> tuple[str, npt.NDArray[np.generic]]:
    shape: list[int] = []
    name, kind, raw = "", 0, memoryview(b"")
    for number, value in _fields(data):
        if number == DIMS:
            shape += [value] if isinstance(value, int) else _packed(value)
        elif number == DATA_TYPE and isinstance(value, int):
            kind = value
        elif number == NAME:
            name = bytes(_bytes_of(value)).decode()
        elif number == RAW_DATA:
            raw = _bytes_of(value)
    if kind not in DTYPES or math.prod(shape) * np.dtype(DTYPES[kind]).itemsize != len(raw):
        raise ValueError(f"initialiser '{name}' has an unknown type or size")
    return name, np.frombuffer(raw, DTYPES[kind]).reshape(shape)


def _packed(data: memoryview) -> list[int]:
    values, place = [], 0
    while place < len(data):
        value, place = _varint(data, place)
        values.append(value)
    return values


@dataclass(frozen=True, slots=True)
class StoredModel:
    """What an ONNX file holds.

    Parameters
    ----------
    arrays
        Initialisers by name, views of the file's bytes.
    metadata
        Its metadata_props.
    graph_sha256
        Of the graph, weights included; the metadata are not part of it, so that they may state it.
    """

    arrays: Arrays
    metadata: dict[str, str]
    graph_sha256: str


def read_model(data: bytes) -> StoredModel:
    """Take an ONNX file apart.

    Raises
    ------
    ValueError, IndexError
        What is there is no such file.
    """
    arrays: Arrays = {}
    metadata: dict[str, str] = {}
    digest = hashlib.sha256()
    for number, value in _fields(memoryview(data)):
        if number == GRAPH:
            graph = _bytes_of(value)
            digest.update(graph)
            parts = (part for field, part in _fields(graph) if field == INITIALISER)
            arrays.update(_tensor(_bytes_of(part)) for part in parts)
        elif number == METADATA:
            entry = {field: bytes(_bytes_of(part)).decode() for field, part in _fields(_bytes_of(value))}
            metadata[entry.get(KEY, "")] = entry.get(VALUE, "")
    return StoredModel(arrays, metadata, digest.hexdigest())
