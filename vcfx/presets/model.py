"""What a preset holds, once read and checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from vcfx_dsp.notice_sounds import SOUNDS
from vcfx_dsp.parameters import Value

SCHEMA_VERSION: Final = 1
ON_OVERLOAD: Final = ("conceal", "silence", "dry")
NO_NOTICE: Final = "none"
NOTICES: Final = (NO_NOTICE, *SOUNDS)
DEFAULT_HOP_FRAMES: Final = 128
INPUT: Final = "input"
OUTPUT: Final = "output"
PARALLEL: Final = "parallel"


@dataclass(frozen=True, slots=True)
class NodeEntry:
    """One node of a chain.

    Parameters
    ----------
    kind
        The node's kind: ``gate``, ``pitch``, ...
    id
        Its name within the preset, for sends and live control.
    parameters
        The parameters that the preset sets, checked; the node's defaults hold for the others.
    bypass
        Whether the node is left out for now.
    """

    kind: str
    id: str
    parameters: Mapping[str, Value] = field(default_factory=dict)
    bypass: bool = False


@dataclass(frozen=True, slots=True)
class BranchEntry:
    """One branch of a parallel section: a chain and the level at which it is mixed, in dB."""

    chain: tuple[Entry, ...] = ()
    gain_db: float = 0.0


@dataclass(frozen=True, slots=True)
class ParallelEntry:
    """Branches that hear the same input and are summed.

    Parameters
    ----------
    id
        Its name within the preset.
    branches
        At least one.
    mix_ratio
        0 is the input alone, 1 the branches alone.
    bypass
        Whether the section is left out for now.
    """

    id: str
    branches: tuple[BranchEntry, ...]
    mix_ratio: float = 1.0
    bypass: bool = False


Entry = NodeEntry | ParallelEntry


@dataclass(frozen=True, slots=True)
class SendEntry:
    """A side road: what leaves one node is also led through a chain and added to a later node's input.

    Parameters
    ----------
    source, target
        Ids of the main chain, `source` before `target`; also ``input`` and ``output``. In files: ``from`` and ``to``.
    gain_db
        Level at which the side road is added, -120 to 36 dB.
    chain
        The nodes on the side road.
    """

    source: str
    target: str
    gain_db: float = 0.0
    chain: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class Preset:
    """A voice: a chain of nodes, its side roads, and how the engine treats it.

    Parameters
    ----------
    name, description, tags
        For people.
    hop_frames
        Block length of the nodes that do not run in the audio callback, 16 to 8192 frames.
    on_overload
        What is heard when such a node is late: ``conceal``, ``silence`` or ``dry`` (the unchanged voice).
    output_gain_db
        Level change behind everything, -60 to 24 dB.
    chain, sends
        The graph.
    notice
        What is heard at the start, over everything: ``none``, ``tone`` or ``spoken`` ("You are listening to an
        artificial voice.").
    """

    name: str
    description: str = ""
    tags: tuple[str, ...] = ()
    hop_frames: int = DEFAULT_HOP_FRAMES
    on_overload: str = "conceal"
    output_gain_db: float = 0.0
    chain: tuple[Entry, ...] = ()
    sends: tuple[SendEntry, ...] = ()
    notice: str = NO_NOTICE

    def nodes(self) -> Iterator[NodeEntry]:
        """Every node of the preset, in the order of the file, side roads last."""
        yield from nodes_of(self.chain)
        for send in self.sends:
            yield from nodes_of(send.chain)


def nodes_of(chain: tuple[Entry, ...]) -> Iterator[NodeEntry]:
    """Every node of a chain, those of parallel branches included."""
    for entry in chain:
        if isinstance(entry, NodeEntry):
            yield entry
        else:
            for branch in entry.branches:
                yield from nodes_of(branch.chain)
