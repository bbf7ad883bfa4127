"""From TOML tables to a checked `Preset`. Every error names the file, the table, the key and what is allowed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from vcfx.errors import VcfxError, nearest
from vcfx_dsp.node import Node
from vcfx_dsp.parameters import Parameter, Value

from .document import parse
from .model import (
    DEFAULT_HOP_FRAMES,
    INPUT,
    NOTICES,
    ON_OVERLOAD,
    OUTPUT,
    PARALLEL,
    SCHEMA_VERSION,
    BranchEntry,
    Entry,
    NodeEntry,
    ParallelEntry,
    Preset,
    SendEntry,
)
from .place import (
    Place,
    Table,
    check_keys,
    read_flag,
    read_name,
    read_number,
    read_tables,
    read_text,
    read_texts,
    read_value,
    shown,
)

MAX_ENTRIES: Final = 64
MAX_NODES: Final = 256
MAX_DEPTH: Final = 4
RESERVED_IDS: Final = (INPUT, OUTPUT)
ID_PATTERN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")

HOP = Parameter("hop_frames", float(DEFAULT_HOP_FRAMES), 16, 8192, integer=True)
OVERLOAD = Parameter("on_overload", ON_OVERLOAD[0], choices=ON_OVERLOAD)
OUTPUT_GAIN = Parameter("output_gain_db", 0.0, -60.0, 24.0)
NOTICE = Parameter("notice", NOTICES[0], choices=NOTICES)
MIX = Parameter("mix_ratio", 1.0, 0.0, 1.0)
PATH_GAIN = Parameter("gain_db", 0.0, -120.0, 36.0)

TOP_KEYS: Final = ("schema_version", "name", "description", "tags", "engine", "chain", "send")
ENGINE_KEYS: Final = (HOP.name, OVERLOAD.name, OUTPUT_GAIN.name, NOTICE.name)
NODE_KEYS: Final = ("node", "id", "bypass")
PARALLEL_KEYS: Final = (*NODE_KEYS, MIX.name, "branch")
BRANCH_KEYS: Final = (PATH_GAIN.name, "chain")
SEND_KEYS: Final = ("from", "to", PATH_GAIN.name, "chain")


def read_preset(content: bytes, file: str) -> Preset:
    """Return the preset that a TOML text describes.

    Parameters
    ----------
    content
        UTF-8 TOML, at most 1 MB.
    file
        How errors name it.

    Raises
    ------
    PresetError
        One sentence: file, table, key, value, what is allowed.
    """
    return read_document(parse(content, file), file)


def read_document(document: dict[str, Any], file: str) -> Preset:
    """Return the preset that parsed TOML tables describe; raises `PresetError`."""
    place = Place(file)
    check_version(document, place)
    check_keys(document, TOP_KEYS, place)
    reader = _Reader(document, place)
    chain = reader.read_chain(document, place, depth=0)
    main_ids = [entry.id for entry in chain]
    sends = [reader.read_send(table, at, main_ids) for table, at in read_tables(document, "send", place, MAX_ENTRIES)]
    engine_place = place.table("engine")
    engine = _table(document, "engine", place)
    check_keys(engine, ENGINE_KEYS, engine_place)
    return Preset(
        name=read_name(document, place),
        description=read_text(document, "description", place, default=""),
        tags=read_texts(document, "tags", place, MAX_ENTRIES, "words"),
        hop_frames=int(read_number(engine, HOP, engine_place)),
        on_overload=str(read_value(engine, OVERLOAD, engine_place)),
        output_gain_db=read_number(engine, OUTPUT_GAIN, engine_place),
        chain=chain,
        sends=tuple(sends),
        notice=str(read_value(engine, NOTICE, engine_place)),
    )


def check_version(document: Table, place: Place) -> None:
    """Refuse a missing, wrong or future ``schema_version``."""
    version = document.get("schema_version")
    if version is None:
        raise place.wrong(f"schema_version is missing; this vcfx writes schema_version = {SCHEMA_VERSION}")
    if isinstance(version, int) and not isinstance(version, bool) and version > SCHEMA_VERSION:
        raise place.wrong(
            f"was made by a newer vcfx (schema_version {shown(version)}; this one reads {SCHEMA_VERSION}); upgrade vcfx"
        )
    if type(version) is not int or version != SCHEMA_VERSION:
        raise place.wrong(f"schema_version is {shown(version)}; allowed: {SCHEMA_VERSION}")


class _Reader:
    """Reads the chains of one document; knows the ids that are taken."""

    def __init__(self, document: Table, place: Place) -> None:
        self._taken = Counter(_given_ids(document))
        for given, count in self._taken.items():
            if count > 1:
                raise place.wrong(f"the id {shown(given)} is given {count} times; ids must differ")
        self._nodes = 0

    def read_chain(self, table: Table, place: Place, depth: int) -> tuple[Entry, ...]:
        return tuple(self._read_entry(*item, depth) for item in read_tables(table, "chain", place, MAX_ENTRIES))

    def _read_entry(self, table: Table, place: Place, depth: int) -> Entry:
        kind = read_text(table, "node", place)
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise place.wrong(f"is node {self._nodes} of the preset; allowed: {MAX_NODES}")
        if kind == PARALLEL:
            return self._read_parallel(table, place, depth)
        node = _node_class(kind, table, place)
        here = place.of_kind(kind)
        parameters = _read_parameters(table, node, here)
        return NodeEntry(kind, self._id(table, kind, here), parameters, read_flag(table, "bypass", here))

    def _read_parallel(self, table: Table, place: Place, depth: int) -> ParallelEntry:
        here = place.of_kind(PARALLEL)
        if depth >= MAX_DEPTH:
            raise here.wrong(f"parallel sections are nested more than {MAX_DEPTH} deep")
        check_keys(table, PARALLEL_KEYS, here)
        branches = [self._read_branch(*item, depth + 1) for item in read_tables(table, "branch", here, MAX_ENTRIES)]
        if not branches:
            raise here.wrong("has no [[chain.branch]]; give at least one")
        mix_ratio = read_number(table, MIX, here)
        return ParallelEntry(
            self._id(table, PARALLEL, here), tuple(branches), mix_ratio, read_flag(table, "bypass", here)
        )

    def _read_branch(self, table: Table, place: Place, depth: int) -> BranchEntry:
        check_keys(table, BRANCH_KEYS, place)
        return BranchEntry(self.read_chain(table, place, depth), read_number(table, PATH_GAIN, place))

    def read_send(self, table: Table, place: Place, main_ids: Sequence[str]) -> SendEntry:
        check_keys(table, SEND_KEYS, place)
        source, target = (read_text(table, key, place) for key in ("from", "to"))
        order = [INPUT, *main_ids, OUTPUT]
        for key, given, known in (("from", source, order[:-1]), ("to", target, order[1:])):
            if given not in known:
                raise place.wrong(f"{key} is {shown(given)}, no id of the main chain{nearest(given[:64], known)}")
        if order.index(target) <= order.index(source):
            raise place.wrong(f"goes from {source!r} back to {target!r}; a send must lead to a later node")
        return SendEntry(source, target, read_number(table, PATH_GAIN, place), self.read_chain(table, place, 1))

    def _id(self, table: Table, kind: str, place: Place) -> str:
        if "id" not in table:
            return self._free_id(kind)
        given = read_text(table, "id", place)
        if not ID_PATTERN.fullmatch(given) or given in RESERVED_IDS:
            raise place.wrong(
                f"id is {shown(given)}; allowed: up to 64 letters, digits, - and _, but not {' or '.join(RESERVED_IDS)}"
            )
        return given

    def _free_id(self, kind: str) -> str:
        base = kind.rsplit(".", maxsplit=1)[-1].lower()
        number = 1
        while (candidate := base if number == 1 else f"{base}-{number}") in self._taken or candidate in RESERVED_IDS:
            number += 1
        self._taken[candidate] = 1
        return candidate


def _given_ids(table: object, depth: int = 0) -> list[str]:
    """Ids that the file gives, wherever they stand; deeper than any allowed nesting nothing is looked for."""
    if isinstance(table, list):
        return [found for item in table for found in _given_ids(item, depth)]
    if not isinstance(table, dict) or depth > 2 * (MAX_DEPTH + 2):
        return []
    own = [table["id"]] if isinstance(table.get("id"), str) else []
    return own + [found for key in ("chain", "branch", "send") for found in _given_ids(table.get(key), depth + 1)]


def _node_class(kind: str, table: Table, place: Place) -> type[Node]:
    from vcfx.graph.catalogue import node_class  # here, because the graph's builder reads presets

    try:
        return node_class(kind, also=(PARALLEL,), given=table)
    except VcfxError as error:
        raise place.wrong(str(error)) from None


def _read_parameters(table: Table, node: type[Node], place: Place) -> dict[str, Value]:
    declared = {parameter.name: parameter for parameter in node.PARAMETERS}
    check_keys(table, (*NODE_KEYS, *declared), place)
    parameters = {key: read_value(table, declared[key], place) for key in table if key in declared}
    try:
        node(**parameters)  # what concerns several parameters at once, only the node knows
    except VcfxError as error:
        raise place.wrong(str(error)) from None
    return parameters


def _table(document: Table, key: str, place: Place) -> Table:
    value = document.get(key, {})
    if not isinstance(value, dict):
        raise place.wrong(f"{key} is {shown(value)}; allowed: a table, headed [{key}]")
    return value
