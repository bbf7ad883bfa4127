"""A recording keeps what is said: everybody whose voice is in it must have allowed files, not live speech alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from vcfx.errors import VcfxError
from vcfx.hosts.neural_voice import NeuralVoice

if TYPE_CHECKING:
    from vcfx.graph.plan import RenderPlan
    from vcfx_models.voice_file import Voice

    from .engine import Engine

#: What a recording is used for, whatever the engine runs for.
USE: Final = "files"


class RecordingConsent:
    """Asks the voices that are heard, and each one before it is heard. Thread: control, or what changes voices.

    Parameters
    ----------
    engine
        Whose output is recorded.
    refused
        Called with a sentence before a voice can be heard that may not be recorded.

    Raises
    ------
    ConsentError
        If a voice is heard already that may not be recorded; says whose.
    """

    def __init__(self, engine: Engine, refused: Callable[[str], None]) -> None:
        self._engine, self._refused = engine, refused
        self._asked: list[tuple[NeuralVoice, Callable[[Voice], None]]] = []
        engine.before_post = self._ask_plan  # first: what changes meanwhile is asked twice rather than never
        try:
            for plan in engine.plans:
                self._ask_before_voices(plan)
                for node in speakers(plan):
                    _admit(node.voice, node)
        except VcfxError:
            self.close()
            raise

    def close(self) -> None:
        """Ask no more."""
        if self._engine.before_post == self._ask_plan:
            self._engine.before_post = None
        for node, ask in self._asked:
            if ask in node.before_voice:
                node.before_voice.remove(ask)
        self._asked.clear()

    def _ask_plan(self, plan: RenderPlan) -> None:
        self._ask_before_voices(plan)
        for node in speakers(plan):
            self._ask(node.voice, node)

    def _ask_before_voices(self, plan: RenderPlan) -> None:
        for node in speakers(plan):
            if any(node is asked for asked, _ in self._asked):
                continue

            def ask(voice: Voice, node: NeuralVoice = node) -> None:
                self._ask(voice, node)

            node.before_voice.append(ask)
            self._asked.append((node, ask))

    def _ask(self, voice: Voice | None, node: NeuralVoice) -> None:
        from vcfx_models.errors import ConsentError

        try:
            _admit(voice, node)
        except ConsentError as error:
            self._refused(str(error))


def speakers(plan: RenderPlan) -> list[NeuralVoice]:
    """Return a plan's voice nodes."""
    nodes = [plan.node(name) for name in plan.graph.node_names()]
    return [node for node in nodes if isinstance(node, NeuralVoice)]


def _admit(voice: Voice | None, node: NeuralVoice) -> None:
    from vcfx.hosts.admitted_voices import note_use

    if voice is not None:
        note_use(voice, voice.name, USE, node.needs_liveness)
