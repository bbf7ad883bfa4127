"""Changes of preset on their way: asked for, built in the background, ready, posted, heard.

One change at a time is built, one waits ready, one is posted. The latest wishes win: a change that a later one
overtakes before it was heard is answered together with that one, with a note. Parameters set meanwhile are not lost.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from vcfx.engine.engine import Engine
from vcfx.errors import VcfxError
from vcfx.graph.plan import RenderPlan
from vcfx.presets import Preset
from vcfx.presets.model import NodeEntry
from vcfx_dsp.parameters import Value

from .bank import Bank
from .live_preset import with_parameter
from .loader import Loader
from .preset_source import Wanted
from .reply import Reply

#: Takes the place of a plan that must fall silent until it is built anew.
SILENCE = Preset("Silence", chain=(NodeEntry("gain", "silence", {"gain_db": -120.0}),))


@dataclass(eq=False)
class Change:
    """A preset on its way to being heard, and who waits for it."""

    number: int
    wanted: Wanted
    replies: list[tuple[Reply, str]] = field(default_factory=list)
    plan: RenderPlan | None = None

    def answer(self, block: int | None) -> None:
        """Tell everybody in which block it began."""
        for reply, note in self.replies:
            reply.applied(block, note)
        self.replies.clear()

    def join(self, overtaken: Change) -> None:
        """Answer for a change that will not be heard any more."""
        note = f"overtaken by '{self.wanted.preset.name}'"
        self.replies += [(reply, earlier or note) for reply, earlier in overtaken.replies]
        overtaken.replies = []


class PresetChanges:
    """Thread: control.

    Parameters
    ----------
    running
        What the engine runs at the start.
    call
        Runs a function on the control thread.
    """

    def __init__(
        self,
        running: Wanted,
        engine: Engine,
        bank: Bank,
        loader: Loader,
        call: Callable[[Callable[[], None]], None],
    ) -> None:
        self.running = self.wanted = running
        #: Why a change came to nothing that nobody waited for; empty once another one is heard.
        self.problem = ""
        self._engine, self._bank, self._loader, self._call = engine, bank, loader, call
        self._number = self._wanted_by = self._running_by = 0
        self._newest: Change | None = None  # of those that are ready or posted
        self._building: list[Change] = []
        self._ready: Change | None = None
        self._posted: Change | None = None
        self._ticket = 0
        self._silence = engine.prepare(SILENCE)
        engine.on_retired = lambda plan: call(lambda: self._retired(plan))

    @property
    def busy(self) -> bool:
        """Whether `poll` must be called soon."""
        return self._posted is not None

    @property
    def settled(self) -> bool:
        """Whether what is wanted is what runs."""
        return self._wanted_by == self._running_by

    def begin(self, wanted: Wanted, reply: Reply | None = None, note: str = "") -> None:
        """Bring a preset to be heard: at once from the bank, or else when it is built."""
        self._number += 1
        change = Change(self._number, wanted, [(reply, note)] if reply else [])
        self.wanted, self._wanted_by = wanted, change.number
        change.plan = self._bank.take(wanted)
        if change.plan is not None:
            self._offer(change)
        else:
            self._build(change)

    def restart(self) -> None:
        """Forget all sound that the present preset still holds: silence first, then the preset built anew."""
        self._number += 1
        plan, self._silence = self._silence, self._engine.prepare(SILENCE)
        self._offer(Change(self._number, self.wanted, [], plan))
        self.begin(self.wanted)

    def set_parameter(self, node: str, parameter: str, value: Value) -> int | None:
        """Move a parameter of what is wanted, and of what runs if that is the same.

        Returns
        -------
        int or None
            A ticket for `Engine.messages.applied_in`; None where no block can be named.

        Raises
        ------
        VcfxError
            If there is no such node or parameter, or the value is not allowed.
        """
        changed = with_parameter(self.wanted.preset, node, parameter, value)
        if self.settled:
            ticket = None
            if node in self._engine.plan.graph.node_names():
                ticket = self._engine.set_parameters(node, **{parameter: value})
            self.wanted = self.running = replace(self.wanted, preset=changed)
            return ticket
        before, self.wanted = self.wanted, replace(self.wanted, preset=changed)
        if self._ready is not None and self._ready.number == self._wanted_by:
            try:
                self._catch_up(self._ready)
            except VcfxError:
                self.wanted = before
                raise
        return None

    def when_heard(self, reply: Reply) -> None:
        """Answer a message about a preset that is on its way when that one is heard."""
        waiting = [change for change in (*self._building, self._ready) if change and change.number == self._wanted_by]
        if waiting:
            waiting[0].replies.append((reply, ""))
        else:
            reply.applied(None)

    def kept(self, before: Preset, wanted: Wanted) -> None:
        """Note that what is wanted has been saved, unless it is another preset by now."""
        if self.wanted.preset != before:
            return
        self.wanted = wanted
        if self.settled:
            self.running = wanted

    def poll(self) -> bool:
        """Look how far the posted change is; whether something has changed."""
        if self._posted is None:
            return False
        block = self._engine.changed_in(self._ticket)
        if block is not None:
            self._posted.answer(block)
        if block is None or self._engine.is_changing():
            return False
        self._posted = None
        self._advance()
        return True

    def use_engine(self, engine: Engine, running: Preset) -> None:
        """Go on with another engine that runs `running`; what is wanted by now is brought to it."""
        for change in (self._posted, self._ready):
            if change is not None:
                change.answer(None)
        self._posted = self._ready = None
        self._engine = engine
        self._silence = engine.prepare(SILENCE)
        engine.on_retired = lambda plan: self._call(lambda: self._retired(plan))
        if self.wanted.preset != running:
            self.begin(self.wanted)
        else:
            self.running, self._running_by = self.wanted, self._wanted_by

    def close(self) -> None:
        """Answer everybody who still waits."""
        for change in (*self._building, self._ready, self._posted):
            if change is not None:
                change.answer(None)

    def _build(self, change: Change) -> None:
        engine, preset = self._engine, change.wanted.preset
        self._building.append(change)
        replaced = self._loader.urgent(change, lambda: self._prepare(change, engine, preset))
        if isinstance(replaced, Change):
            self._building.remove(replaced)
            change.join(replaced)

    def _prepare(self, change: Change, engine: Engine, preset: Preset) -> None:
        """Build a plan. Thread: loader."""
        try:
            plan = engine.prepare(preset)
        except Exception as error:  # a plugin is foreign code; whatever it does, the present preset goes on
            reason = str(error) if isinstance(error, VcfxError) else f"{type(error).__name__}: {error}"
            self._call(lambda: self._failed(change, reason))
        else:
            self._call(lambda: self._built(change, plan, engine))

    def _failed(self, change: Change, reason: str) -> None:
        self._building.remove(change)
        self._give_up(change, reason)

    def _give_up(self, change: Change, reason: str) -> None:
        if not change.replies:
            self.problem = reason
        for reply, _ in change.replies:
            reply.refused(reason)
        if self._wanted_by == change.number:
            self.wanted, self._wanted_by = self.running, self._running_by

    def _built(self, change: Change, plan: RenderPlan, engine: Engine) -> None:
        self._building.remove(change)
        if engine is not self._engine:
            plan.release()
            self._build(change)
        elif self._newest is not None and self._newest.number > change.number:
            plan.release()
            self._newest.join(change)
            if self._newest not in (self._ready, self._posted):
                self._newest.answer(None)
        else:
            change.plan = plan
            try:
                self._offer(change)
            except VcfxError as error:  # a voice that was asked for meanwhile may not be used
                plan.release()
                self._give_up(change, str(error))

    def _offer(self, change: Change) -> None:
        self._catch_up(change)
        if self._ready is not None:
            change.join(self._ready)
            self._retired(self._ready.plan)
        self._ready = self._newest = change
        self._advance()

    def _catch_up(self, change: Change) -> None:
        """Set what was set while the plan was built."""
        assert change.plan is not None
        if change.number != self._wanted_by or change.wanted.preset == self.wanted.preset:
            return
        present = set(change.plan.graph.node_names())
        for entry in self.wanted.preset.nodes():
            if entry.id in present:
                change.plan.node(entry.id).update(**entry.parameters)
        change.wanted = self.wanted

    def _advance(self) -> None:
        change = self._ready
        if change is None or self._posted is not None or change.plan is None:
            return
        self._ready, self._posted = None, change
        self._engine.prime(change.plan)
        self._ticket = self._engine.post(change.plan, change.wanted.preset)
        self.running, self._running_by, self.problem = change.wanted, change.number, ""

    def _retired(self, plan: RenderPlan | None) -> None:
        if plan is not None and not self._bank.retired(plan):
            plan.release()
