"""The one adapter between pedalboard's effects and our nodes."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from vcfx.errors import ParameterError, nearest
from vcfx_dsp.node import Block, Node, ProcessSpec
from vcfx_dsp.parameters import Value

from .effect_table import EFFECTS, REFUSED, TAILS_S

PREFIX = "pedalboard."
_SILENCE_DB = 120.0
_DEFAULT_TAIL_S = 1.0


class PedalboardEffect(Node):
    """A built-in effect of pedalboard, run in hops of constant length on the worker.

    Its parameters are pedalboard's own, by pedalboard's names. Latency: 0. It allocates (pedalboard returns a new
    array per call), which the worker may and the callback may not.
    """

    effect: ClassVar[str]
    allows_inplace = True

    def __init__(self, **parameters: object) -> None:
        super().__init__(**parameters)
        self._plugin: Any = None

    @property
    def tail_samples(self) -> int:
        """Frames until the effect has died away; an estimate on the long side."""
        seconds = TAILS_S.get(self.effect, _DEFAULT_TAIL_S)
        if self.effect == "Delay":
            feedback = float(self._parameters["feedback"])
            rounds = 1 + (_SILENCE_DB / (-20 * math.log10(feedback)) if feedback > 0 else 0)
            seconds = float(self._parameters["delay_seconds"]) * rounds
        return math.ceil(seconds * self.spec.sample_rate)

    def prepare(self, spec: ProcessSpec) -> None:
        """Make the effect and run a block of silence through it."""
        import pedalboard

        if spec.channels > 2:
            raise ParameterError(f"{self.kind}: channels is {spec.channels}; allowed: 1 or 2")
        self._spec = spec
        self._plugin = getattr(pedalboard, self.effect)()
        self._apply(self._parameters)
        self._check_streaming(spec)
        self.reset()

    def process(self, block_in: Block, block_out: Block) -> None:
        """Run one hop. Thread: worker."""
        frames = block_in.shape[1]
        made = self._plugin.process(block_in, self.spec.sample_rate, buffer_size=frames, reset=False)
        start = frames - made.shape[-1]
        block_out[:, :start] = 0
        block_out[:, start:] = made

    def reset(self) -> None:
        """Forget echoes and envelopes."""
        self._plugin.reset()

    def update(self, **parameters: object) -> None:
        """Change parameters between two hops; pedalboard smooths what it smooths. Thread: worker."""
        self._parameters = self._merged(parameters)
        if self._plugin is not None:
            self._apply(self._parameters)

    def _apply(self, parameters: dict[str, Value]) -> None:
        import pedalboard

        for name, value in parameters.items():
            if name == "mode":
                value = getattr(pedalboard.LadderFilter.Mode, str(value))
            setattr(self._plugin, name, value)

    def _check_streaming(self, spec: ProcessSpec) -> None:
        silence = np.zeros((spec.channels, spec.max_frames), np.float32)
        made = self._plugin.process(silence, spec.sample_rate, buffer_size=spec.max_frames, reset=False)
        if made.shape[-1] != spec.max_frames:
            held = spec.max_frames - made.shape[-1]
            raise ParameterError(f"{self.kind}: this pedalboard holds back {held} frames of it, so it cannot run live")


def effect_kinds() -> list[str]:
    """Return the kinds of all effects that can run live, such as ``pedalboard.Reverb``."""
    return [PREFIX + name for name in EFFECTS]


def effect_class(kind: str) -> type[Node]:
    """Return the node class for ``pedalboard.NAME``.

    Raises
    ------
    ParameterError
        If it cannot run live (naming what to use instead) or does not exist.
    """
    name = kind.removeprefix(PREFIX)
    if name in REFUSED:
        raise ParameterError(f"pedalboard's {name} cannot run live: {REFUSED[name]}")
    if name not in EFFECTS:
        raise ParameterError(f"there is no node '{kind}'{nearest(kind, effect_kinds())}")
    members = {"kind": kind, "effect": name, "PARAMETERS": EFFECTS[name], "__doc__": PedalboardEffect.__doc__}
    return type(name, (PedalboardEffect,), members)
