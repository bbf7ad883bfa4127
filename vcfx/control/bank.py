"""The bank: presets whose plans are kept ready, so that switching between them takes no building.

A plan in the bank costs memory and nothing else: neither the audio thread nor the worker knows of it. When it has been
heard and retired, it is brought back to what its file says, emptied of sound, and is ready again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from vcfx.engine.engine import Engine
from vcfx.errors import VcfxError
from vcfx.graph.plan import RenderPlan
from vcfx.hosts.neural_voice import NeuralVoice
from vcfx.presets import Preset
from vcfx.presets.model import NodeEntry
from vcfx_models.errors import ConsentError

from .live_preset import all_entries, declared_parameters, full_parameters
from .loader import Loader
from .preset_source import PresetSource, Wanted

_ROUND_S = 2.0


class Bank:
    """Places with ready plans. Thread: control, unless a method says otherwise.

    Parameters
    ----------
    names
        Presets by name or file, in order; empty for no bank.
    call
        Runs a function on the control thread.

    Raises
    ------
    VcfxError
        If a preset is missing or damaged.
    """

    def __init__(
        self,
        names: tuple[str, ...],
        source: PresetSource,
        engine: Engine,
        loader: Loader,
        call: Callable[[Callable[[], None]], None],
    ) -> None:
        self.names = names
        self.problems: dict[str, str] = {}
        self._source, self._engine, self._loader, self._call = source, engine, loader, call
        self._ready: dict[str, tuple[RenderPlan, Preset]] = {}
        self._out: dict[int, tuple[str, Preset]] = {}
        for name in names:
            source.wanted(name)
        self.refresh()

    def is_ready(self, name: str) -> bool:
        """Whether a place's plan only needs to be posted."""
        return name in self._ready

    def take(self, wanted: Wanted) -> RenderPlan | None:
        """Return a ready plan for just that preset, whatever its live parameters; it comes back through `retired`.

        Raises
        ------
        VcfxError
            If a parameter cannot be what the preset says, or a voice may not be used any more.
        """
        plan, preset = self._ready.get(wanted.name, (None, None))
        if plan is None or preset is None or _skeleton(preset) != _skeleton(wanted.preset):
            return None
        if preset != wanted.preset:
            _settle(plan, wanted.preset)
        _check_papers(plan)
        del self._ready[wanted.name]
        self._out[plan.address] = (wanted.name, wanted.preset)
        return plan

    def retired(self, plan: RenderPlan) -> bool:
        """Take a plan back that is no longer heard; False if it is none of the bank's."""
        name, preset = self._out.pop(plan.address, (None, None))
        if name is None or preset is None:
            return False
        self._loader.chore(lambda: self._make_ready(name, plan, preset, self._engine))
        return True

    def refresh(self) -> None:
        """Make every plan fit for what its place means by now (another voice may have been chosen)."""
        for name in self.names:
            if not any(name == out for out, _ in self._out.values()):
                self._loader.chore(lambda place=name: self._review(place, self._ready.get(place)))  # type: ignore[misc]

    def use_engine(self, engine: Engine, same_terms: bool) -> None:
        """Work for another engine; its plans are new ones unless rate, channels and block are the same."""
        self._engine = engine
        self._out.clear()
        if not same_terms:
            for plan, _ in self._ready.values():
                plan.release()
            self._ready.clear()
        self.refresh()

    def close(self) -> None:
        """Let go of all plans that are ready."""
        for plan, _ in self._ready.values():
            plan.release()
        self._ready.clear()

    def _review(self, name: str, ready: tuple[RenderPlan, Preset] | None) -> None:
        """Load what a ready plan will need, or build another. Thread: loader."""
        if ready is not None:
            plan, preset = ready
            with contextlib.suppress(VcfxError):  # which is told when the place is chosen
                wanted = self._source.wanted(name)
                if _skeleton(preset) == _skeleton(wanted.preset):
                    _fetch_voices(plan, wanted.preset)
                    return
            self._call(lambda: self._withdraw(name, plan))
        self._make_ready(name, None, None, self._engine)

    def _withdraw(self, name: str, plan: RenderPlan) -> None:
        """Drop a plan that is no longer fit, unless it has been taken meanwhile."""
        if name in self._ready and self._ready[name][0] is plan:
            del self._ready[name]
            plan.release()

    def _make_ready(self, name: str, plan: RenderPlan | None, preset: Preset | None, engine: Engine) -> None:
        """Bring a plan back, or build a new one. Thread: loader."""
        try:
            wanted = self._source.wanted(name)
            if plan is not None and plan.worker is not None:
                engine.worker.wait_for_round(_ROUND_S)
            if plan is None or preset is None or not refit(plan, preset, wanted.preset):
                if plan is not None:
                    plan.release()
                plan = engine.prepare(wanted.preset)
        except Exception as error:  # a plugin is foreign code; the place is then built when it is asked for
            reason = str(error) if isinstance(error, VcfxError) else f"{type(error).__name__}: {error}"
            self._call(lambda: self.problems.update({name: reason}))
            return
        made = plan
        self._call(lambda: self._put(name, made, wanted.preset, engine))

    def _put(self, name: str, plan: RenderPlan, preset: Preset, engine: Engine) -> None:
        if engine is not self._engine or name in self._ready:
            plan.release()
            return
        self.problems.pop(name, None)
        self._ready[name] = (plan, preset)


def refit(plan: RenderPlan, built_for: Preset, preset: Preset) -> bool:
    """Bring a plan that nobody hears to a preset and empty it of sound; False if it takes a new plan.

    Whatever live parameters have been moved since it was built are set to the preset's.
    """
    if _skeleton(built_for) != _skeleton(preset):
        return False
    _settle(plan, preset)
    plan.reset()
    return True


def _settle(plan: RenderPlan, preset: Preset) -> None:
    """Set live parameters as a preset has them, while nobody hears the plan."""
    present = set(plan.graph.node_names())
    for entry in preset.nodes():
        if entry.id in present:
            node = plan.node(entry.id)
            meant = full_parameters(entry)
            moved = {name: value for name, value in meant.items() if node.parameters[name] != value}
            if moved:
                node.update(**moved)


def _check_papers(plan: RenderPlan) -> None:
    """Refuse a plan that waited longer than its voices may be used."""
    for name in plan.graph.node_names():
        node = plan.node(name)
        if isinstance(node, NeuralVoice):
            node.check_papers()
            if node.problem:
                raise ConsentError(node.problem)


def _fetch_voices(plan: RenderPlan, preset: Preset) -> None:
    present = set(plan.graph.node_names())
    for entry in preset.nodes():
        node = plan.node(entry.id) if entry.id in present else None
        if isinstance(node, NeuralVoice):
            node.fetch(str(entry.parameters.get("voice", "")))


def _skeleton(preset: Preset) -> tuple[Any, ...]:
    """Return what a plan cannot change once built."""
    rows = [
        (
            entry.id,
            entry.bypass,
            _fixed(entry) if isinstance(entry, NodeEntry) else (entry.mix_ratio, len(entry.branches)),
        )
        for entry in all_entries(preset)
    ]
    emptied = replace(preset, chain=(), sends=tuple(replace(send, chain=()) for send in preset.sends))
    return (emptied, rows, [entry.kind for entry in preset.nodes()])


def _fixed(entry: NodeEntry) -> dict[str, Any]:
    fixed = {parameter.name for parameter in declared_parameters(entry) if not parameter.live}
    return {name: value for name, value in full_parameters(entry).items() if name in fixed}
