"""GE2E: the network with its memory, its ONNX form, its bands, and partials of a stream, each against a plain twin."""

from __future__ import annotations

from pathlib import Path

import librosa
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from tools.train.ge2e_export import export_ge2e
from vcfx_models.errors import ModelError
from vcfx_models.ge2e_bands import Floats, Ge2eBands
from vcfx_models.ge2e_encoder import Ge2eEncoder, Ge2eState
from vcfx_models.ge2e_geometry import BANDS, EMBEDDING_SIZE, FFT_SAMPLES, HOP_SAMPLES, LAYERS, SAMPLE_RATE
from vcfx_models.ge2e_speech import speech_for_ge2e
from vcfx_models.networks.ge2e import Ge2e, read_ge2e
from vcfx_models.speaker_partials import SpeakerPartials


def network(seed: int = 2) -> Ge2e:
    torch.manual_seed(seed)
    made = Ge2e()
    with torch.no_grad():
        made.linear.bias.add_(0.05)  # else half of the entries of a random one are 0
    return made.requires_grad_(False).eval()


def sound(seconds: float, seed: int = 1) -> Floats:
    rng = np.random.default_rng(seed)
    loudness = np.repeat(rng.uniform(0.0, 0.3, int(seconds * 10) + 1), SAMPLE_RATE // 10)[: int(seconds * SAMPLE_RATE)]
    return np.asarray(loudness * rng.standard_normal(loudness.size), np.float32)


def librosa_bands(mono: Floats) -> Floats:
    made = librosa.feature.melspectrogram(
        y=mono, sr=SAMPLE_RATE, n_fft=FFT_SAMPLES, hop_length=HOP_SAMPLES, n_mels=BANDS, pad_mode="constant"
    )
    return np.asarray(made.T, np.float32)


def plain_partials(mono: Floats, net: Ge2e) -> Floats:
    """The rule as Resemblyzer's paper trail has it: every 77 frames while three quarters of 160 are there."""
    padded = np.concatenate([mono, np.zeros(60_000, np.float32)])
    bands = librosa_bands(padded)
    starts = [0]
    while mono.size - HOP_SAMPLES * (starts[-1] + 77) >= 0.75 * HOP_SAMPLES * 160:
        starts.append(starts[-1] + 77)
    made: Floats = net(torch.from_numpy(np.stack([bands[at : at + 160] for at in starts]))).numpy()
    return made


@pytest.fixture(scope="module")
def onnx_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ge2e") / "ge2e.onnx"
    export_ge2e(network(), path, {"checkpoint_sha256": "0"})
    return path


@pytest.fixture(scope="module")
def encoder(onnx_file: Path) -> Ge2eEncoder:
    return Ge2eEncoder(onnx_file)


def test_the_memory_carries_everything_that_matters() -> None:
    net, bands = network(), torch.rand(2, 60, BANDS)
    memory = net.empty_memory(2)
    for first, last in ((0, 1), (1, 24), (24, 60)):
        heard, memory = net.hear(bands[:, first:last], memory)
    torch.testing.assert_close(heard, net(bands), atol=1e-6, rtol=0)
    assert torch.allclose(heard.norm(dim=1), torch.ones(2))
    assert (heard >= 0).all()


def test_the_network_is_three_layers_and_a_projection_written_out() -> None:
    """The equations of an LSTM (input, forget, cell and output gates), by hand, on one short input."""
    net, bands = network(), np.random.default_rng(3).random((7, BANDS))
    weights = {name: value.double().numpy() for name, value in net.state_dict().items()}

    def squash(x: Floats) -> Floats:
        return np.asarray(1.0 / (1.0 + np.exp(-x)))

    layer_input = bands
    for layer in range(LAYERS):
        hidden, cell, out = np.zeros(256), np.zeros(256), []
        for frame in layer_input:
            total = weights[f"lstm.weight_ih_l{layer}"] @ frame + weights[f"lstm.bias_ih_l{layer}"]
            total += weights[f"lstm.weight_hh_l{layer}"] @ hidden + weights[f"lstm.bias_hh_l{layer}"]
            entry, forget, new, exit_ = np.split(total, 4)
            cell = squash(forget) * cell + squash(entry) * np.tanh(new)
            hidden = squash(exit_) * np.tanh(cell)
            out.append(hidden)
        layer_input = np.stack(out)
    raw = np.maximum(weights["linear.weight"] @ layer_input[-1] + weights["linear.bias"], 0.0)
    found = net(torch.from_numpy(bands[None]).float())[0].numpy()
    np.testing.assert_allclose(found, raw / np.linalg.norm(raw), atol=1e-5)


def test_onnx_is_the_network(encoder: Ge2eEncoder) -> None:
    net = network()
    for streams, frames in ((1, 160), (3, 5), (5, 1)):
        bands = torch.rand(streams, frames, BANDS)
        memory = net.hear(torch.rand(streams, 9, BANDS), net.empty_memory(streams))[1]
        state = Ge2eState(memory.hidden.numpy(), memory.cell.numpy())
        heard, after = encoder.hear(bands.numpy(), state)
        expected, memory = net.hear(bands, memory)
        np.testing.assert_allclose(heard, expected.numpy(), atol=2e-6)
        for ours, theirs in zip(after, memory, strict=True):
            np.testing.assert_allclose(ours, theirs.numpy(), atol=2e-6)


def test_weights_in_both_forms_are_read(tmp_path: Path) -> None:
    net, bands = network(), torch.rand(1, 9, BANDS)
    extra = {"similarity_weight": torch.ones(1), "similarity_bias": torch.ones(1)}
    torch.save({"step": 7, "model_state": net.state_dict() | extra}, tmp_path / "pretrained.pt")
    save_file(net.state_dict(), tmp_path / "ge2e.safetensors")
    for name in ("pretrained.pt", "ge2e.safetensors"):
        assert torch.equal(read_ge2e(tmp_path / name)(bands), net(bands))


def test_what_is_no_network_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.pt").write_bytes(b"rubbish")
    (tmp_path / "a.safetensors").write_bytes(b"rubbish")
    (tmp_path / "a.onnx").write_bytes(b"rubbish")
    torch.save({"model_state": {"lstm.weight_ih_l0": torch.ones(3)}}, tmp_path / "b.pt")
    for name in ("a.pt", "a.safetensors", "b.pt", "missing.pt", "missing.safetensors"):
        with pytest.raises(
            ModelError, match=rf"{name.split('.')[0]}\.\w+ (is damaged or holds|cannot be read)"
        ) as caught:
            read_ge2e(tmp_path / name)
        assert "\n" not in str(caught.value)
    with pytest.raises(ModelError, match=r"a\.onnx is damaged or no GE2E network"):
        Ge2eEncoder(tmp_path / "a.onnx")
    with pytest.raises(ModelError, match=r"there is no GE2E network"):
        Ge2eEncoder(tmp_path / "missing.onnx")


def test_bands_are_librosas(onnx_file: Path) -> None:
    mono = sound(1.3)
    stream = Ge2eBands()
    whole = stream.push(mono)
    expected = librosa_bands(mono)
    assert len(whole) == (mono.size - 200) // 160 + 1
    np.testing.assert_allclose(whole, expected[: len(whole)], rtol=2e-4, atol=1e-6)
    stream.reset()
    pieces = [stream.push(piece) for piece in np.split(mono, [1, 199, 200, 5_000, 5_160])]
    np.testing.assert_allclose(np.concatenate(pieces), whole, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("samples", [1, 200, 31_519, 31_520, 50_001])
def test_partials_are_those_of_the_plain_rule(encoder: Ge2eEncoder, samples: int) -> None:
    mono = sound(5.0)[:samples]
    stream = SpeakerPartials(encoder)
    stream.push(mono)
    expected = plain_partials(mono, network())
    assert len(expected) == 1 + max((samples - 19_200) // 12_320, 0)
    np.testing.assert_allclose(stream.partials(), expected, atol=1e-5)
    mean = expected.mean(axis=0)
    np.testing.assert_allclose(stream.embedding(), mean / np.linalg.norm(mean), atol=1e-5)
    assert stream.seconds == pytest.approx(samples / SAMPLE_RATE)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 20_000), max_size=8), st.booleans())
