"""The node `voice`: a host node's contract, changes while sound runs, and no leak of the unconverted voice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from test_engine import Driver
from vcfx.engine.engine import Engine
from vcfx.graph.catalogue import create
from vcfx.graph.graph import Graph
from vcfx.graph.plan import PlanSpec, RenderPlan
from vcfx.hosts import hop_converter
from vcfx.hosts.neural_voice import NeuralVoice
from vcfx.hosts.sample_queue import Samples
from vcfx.hosts.voice_stream import rebuffer_latency
from vcfx.offline import PresetRenderer
from vcfx.presets.voice_chain import with_voice
from vcfx_dsp.errors import ParameterError, VcfxError
from vcfx_dsp.node import Block, ProcessSpec
from vcfx_models.speaker_range import SpeakerRange
from vcfx_models.voice_file import Voice
from voice_models import random_voice

RATE_HZ = 48_000
LENGTH = 14_400
HOP = RATE_HZ // 100


def node_of(model: Path, **parameters: object) -> NeuralVoice:
    return NeuralVoice(voice=str(model / "anna.vcfxvoice"), model=str(model), **parameters)


def prepared(
    model: Path, rate_hz: int = RATE_HZ, frames: int = 960, channels: int = 1, **parameters: object
) -> NeuralVoice:
    node = node_of(model, **parameters)
    node.prepare(ProcessSpec(rate_hz, frames, channels))
    return node


def render(node: NeuralVoice, signal: Block, sizes: list[int]) -> Block:
    out, start = np.full_like(signal, np.nan), 0
    for size in [*sizes, *[node.spec.max_frames] * (signal.shape[1] // node.spec.max_frames + 1)]:
        stop = min(start + size, signal.shape[1])
        block = np.ascontiguousarray(signal[:, start:stop])
        result = np.full_like(block, np.nan)
        node.process(block, result)
        out[:, start:stop] = result
        start = stop
    return out


@pytest.fixture(scope="module")
def signal() -> Block:
    return voiced(LENGTH)


def voiced(frames: int, channels: int = 1, rate_hz: int = RATE_HZ) -> Block:
    time_s = np.arange(frames) / rate_hz
    tone = np.sum([np.sin(2 * np.pi * 140 * k * time_s) / k for k in range(1, 12)], axis=0)
    noise = np.random.default_rng(5).standard_normal((channels, frames))
    return np.ascontiguousarray(0.1 * tone + 0.01 * noise, np.float32)


@given(sizes=st.lists(st.one_of(st.integers(0, 960), st.sampled_from([0, 1, 128, 480])), max_size=20))
def test_any_split_gives_the_same_bits(voice_model: Path, signal: Block, sizes: list[int]) -> None:
    node = prepared(voice_model)
    whole = render(node, signal, [])
    node.reset()
    np.testing.assert_array_equal(render(node, signal, sizes), whole)


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 22_050, 44_100, 192_000])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_any_rate_and_channel_count(voice_model: Path, rate_hz: int, channels: int) -> None:
    node = prepared(voice_model, rate_hz, rate_hz // 50, channels)
    out = render(node, voiced(rate_hz // 4, channels, rate_hz), [133, 0, 1])
    assert np.isfinite(out).all()
    assert np.abs(out).max() > 1e-3
    assert (out == out[:1]).all(), "all channels carry the same"
    assert 0 < node.latency_samples <= node.tail_samples


def test_reset_and_preparing_again_and_a_second_node_give_the_same_bits(voice_model: Path, signal: Block) -> None:
    node, other = prepared(voice_model), prepared(voice_model)
    first = render(node, signal, [100, 200])
    render(other, -signal[:, ::-1].copy(), [])
    node.reset()
    np.testing.assert_array_equal(render(node, signal, [100, 200]), first)
    node.prepare(ProcessSpec(RATE_HZ, 960, 1))
    np.testing.assert_array_equal(render(node, signal, [100, 200]), first)
    other.reset()
    np.testing.assert_array_equal(render(other, signal, [100, 200]), first)


@pytest.mark.parametrize("name", ["noise", "square", "dc", "denormal", "hot"])
def test_output_is_finite_and_complete(voice_model: Path, name: str, rng: np.random.Generator) -> None:
    noise = rng.uniform(-1, 1, (2, 9_600)).astype(np.float32)
    signals = {"noise": noise, "square": np.sign(noise), "dc": np.ones_like(noise), "hot": 100 * noise}
    given_in = signals.get(name, np.full_like(noise, 1e-41))
    out = render(prepared(voice_model, channels=2), np.ascontiguousarray(given_in), [0, 1, 1, 64])
    assert np.isfinite(out).all()
    assert np.abs(out).max() < 1e3


def test_in_place_equals_separate(voice_model: Path, signal: Block) -> None:
    node = prepared(voice_model, frames=LENGTH)
    expected = render(node, signal, [])
    node.reset()
    block = signal.copy()
    node.process(block, block)
    np.testing.assert_array_equal(block, expected)


def test_silence_follows_silence_after_the_tail(voice_model: Path, signal: Block) -> None:
    node = prepared(voice_model)
    assert np.abs(render(node, signal, [])).max() > 1e-3
    out = render(node, np.zeros((1, node.tail_samples + 4_800), np.float32), [])
    assert np.abs(out[:, : node.latency_samples]).max() > 1e-3
    assert np.abs(out[:, node.tail_samples :]).max() <= 1e-6


@pytest.mark.parametrize(("rate_hz", "hop_ms"), [(48_000, 10), (48_000, 5), (44_100, 20), (22_050, 10), (11_025, 10)])
def test_the_latency_is_that_of_the_model_the_resamplers_and_the_rebuffering(
    voice_model: Path, rate_hz: int, hop_ms: float
) -> None:
    """An onset: what comes out begins where the stated latency says, to within the model's window of 10 ms."""
    hop = node_of(voice_model, hop_ms=hop_ms).preferred_hop(rate_hz)
    assert hop == round(rate_hz * hop_ms / 1_000)
    node = prepared(voice_model, rate_hz, hop, hop_ms=hop_ms)
    resamplers_s = 32 / min(rate_hz, 24_000)
    expected = rebuffer_latency(rate_hz, hop) + rate_hz * (0.025 + resamplers_s)
    assert node.latency_samples == pytest.approx(expected, abs=4 * rate_hz / 24_000 + 2)
    sound = np.zeros((1, hop * 60), np.float32)
    onset = hop * 50 + hop // 3
    sound[:, onset:] = voiced(sound.shape[1] - onset, 1, rate_hz)
    out = np.abs(render(node, sound, []))[0]
    heard = int(np.argmax(out > 0.05 * out.max()))
    assert -0.012 * rate_hz <= heard - node.latency_samples - onset <= 0.012 * rate_hz


