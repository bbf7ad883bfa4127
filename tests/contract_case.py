"""What the contract needs to know of a node: `tests/cases/<kind>.py` holds one `CASE`."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Case:
    """One node's entry in the contract.

    Parameters
    ----------
    identity
        Parameters under which the output is the input, delayed by ``latency_samples``; None if there are none.
    identity_atol
        Allowed error of the identity; 0 means the same bits.
    variants
        Parameter sets that every other clause is run with.
    silent
        Whether silence in gives silence out after the tail (false for generators).
    """

    identity: Mapping[str, object] | None = None
    identity_atol: float = 0.0
    variants: tuple[Mapping[str, object], ...] = field(default=({},))
    silent: bool = True


def case_of(kind: str) -> Case:
    path = Path(__file__).parent / "cases" / f"{kind}.py"
    assert path.exists(), f"node '{kind}' is registered but {path} does not exist"
    spec = importlib.util.spec_from_file_location(f"contract_case_{kind}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Case = module.CASE
    return found
