"""Parameters and voices of what runs: moved at once where the plan can, or by a new plan where it cannot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from vcfx.engine.engine import Engine
from vcfx.errors import VcfxError
from vcfx.hosts.neural_voice import NeuralVoice
from vcfx.presets.voice_chain import KIND as VOICE_KIND
from vcfx.presets.voice_chain import with_voice
from vcfx_dsp.node import KernelNode
from vcfx_dsp.parameters import Value

from .acknowledgements import Acknowledgements
from .bank import Bank
from .loader import Loader
from .preset_changes import PresetChanges
from .preset_source import PresetSource, Wanted
from .reply import Reply

LEFT_OUT = "the node is left out at present; it is heard once it is taken in again"


class ControlThread(Protocol):
    """What moves need of the thread that they run on."""

    acknowledgements: Acknowledgements

    def call(self, function: Callable[[], None]) -> None:
        """Run a function on the control thread. Thread: any."""


class ParameterMoves:
    """Thread: control. Voices are loaded one after the other on a thread of their own."""

    def __init__(self, changes: PresetChanges, source: PresetSource, bank: Bank, control: ControlThread) -> None:
        self._changes, self._source, self._bank, self._control = changes, source, bank, control
        self._voices = Loader()

    def close(self) -> None:
        """Load nothing more."""
        self._voices.close()

    def set(self, engine: Engine, node: str, parameter: str, value: Value, reply: Reply) -> None:
        """Move one live parameter.

        Raises
        ------
        VcfxError
            If there is no such node or parameter, it is not live, or the value is not allowed.
        """
        kinds = {entry.id: entry.kind for entry in self._changes.wanted.preset.nodes()}
        if kinds.get(node) == VOICE_KIND and parameter == "voice":
            self._load(engine, str(value), reply, lambda: self._speak(engine, str(value), (node,), reply))
        else:
            self._set(engine, node, parameter, value, reply)

    def switch_voice(self, engine: Engine, voice: str, reply: Reply) -> None:
        """Speak with another voice from now on; an empty name leaves each preset its own.

        Raises
        ------
        VcfxError
            If the present preset cannot do without.
        """
        if voice:
            self._load(engine, voice, reply, lambda: self._choose(engine, voice, reply))
            return
        before = dict(self._source.voice)
        self._source.choose_voice("")
        try:
            self._changes.begin(self._source.wanted(self._changes.wanted.name), reply)
        except VcfxError:
            self._source.voice = before
            raise
        self._bank.refresh()

    def _load(self, engine: Engine, voice: str, reply: Reply, then: Callable[[], None]) -> None:
        """Admit a voice and load it into whatever will speak with it, then go on."""
        plan = engine.plan
        nodes = [plan.node(name) for name in plan.graph.node_names()]
        speakers = [node for node in nodes if isinstance(node, NeuralVoice)]

        def load() -> None:
            try:
                from vcfx_models.voice_library import find_voice

                for node in speakers:
                    node.fetch(voice)
                if not speakers:  # the plan that is built for it asks again, as that preset wants it
                    find_voice(voice, "live", notes_use=False)
            except Exception as error:  # a damaged file, no memory: the present voice goes on
                reason = str(error) if isinstance(error, VcfxError) else f"{type(error).__name__}: {error}"
                self._control.call(lambda: reply.refused(reason))
            else:
                self._control.call(lambda: self._guarded(then, reply))

        self._voices.chore(load)

    def _guarded(self, then: Callable[[], None], reply: Reply) -> None:
        try:
            then()
        except VcfxError as error:
            reply.refused(str(error))

    def _choose(self, engine: Engine, voice: str, reply: Reply) -> None:
        """Speak with a loaded voice, in this preset and in those to come."""
        before = dict(self._source.voice)
        self._source.choose_voice(voice)
        try:
            self._speak_or_put_in_front(engine, voice, reply)
        except VcfxError:
            self._source.voice = before
            raise
        self._bank.refresh()

    def _speak_or_put_in_front(self, engine: Engine, voice: str, reply: Reply) -> None:
        wanted = self._changes.wanted
        own = tuple(entry.id for entry in wanted.preset.nodes() if entry.kind == VOICE_KIND and not entry.bypass)
        if own:
            self._speak(engine, voice, own, reply)
        else:
            parameters = dict(self._source.voice)
            preset, base = with_voice(wanted.preset, parameters), with_voice(wanted.base, parameters)
            self._changes.begin(Wanted(preset, base, wanted.name), reply)

    def _speak(self, engine: Engine, voice: str, nodes: tuple[str, ...], reply: Reply) -> None:
        """Let voice nodes speak with a loaded voice: in the plan that runs, or in the one that is on its way."""
        for node in nodes[1:]:
            self._changes.set_parameter(node, "voice", voice)
        self._set(engine, nodes[0], "voice", voice, reply)

    def _set(self, engine: Engine, node: str, parameter: str, value: Value, reply: Reply) -> None:
        worker = engine.plan.worker
        begun = worker.begun if worker is not None else 0
        settled = self._changes.settled
        ticket = self._changes.set_parameter(node, parameter, value)
        if not settled:
            self._changes.when_heard(reply)
        elif ticket is not None:
            heard = ticket
            self._control.acknowledgements.wait(lambda: engine.messages.applied_in(heard), reply)
        elif node not in engine.plan.graph.node_names():
            reply.applied(None, LEFT_OUT)
        elif worker is None or isinstance(engine.plan.node(node), KernelNode):
            reply.applied(engine.blocks)
        else:
            # a hop that was under way already may not have heard of it: the next one has
            self._control.acknowledgements.wait(lambda: engine.blocks if worker.hops > begun else None, reply)