def test_how_the_stream_is_cut_and_when_it_is_asked_does_not_matter(cuts: list[int], asked: bool) -> None:
    mono = sound(2.6, seed=4)
    hearer = _FadingMean()
    whole, parts = SpeakerPartials(hearer), SpeakerPartials(hearer)
    whole.push(mono)
    for piece in np.split(mono, sorted(cuts)):
        parts.push(piece)
        if asked and parts.seconds:
            parts.embedding()
    np.testing.assert_allclose(parts.partials(), whole.partials(), atol=1e-5)


class _FadingMean:
    """A hearer in the network's place that costs nothing: a mean of the frames in which older ones fade."""

    def hear(self, bands: Floats, state: Ge2eState) -> tuple[Floats, Ge2eState]:
        hidden = state.hidden.copy()
        for frame in np.moveaxis(bands, 1, 0):
            hidden[0, :, :BANDS] = 0.97 * hidden[0, :, :BANDS] + frame
            hidden[0, :, BANDS] += 1.0
        return hidden[0] / np.linalg.norm(hidden[0], axis=1, keepdims=True), Ge2eState(hidden, state.cell)


def test_a_stream_begins_anew_after_reset_and_has_nothing_to_say_at_first(encoder: Ge2eEncoder) -> None:
    stream = SpeakerPartials(encoder)
    with pytest.raises(ModelError, match="0 samples were heard"):
        stream.embedding()
    stream.push(sound(2.0, seed=7))
    stream.reset()
    stream.push(sound(1.0))
    again = SpeakerPartials(encoder)
    again.push(sound(1.0))
    np.testing.assert_array_equal(stream.embedding(), again.embedding())
    assert stream.embedding().shape == (EMBEDDING_SIZE,)


def test_speech_is_brought_to_the_networks_level_and_loses_its_pauses() -> None:
    time_s = np.arange(48_000) / 48_000
    tone = np.sin(2 * np.pi * 300 * time_s).astype(np.float32)
    quiet = 1e-4 * np.ones_like(tone)
    heard = speech_for_ge2e(np.concatenate([quiet, 0.01 * tone, quiet, quiet]), 48_000)
    margins_s = 2 * 6 * 0.02
    assert heard.size / SAMPLE_RATE == pytest.approx(1.0 + margins_s, abs=0.05)
    inner = heard[SAMPLE_RATE // 2 : SAMPLE_RATE]
    # -30 dBFS is the level of the whole, a quarter of which is the tone
    assert 20 * np.log10(np.sqrt(np.mean(inner**2))) == pytest.approx(-30.0 + 10 * np.log10(4.0), abs=0.1)
    loud = speech_for_ge2e(tone[::3], SAMPLE_RATE)
    np.testing.assert_allclose(loud, tone[::3][: loud.size], atol=1e-6)
    assert not speech_for_ge2e(np.zeros(500, np.float32), SAMPLE_RATE).any()
