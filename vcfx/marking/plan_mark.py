"""The mark at the end of every plan that speaks with another voice.

`RenderPlan` asks for it itself, so that no preset, no client and no graph made by hand leaves it out. What presets
disguise by `pitch`, `vocoder` and the like stays unmarked: that is the speaker's own voice, bent, and nobody else's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vcfx.errors import GraphError, ParameterError
from vcfx.graph.graph import OUTPUT, Graph
from vcfx.hosts.neural_voice import NeuralVoice
from vcfx_dsp.node import ProcessSpec
from vcfx_dsp.nodes.watermark import Watermark
from vcfx_dsp.watermark.key import WatermarkKey
from vcfx_dsp.watermark.payload import Payload

if TYPE_CHECKING:
    from vcfx_models.voice_file import Voice

    from .setting import MarkSetting

#: Its name in the graph; no id in a preset can be this.
MARK: Final = "@mark"
_FIXED: Final = "the watermark at the end cannot be changed; `vcfx watermark off --reason TEXT` leaves it out"


class PlanMark(Watermark):
    """The watermark as plans have it: it follows the voices, and nobody moves its parameters.

    It names this installation and the first voice that speaks; while several do, the audit log names them all.

    Parameters
    ----------
    speakers
        The graph's voice nodes.
    key
        A private key; None for the public one. It is no parameter here, as those can be read from outside.
    """

    def __init__(self, speakers: list[NeuralVoice], key: WatermarkKey | None = None) -> None:
        from .installation import own_tag

        super().__init__()
        if key is not None:
            self._key = key
        #: Fingerprint of the private key; empty for the public one.
        self.private_key = "" if key is None else key.fingerprint
        self._speakers = speakers
        self._installation = own_tag()
        speakers[0].before_voice.append(self._follow)

    def prepare(self, spec: ProcessSpec) -> None:
        """Mark from the first sample on with the voice that speaks by now. Thread: control."""
        voice = self._speakers[0].voice
        self._parameters["payload"] = float(self._payload(voice).number)
        super().prepare(spec)

    def count_from(self, latency_samples: int) -> None:
        """Let the pattern begin with the first sound, so that live and files are marked alike. Thread: control."""
        self.waits_samples = latency_samples
        self.reset()

    def update(self, **parameters: object) -> None:
        """Refuse: raises `ParameterError`."""
        raise ParameterError(_FIXED)

    def writes(self, **parameters: object) -> list[tuple[int, float]]:
        """Refuse: raises `ParameterError`."""
        raise ParameterError(_FIXED)

    def release(self) -> None:
        """Follow nobody any more. Thread: control."""
        if self._follow in self._speakers[0].before_voice:
            self._speakers[0].before_voice.remove(self._follow)

    def _follow(self, voice: Voice) -> None:
        super().update(payload=float(self._payload(voice).number))

    def _payload(self, voice: Voice | None) -> Payload:
        from .tags import NAMELESS, voice_tag

        papers = None if voice is None else voice.papers
        return Payload(self._installation, NAMELESS if papers is None else voice_tag(papers.voice_id))


def add_mark(graph: Graph) -> None:
    """Put the mark in front of the graph's output if one of its nodes speaks with another voice and the mark is on.

    Raises
    ------
    ParameterError
        If the graph has a watermark of its own that would weaken this one.
    """
    nodes = {name: graph.node(name) for name in graph.node_names()}
    speakers = [node for node in nodes.values() if isinstance(node, NeuralVoice)]
    if not speakers:
        return
    setting = _setting()
    if not setting.on:
        return
    for name, node in nodes.items():
        if isinstance(node, PlanMark):
            raise GraphError(f"'{name}' marks another plan; make a new graph for this one")
        if isinstance(node, Watermark) and not node.parameters["key"]:
            raise ParameterError(
                f"watermark: '{name}' has no key of its own; needed in a preset that speaks with another voice, "
                "as the program marks that itself and the two would mix"
            )
    graph.insert_before(OUTPUT, PlanMark(speakers, _private_key(setting)), MARK)


def mark_of(graph: Graph) -> PlanMark | None:
    """Return the mark of a graph whose plan has been made; None if nothing in it is marked. Thread: any."""
    found = graph.node(MARK) if MARK in graph.node_names() else None
    return found if isinstance(found, PlanMark) else None


def _setting() -> MarkSetting:
    from .setting import mark_setting  # keys and the log are loaded only where a voice is

    return mark_setting()


def _private_key(setting: MarkSetting) -> WatermarkKey | None:
    from .keys import kept_key

    return kept_key(setting.key) if setting.key else None