class Silent:
    """A converter that says nothing."""

    def __init__(self, voice: Voice) -> None:
        self.voice = voice
        self.pitch_offset_semitones = self.formant_offset_semitones = self.clarity = 0.0
        self.expressiveness = self.similarity = 1.0
        self.loaded: list[str] = []

    def load(self, voice: Voice) -> None:
        self.loaded.append(voice.name)

    source_range = None

    def expect(self, known: SpeakerRange | None) -> None:
        pass

    def meet(self, known: SpeakerRange) -> None:
        pass

    def convert_hop(self, hop: Samples) -> Samples:
        return np.zeros_like(hop)

    def reset(self) -> None:
        pass


@pytest.mark.parametrize("rate_hz", [24_000, 44_100, 48_000])
def test_nothing_of_the_input_goes_round_the_converter(
    voice_model: Path, rate_hz: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hop_converter, "make_converter", lambda model, device, voice: Silent(voice))
    node = prepared(voice_model, rate_hz, 441, 2)
    assert not render(node, voiced(LENGTH, 2), [7, 441, 0, 100]).any()


def test_a_new_voice_is_heard_within_a_hop_and_without_a_click(voice_model: Path) -> None:
    sound = voiced(RATE_HZ)
    node = prepared(voice_model, frames=HOP)
    before, at = render(node, sound, []), RATE_HZ // 2
    for changes in ({"voice": str(voice_model / "bert.vcfxvoice")}, {"pitch_semitones": 7.0}, {"similarity": 0.0}):
        node = prepared(voice_model, frames=HOP)
        head = render(node, sound[:, :at].copy(), [])
        node.update(**changes)
        out = np.concatenate([head, render(node, sound[:, at:].copy(), [])], axis=1)
        np.testing.assert_array_equal(out[:, :at], before[:, :at])
        different = np.flatnonzero(out[0] != before[0])
        assert at <= different[0] < at + HOP, "the hop after the change is spoken with it"
        bend = np.abs(np.diff(out[0], 2))
        steady = max(bend[at // 2 : at - HOP].max(), bend[at + 2 * HOP :].max())
        assert bend[at - HOP : at + 2 * HOP].max() < 1.5 * steady


def test_a_voice_is_loaded_by_control_and_not_by_the_worker(voice_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Silent] = []

    def make(model: str, device: str, voice: Voice) -> Silent:
        made.append(Silent(voice))
        return made[-1]

    monkeypatch.setattr(hop_converter, "make_converter", make)
    node = prepared(voice_model, frames=HOP)
    node.update(voice=str(voice_model / "bert.vcfxvoice"), clarity=0.5)
    assert made[0].loaded == ["bert"]
    assert made[0].voice.name == "anna", "the worker changes it, between two hops"
    loads: list[str] = []
    monkeypatch.setattr("vcfx_models.voice_library.find_voice", lambda name, use: loads.append(name))
    node.process(np.zeros((1, HOP), np.float32), np.zeros((1, HOP), np.float32))
    assert (made[0].voice.name, made[0].clarity, loads) == ("bert", 0.5, [])
    node.update(voice=str(voice_model / "anna.vcfxvoice"))
    assert loads == [], "a voice that was heard stays loaded"


def test_a_missing_voice_leaves_the_present_one(voice_model: Path, signal: Block) -> None:
    node = prepared(voice_model)
    expected = render(node, signal, [])
    node.reset()
    with pytest.raises(VcfxError, match="no such voice file"):
        node.update(voice="nowhere/x.vcfxvoice")
    assert node.parameters["voice"] == str(voice_model / "anna.vcfxvoice")
    np.testing.assert_array_equal(render(node, signal, []), expected)


def test_every_live_number_can_change_while_sound_runs(voice_model: Path, signal: Block) -> None:
    node = prepared(voice_model)
    for parameter in node.PARAMETERS:
        if parameter.live and not parameter.text:
            for value in (parameter.minimum, parameter.maximum, parameter.default):
                node.update(**{parameter.name: value})
                assert np.isfinite(render(node, signal[:, :2_880].copy(), [480, 480])).all()


def test_what_is_not_allowed_is_named(voice_model: Path, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="voice: hop_ms is 7; allowed: 5, 10 or 20"):
        NeuralVoice(hop_ms=7)
    with pytest.raises(ParameterError, match="voice: voice is 7; allowed: one line of at most 1000"):
        NeuralVoice(voice=7)
    with pytest.raises(ParameterError, match="device is 'tpu'; allowed: auto, cpu, cuda"):
        NeuralVoice(device="tpu")
    with pytest.raises(ParameterError, match="hop_ms cannot change while sound runs"):
        node_of(voice_model).update(hop_ms=20)
    for model, sentence in ((tmp_path / "none", "there is no folder"), (tmp_path, "holds no voice model")):
        node = NeuralVoice(voice=str(voice_model / "anna.vcfxvoice"), model=str(model))
        with pytest.raises(VcfxError, match=sentence):
            node.prepare(ProcessSpec(RATE_HZ, HOP, 1))


def plan_of(model: Path, spec: PlanSpec) -> RenderPlan:
    return RenderPlan(Graph.of_chain([create("gate"), node_of(model), create("limiter")]), spec)


def through(plan: RenderPlan, signal: Block, sizes: list[int]) -> Block:
    out, start = np.empty_like(signal), 0
    for size in [*sizes, *[plan.spec.block] * (signal.shape[1] // plan.spec.block + 1)]:
        stop = min(start + size, signal.shape[1])
        result = np.empty((1, stop - start), np.float32)
        plan.render(np.ascontiguousarray(signal[:, start:stop]), result)
        out[:, start:stop] = result
        start = stop
    return out


@pytest.mark.parametrize("rate_hz", [44_100, 48_000])
def test_files_and_live_sound_have_the_same_bits(voice_model: Path, rate_hz: int) -> None:
    """A plan as for files, in blocks of any length, and one as for a device: its worker has its own hops there."""
    sound = voiced(rate_hz // 2, 1, rate_hz)
    file, live = (plan_of(voice_model, PlanSpec(rate_hz, 1, *rest)) for rest in ((4_096,), (128, 128, True)))
    hop = rate_hz // 100
    assert (file.spec.hop, live.spec.hop) == (hop, hop)
    one, other = through(file, sound, [1, 100, 4_000, 0, 77]), through(live, sound, [])
    one, other = one[:, file.latency_samples :], other[:, live.latency_samples :]
    frames = min(one.shape[1], other.shape[1])
    assert np.abs(one).max() > 1e-3
    np.testing.assert_array_equal(one[:, :frames], other[:, :frames])


def test_the_engine_speaks_as_files_do(voice_model: Path) -> None:
    parameters = {"voice": str(voice_model / "anna.vcfxvoice"), "model": str(voice_model)}
    preset, sound = with_voice(None, parameters), voiced(19_200)
    renderer = PresetRenderer(preset, RATE_HZ, 1, 4_096)
    file = np.concatenate([renderer.process(sound[:, at : at + 4_096]) for at in range(0, 19_200, 4_096)], axis=1)
    with Engine(preset, RATE_HZ, 128) as engine:
        engine.wait_for_worker(20.0)
        live = Driver(engine).run(sound[0], 128)[:1]
        late = engine.latency_samples
        assert engine.worker.errors == 0
        engine.set_parameters("voice", voice=str(voice_model / "bert.vcfxvoice"))
    file = file[:, renderer.latency_samples :]
    frames = min(file.shape[1], live.shape[1] - late)
    assert np.abs(file).max() > 1e-3
    np.testing.assert_array_equal(live[:, late : late + frames], file[:, :frames])


def test_no_voice_model_is_said_in_one_sentence(tmp_path: Path) -> None:
    voice = random_voice("someone")
    with pytest.raises(VcfxError, match="there is no folder") as caught:
        hop_converter.make_converter(str(tmp_path / "none"), "cpu", voice)
    assert "\n" not in str(caught.value)
