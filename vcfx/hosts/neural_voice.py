"""The neural voice as a node: whoever speaks, another voice is heard."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from vcfx.errors import ParameterError
from vcfx_dsp.node import Block, Node, ProcessSpec
from vcfx_dsp.parameters import Parameter, Value

from .admitted_voices import AdmittedVoices
from .papers_watch import WATCH
from .sample_queue import Samples
from .speaker_memory import MEMORY

if TYPE_CHECKING:
    from vcfx_models.speaker_range import SpeakerRange
    from vcfx_models.voice_file import Voice

    from .hop_converter import HopConverter
    from .voice_stream import VoiceStream

HOPS_MS = (5.0, 10.0, 20.0)
#: What a preset may ask of a voice's papers.
PAPERS = ("consent", "liveness")
#: What the converter adds to its latency before it is silent: it waits for 300 ms of silence, then fades.
SILENCE_S = 0.4
#: After so long without a hop the node asks what others have learned of the speaker meanwhile.
REST_S = 0.5


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

    A voice is spoken with only while its papers allow it: that is asked when it is loaded, at each switch, and about
    once a minute while it sounds. When they end, the output falls silent, `problem` says why, and a file that is being
    converted ends with that sentence; a switch to a voice that may be used brings sound back.

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
        Parameter(
            "papers",
            PAPERS[0],
            choices=PAPERS,
            live=False,
            doc="what a voice must have: consent, or liveness: consent that a person found living gave",
        ),
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
        self._voices = self._admission("files")
        self._wanted: Controls | None = None
        self._applied: Controls | None = None
        #: Told of each voice before it is spoken with. Thread: whoever changes it, never audio or worker.
        self.before_voice: list[Callable[[Voice], None]] = []
        self._papers_lock = threading.Lock()
        self._refused = ""
        self._loudness = 1.0
        #: Whether nothing before it moves the pitch: whom it hears is the speaker. The plan says so.
        self.hears_speaker = False
        self._expected: SpeakerRange | None = None
        self._heard_at_s = -math.inf

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

    @property
    def problem(self) -> str:
        """Why the voice is silent: its papers have ended or were taken back. Thread: any."""
        return self._refused

    @property
    def needs_liveness(self) -> bool:
        """Whether only voices will do that were enrolled by a person found living."""
        return self._parameters["papers"] == "liveness"

    def preferred_hop(self, sample_rate: int) -> int:
        """The frames of `hop_ms`."""
        return max(1, round(sample_rate * float(self._parameters["hop_ms"]) / 1_000.0))

    def prepare(self, spec: ProcessSpec) -> None:
        """Load networks and voice and run them on silence.

        Raises
        ------
        VcfxError
            If the networks, the device or the voice are not there, or the voice's papers do not allow its use.
        """
        if self._spec == spec and self._stream is not None:
            self.check_papers()
            self.reset()
            return
        from .hop_converter import make_converter
        from .voice_stream import VoiceStream

        self._spec = spec
        self._voices = self._admission("files" if spec.waits else "live")
        controls = self._wanted = self._controls(self._parameters, admits=True)
        model, device = str(self._parameters["model"]), str(self._parameters["device"])
        self._converter = make_converter(model, device, controls.voice)
        constant = spec.max_frames == self.preferred_hop(spec.sample_rate)
        self._stream = VoiceStream(self._convert_hop, spec.sample_rate, spec.max_frames, constant)
        self._mono: Block = np.zeros((1, spec.max_frames), np.float32)
        silence = np.zeros((spec.channels, spec.max_frames), np.float32)
        self.process(silence, silence.copy())
        self.reset()
        WATCH.add(self)

    def process(self, block_in: Block, block_out: Block) -> None:
        """Convert one hop; live it never raises.

        Raises
        ------
        ConsentError
            For files: if the voice's papers have ended.
        """
        assert self._stream is not None
        frames = block_in.shape[1]
        mono = self._mono.reshape(-1)[:frames].reshape(1, frames)
        np.mean(block_in, axis=0, out=mono[0])
        self._stream.process(mono, block_out[0])
        self._obey_papers(block_out[0])
        block_out[1:] = block_out[0]

    def expect(self, known: SpeakerRange | None) -> None:
        """Say whose voice will be heard from the next `reset` on; None: anybody's. Thread: control."""
        self._expected = known

    def reset(self) -> None:
        """Forget everything heard but who is expected; the voice and its settings stay."""
        assert self._stream is not None
        assert self._converter is not None
        self._converter.expect(MEMORY.range if self._remembers else self._expected)
        self._heard_at_s = -math.inf
        self._applied = None
        self._apply_controls()
        self._stream.reset()
        self._converter.reset()
        self._loudness = 0.0 if self._refused else 1.0

    def release(self) -> None:
        """Be asked no more for papers. Thread: control."""
        WATCH.remove(self)

    def update(self, **parameters: object) -> None:
        """Change parameters; a new voice is admitted and loaded here, heard from the next hop on. Thread: control."""
        merged = self._merged(parameters)
        if self._converter is not None:
            admits = "voice" in parameters
            controls = self._controls(merged, admits)
            self._converter.load(controls.voice)
            if controls.voice is not self.voice:
                for tell in tuple(self.before_voice):
                    tell(controls.voice)
            with self._papers_lock:
                if admits:
                    self._refused = ""
                self._wanted, self._parameters = controls, merged
        self._parameters = merged

    def fetch(self, voice: str) -> None:
        """Admit and load a voice ahead, so that `update` can change to it at once. Thread: any but the worker.

        Raises
        ------
        VcfxError
            If there is no such voice, its file is damaged, or its papers do not allow its use.
        """
        found = self._voices.renew(voice)
        if self._converter is not None:
            self._converter.load(found)

    def check_papers(self) -> None:
        """Ask whether the voice may still be spoken with; fall silent if not. Thread: any but audio and worker."""
        with self._papers_lock:
            controls, name, refused = self._wanted, str(self._parameters["voice"]), self._refused
        if controls is None:
            return
        try:
            reason = self._voices.standing(controls.voice, name, bool(refused))
        except Exception as error:  # what cannot be checked must not go on, whatever has failed
            reason = f"{name}: its papers cannot be checked: {type(error).__name__}: {error}"
        with self._papers_lock:
            if str(self._parameters["voice"]) == name:
                self._refused = reason

    @property
    def _remembers(self) -> bool:
        return self.hears_speaker and not self.spec.waits

    def _admission(self, use: str) -> AdmittedVoices:
        return AdmittedVoices(use, self.needs_liveness)

    def _controls(self, parameters: dict[str, Value], admits: bool) -> Controls:
        """Return what the worker needs; `admits`: the voice is looked up, not the present one."""
        names = ("pitch_semitones", "formant_semitones", "expressiveness", "similarity", "clarity")
        present = None if admits else self.voice
        voice = present or self._voices.get(str(parameters["voice"]))
        return Controls(voice, *(float(parameters[name]) for name in names))

    def _obey_papers(self, row: Samples) -> None:
        """Let nothing through while the voice may not be used; fade over the hop in which that changes."""
        if self._refused and self.spec.waits:
            from vcfx_models.errors import ConsentError

            raise ConsentError(self._refused)
        target = 0.0 if self._refused else 1.0
        if target == self._loudness == 1.0:
            return
        row *= np.linspace(self._loudness, target, row.size, dtype=np.float32)
        self._loudness = target if row.size else self._loudness

    def _convert_hop(self, hop: Samples) -> Samples:
        if self._wanted is not self._applied:
            self._apply_controls()
        assert self._converter is not None
        if not self._remembers:
            return self._converter.convert_hop(hop)
        now_s = time.monotonic()
        if now_s - self._heard_at_s > REST_S and (known := MEMORY.news_for(self)):
            self._converter.meet(known)
        self._heard_at_s = now_s
        spoken = self._converter.convert_hop(hop)
        MEMORY.hear(self, self._converter.source_range)
        return spoken

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
