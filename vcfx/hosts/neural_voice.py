"""The neural voice as a node: whoever speaks, another voice is heard."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from vcfx.errors import ParameterError
from vcfx_dsp.node import Block, Node, ProcessSpec
from vcfx_dsp.parameters import Parameter, Value

from .sample_queue import Samples

if TYPE_CHECKING:
    from vcfx_models.voice_file import Voice

    from .hop_converter import HopConverter
    from .voice_stream import VoiceStream

HOPS_MS = (5.0, 10.0, 20.0)
#: Voices that stay loaded, so that going back to one costs nothing.
MAX_RESIDENT = 16
#: What the converter adds to its latency before it is silent: it waits for 300 ms of silence, then fades.
SILENCE_S = 0.4


@dataclass(frozen=True, slots=True)
class Controls:
    """What may change between two hops, replaced as a whole."""

    voice: Voice
    pitch_semitones: float
    formant_semitones: float
    expressiveness: float
    similarity: float
    clarity: float


class NeuralVoice(Node):
    """Speaks what it hears with another person's voice. All channels carry the same; the input is their mean.

    There is no dry path: the unconverted voice never reaches the output.

    Latency: 25 ms of the model, two resamplers (0.7 ms each from 24 kHz up), and rebuffering to hops of 10 ms, which
    is 0 in hops that the node prefers wherever 10 ms are a whole number of frames. Stated to the nearest sample.
    """

    kind: ClassVar[str] = "voice"
    PARAMETERS: ClassVar[tuple[Parameter, ...]] = (
        Parameter("voice", "", text=True, doc="a voice's name (see `vcfx voices list`) or file; empty: the first"),
        Parameter("pitch_semitones", 0.0, -24.0, 24.0, doc="moves the voice's usual pitch"),
        Parameter("formant_semitones", 0.0, -6.0, 6.0, doc="moves the resonances: a smaller or larger head"),
        Parameter("expressiveness", 1.0, 0.0, 2.0, doc="how far the melody moves: 0 monotonous, 1 as spoken"),
        Parameter("similarity", 1.0, 0.0, 1.5, doc="how much of the voice: 0 nobody's, 1 as it is, above: exaggerated"),
        Parameter("clarity", 0.0, 0.0, 1.0, doc="sharpens the resonances"),
        Parameter("hop_ms", 10.0, HOPS_MS[0], HOPS_MS[-1], live=False, doc="time between two steps: 5, 10 or 20"),
        Parameter("device", "auto", choices=("auto", "cpu", "cuda"), live=False, doc="what computes the networks"),
        Parameter("model", "", text=True, live=False, doc="folder of the networks; empty: those of vcfx"),
    )
    allows_inplace = True

    def __init__(self, **parameters: object) -> None:
        super().__init__(**parameters)
        if self._parameters["hop_ms"] not in HOPS_MS:
            raise ParameterError(f"{self.kind}: hop_ms is {self._parameters['hop_ms']:g}; allowed: 5, 10 or 20")
        self._converter: HopConverter | None = None
        self._stream: VoiceStream | None = None
        self._voices: dict[str, Voice] = {}
        self._wanted: Controls | None = None
        self._applied: Controls | None = None

    @property
    def latency_samples(self) -> int:
        """Delay from input to output, to the nearest sample."""
        return 0 if self._stream is None else self._stream.latency_samples

    @property
    def tail_samples(self) -> int:
        """Latency, and the time for which the converter waits before it falls silent."""
        return self.latency_samples + math.ceil(SILENCE_S * self.spec.sample_rate)

    @property
    def voice(self) -> Voice | None:
        """The voice that speaks from the next hop on; None before `prepare`. Thread: any."""
        return None if self._wanted is None else self._wanted.voice

    def preferred_hop(self, sample_rate: int) -> int:
        """The frames of `hop_ms`."""
        return max(1, round(sample_rate * float(self._parameters["hop_ms"]) / 1_000.0))

    def prepare(self, spec: ProcessSpec) -> None:
        """Load networks and voice and run them on silence.

        Raises
        ------
        VcfxError
            If the networks, the device or the voice are not there.
        """
        if self._spec == spec and self._stream is not None:
            self.reset()
            return
        from .hop_converter import make_converter
        from .voice_stream import VoiceStream

        self._spec = spec
        controls = self._wanted = self._controls(self._parameters)
        model, device = str(self._parameters["model"]), str(self._parameters["device"])
        self._converter = make_converter(model, device, controls.voice)
        constant = spec.max_frames == self.preferred_hop(spec.sample_rate)
        self._stream = VoiceStream(self._convert_hop, spec.sample_rate, spec.max_frames, constant)
        self._mono: Block = np.zeros((1, spec.max_frames), np.float32)
        silence = np.zeros((spec.channels, spec.max_frames), np.float32)
        self.process(silence, silence.copy())
        self.reset()

    def process(self, block_in: Block, block_out: Block) -> None:
        """Convert one hop. Thread: worker."""
        assert self._stream is not None
        frames = block_in.shape[1]
        mono = self._mono.reshape(-1)[:frames].reshape(1, frames)
        np.mean(block_in, axis=0, out=mono[0])
        self._stream.process(mono, block_out[0])
        block_out[1:] = block_out[0]

    def reset(self) -> None:
        """Forget everything heard; the voice and its settings stay."""
        assert self._stream is not None
        assert self._converter is not None
        self._applied = None
        self._apply_controls()
        self._stream.reset()
        self._converter.reset()

    def update(self, **parameters: object) -> None:
        """Change parameters; a new voice is loaded here, and heard from the next hop on. Thread: control."""
        merged = self._merged(parameters)
        if self._converter is not None:
            controls = self._controls(merged)
            self._converter.load(controls.voice)
            self._wanted = controls
        self._parameters = merged

    def fetch(self, voice: str) -> None:
        """Load a voice ahead, so that `update` can change to it at once. Thread: any but the worker.

        Raises
        ------
        VcfxError
            If there is no such voice, or its file is damaged.
        """
        found = self._resident(voice)
        if self._converter is not None:
            self._converter.load(found)

    def _controls(self, parameters: dict[str, Value]) -> Controls:
        names = ("pitch_semitones", "formant_semitones", "expressiveness", "similarity", "clarity")
        return Controls(self._resident(str(parameters["voice"])), *(float(parameters[name]) for name in names))

    def _resident(self, name: str) -> Voice:
        from vcfx_models.voice_library import find_voice

        if name not in self._voices:
            if len(self._voices) >= MAX_RESIDENT:
                del self._voices[next(iter(self._voices))]
            self._voices[name] = find_voice(name, "files" if self._spec is None or self._spec.waits else "live")
        return self._voices[name]

    def _convert_hop(self, hop: Samples) -> Samples:
        if self._wanted is not self._applied:
            self._apply_controls()
        assert self._converter is not None
        return self._converter.convert_hop(hop)

    def _apply_controls(self) -> None:
        controls, converter = self._wanted, self._converter
        assert controls is not None
        assert converter is not None
        converter.voice = controls.voice
        converter.pitch_offset_semitones = controls.pitch_semitones
        converter.formant_offset_semitones = controls.formant_semitones
        converter.expressiveness = controls.expressiveness
        converter.similarity = controls.similarity
        converter.clarity = controls.clarity
        self._applied = controls
