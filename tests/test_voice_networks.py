from __future__ import annotations

from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tiny_networks import random_vector, tiny_torch_networks, write_tiny_networks
from vcfx_dsp.source_filter import SourceFilterSynth
from vcfx_models import geometry as grid
from vcfx_models.bands import HARMONIC_CENTRES_HZ, NOISE_CENTRES_HZ
from vcfx_models.errors import ModelError
from vcfx_models.network_files import STORAGES, file_name
from vcfx_models.networks.source_filter import SourceFilter
from vcfx_models.networks.streaming_source_filter import StreamingSourceFilter, VocoderMemory
from vcfx_models.networks_protocol import Networks, Singles
from vcfx_models.runtime.onnx_networks import OnnxNetworks
from vcfx_models.runtime.torch_networks import TorchNetworks
from vcfx_models.runtime.torch_sessions import TorchSessions

HOPS = 30
VOCODER = StreamingSourceFilter()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_networks(tmp_path_factory.mktemp("tiny"), STORAGES)


@pytest.fixture(scope="module", params=[*(f"onnx {storage}" for storage in STORAGES), "torch"])
def networks(request: pytest.FixtureRequest, folder: Path) -> Networks:
    kind, _, storage = request.param.partition(" ")
    return OnnxNetworks(folder, storage) if kind == "onnx" else TorchNetworks("cpu", folder)


def some_mel(seed: int, hops: int = HOPS) -> Singles:
    return np.random.default_rng(seed).normal(-7.0, 3.0, (hops, grid.N_MELS)).astype(np.float32)


def some_prosody(seed: int, hops: int = HOPS) -> Singles:
    rng = np.random.default_rng(seed)
    paths = (np.log(rng.uniform(80, 300, (hops, 2))), rng.random((hops, 2)), rng.random((hops, 2)))
    return np.stack([*paths, rng.normal(-7.0, 2.0, (hops, 2))], axis=1).astype(np.float32)


def spoken(networks: Networks, edges: list[int]) -> tuple[Singles, Singles, Singles]:
    """Content and envelopes of the same signal, in blocks between the edges."""
    mel, prosody, films = some_mel(1), some_prosody(2), networks.colour(random_vector(3))
    heard, said = networks.empty_encoder_memory(), networks.empty_decoder_memory()
    parts = []
    for first, last in pairwise(edges):
        content, heard = networks.encode(mel[first:last], heard)
        harmonic_log, noise_log, said = networks.decode(content, prosody[first:last], films, said)
        parts.append((content, harmonic_log, noise_log))
    content, harmonic_log, noise_log = (np.concatenate(part) for part in zip(*parts, strict=True))
    return content, harmonic_log, noise_log


def by_definition() -> tuple[Singles, Singles, Singles]:
    encoder, decoder = tiny_torch_networks()
    with torch.inference_mode():
        content, _ = encoder(torch.from_numpy(some_mel(1))[None], encoder.empty_memory())
        films = decoder.colour(torch.from_numpy(random_vector(3))[None])
        prosody = torch.from_numpy(some_prosody(2))[None]
        harmonic_log, noise_log, _ = decoder(content, prosody, films, decoder.empty_memory())
    return content[0].numpy(), harmonic_log[0].numpy(), noise_log[0].numpy()


@pytest.mark.parametrize(
    ("storage", "tolerance"), [("float32", 1e-4), ("float16", 0.02), ("int8_stored", 0.2), ("int8", 0.3)]
)
def test_onnx_gives_the_numbers_of_torch(folder: Path, storage: str, tolerance: float) -> None:
    ours, theirs = spoken(OnnxNetworks(folder, storage), [0, HOPS]), by_definition()
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, atol=tolerance)
    assert np.sqrt(np.mean((ours[1] - theirs[1]) ** 2)) < tolerance / 3.0


@pytest.mark.parametrize(("storage", "tolerance"), [("float32", 1e-4), ("float16", 0.02), ("int8", 0.3)])
def test_torch_is_filled_from_the_same_files(folder: Path, storage: str, tolerance: float) -> None:
    for one, other in zip(
        spoken(TorchNetworks("cpu", folder, storage), [0, HOPS]), spoken(OnnxNetworks(folder), [0, HOPS]), strict=True
    ):
        np.testing.assert_allclose(one, other, atol=max(tolerance, 0.3))
    for one, other in zip(spoken(TorchNetworks("cpu", folder, storage), [0, HOPS]), by_definition(), strict=True):
        np.testing.assert_allclose(one, other, atol=tolerance)


@given(cuts=st.sets(st.integers(1, HOPS - 1)))
def test_a_stream_equals_the_whole(networks: Networks, cuts: set[int]) -> None:
    pieces, whole = spoken(networks, [0, *sorted(cuts), HOPS]), spoken(networks, [0, HOPS])
    for one, other in zip(pieces, whole, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)


def test_later_hops_change_nothing_earlier(networks: Networks) -> None:
    changed = some_mel(1)
    changed[20:] += 1.0
    before, _ = networks.encode(some_mel(1), networks.empty_encoder_memory())
    after, _ = networks.encode(changed, networks.empty_encoder_memory())
    np.testing.assert_allclose(before[:20], after[:20], atol=1e-5)
    assert np.abs(before[20:] - after[20:]).max() > 0.01


def test_memory_is_a_value(networks: Networks) -> None:
    memory = networks.empty_encoder_memory()
    first, _ = networks.encode(some_mel(1), memory)
    again, _ = networks.encode(some_mel(1), memory)
    np.testing.assert_array_equal(first, again)
    assert not any(np.any(np.asarray(part)) for part in memory)


def test_colours_differ(networks: Networks) -> None:
    assert np.abs(networks.colour(random_vector(1)) - networks.colour(random_vector(2))).max() > 0.01


def test_the_best_storage_is_taken(folder: Path, tmp_path: Path) -> None:
    assert OnnxNetworks(folder).storage == STORAGES[0]
    with pytest.raises(ModelError, match=r"holds no voice model; needed: encoder\.int8\.onnx"):
        OnnxNetworks(tmp_path)
    with pytest.raises(ModelError, match="storage is 'int2'; allowed"):
        OnnxNetworks(folder, "int2")
    with pytest.raises(ModelError, match="device is 'abacus'; allowed"):
        TorchNetworks("abacus", folder)


def test_parts_of_two_models_are_refused(tmp_path: Path) -> None:
    other = write_tiny_networks(tmp_path / "other", seed=2)
    mixed = write_tiny_networks(tmp_path / "mixed", seed=1)
    (mixed / "decoder.onnx").write_bytes((other / "decoder.onnx").read_bytes())
    with pytest.raises(ModelError, match="mixes two models: its decoder"):
        OnnxNetworks(mixed)


def test_another_format_is_refused(tmp_path: Path) -> None:
    path = write_tiny_networks(tmp_path) / "encoder.onnx"
    path.write_bytes(path.read_bytes().replace(b"latency_samples\x12\x03600", b"latency_samples\x12\x03480"))
    with pytest.raises(ModelError, match="latency_samples is 480; this program needs 600"):
        OnnxNetworks(tmp_path)


@given(place=st.floats(0.0, 1.0, exclude_max=True), mask=st.integers(1, 255), is_cut=st.booleans())
def test_damage_is_found(
    tmp_path_factory: pytest.TempPathFactory, folder: Path, place: float, mask: int, is_cut: bool
) -> None:
    damaged = tmp_path_factory.mktemp("damaged")
    for part in ("encoder", "decoder", "colour"):
        name = file_name(part, "float32")
        data = bytearray((folder / name).read_bytes())
        if part == "encoder":
            index = int(place * len(data))
            data[index] ^= mask
            data = data[:index] if is_cut else data
        (damaged / name).write_bytes(data)
    with suppress(ModelError):  # if it loads, the damage was none
        loaded = spoken(OnnxNetworks(damaged, "float32"), [0, HOPS])
        for one, other in zip(loaded, spoken(OnnxNetworks(folder, "float32"), [0, HOPS]), strict=True):
            np.testing.assert_array_equal(one, other)


def vocoder_input(subframes: int, seed: int = 5) -> tuple[Singles, Singles, Singles]:
    rng = np.random.default_rng(seed)
    turns = 2.0 * np.pi * np.arange(subframes)[:, None] / 25.0
    f0_hz = 150.0 * np.exp(0.5 * np.sin(turns[:, 0]))
    bands = [np.arange(count) * (12.0 / count) for count in (grid.HARMONIC_BANDS, grid.NOISE_BANDS)]
    envelopes = [-3.0 + np.sin(turns + row + rng.uniform(0.0, 6.0)) for row in bands]
    return f0_hz.astype(np.float32), envelopes[0].astype(np.float32), envelopes[1].astype(np.float32)


def rendered_by_kernels(f0_hz: Singles, harmonic_log: Singles, noise_log: Singles) -> Singles:
    synth = SourceFilterSynth(
        grid.SAMPLE_RATE, grid.SUBFRAME_SAMPLES, HARMONIC_CENTRES_HZ, NOISE_CENTRES_HZ, grid.N_FFT
    )
    out = np.empty(len(f0_hz) * grid.SUBFRAME_SAMPLES, np.float32)
    synth.render(f0_hz, harmonic_log, noise_log, out)
    return out


def test_training_speaks_what_the_kernels_speak() -> None:
    f0_hz, harmonic_log, _ = vocoder_input(40)
    silent = np.full((40, grid.NOISE_BANDS), -20.0, np.float32)
    batch = [torch.from_numpy(part)[None] for part in (f0_hz, harmonic_log, silent)]
    size = 40 * grid.SUBFRAME_SAMPLES
    theirs = SourceFilter()(*batch, torch.zeros(1, 1), torch.zeros(1, size))[0].numpy()
    ours = rendered_by_kernels(f0_hz, harmonic_log, silent)
    assert np.sqrt(np.mean(ours**2)) > 0.03
    np.testing.assert_allclose(theirs, ours, atol=1e-4)


@given(cuts=st.sets(st.integers(1, 39), max_size=5))
def test_the_streaming_vocoder_speaks_what_the_kernels_speak(cuts: set[int]) -> None:
    signal = vocoder_input(40)
    batch = [torch.from_numpy(np.stack([part, part])) for part in signal]
    memory, parts = VocoderMemory.zeros(2, torch.device("cpu")), []
    for first, last in pairwise([0, *sorted(cuts), 40]):
        out, memory = VOCODER(*(part[:, first:last] for part in batch), memory)
        parts.append(out.numpy())
    whole = np.concatenate(parts, axis=1)
    np.testing.assert_allclose(whole[0], rendered_by_kernels(*signal), atol=1e-4)  # the noise, too
    np.testing.assert_allclose(whole[0], whole[1], atol=1e-6)


def test_slots_speak_what_streams_speak(folder: Path) -> None:
    networks = TorchNetworks("cpu", folder)
    sessions = TorchSessions(networks, 3)
    slots = [sessions.claim() for _ in range(3)]
    with pytest.raises(ModelError, match="all 3 slots are in use"):
        sessions.claim()
    sessions.release(slots[1])
    assert sessions.claim() == slots[1]
    films = networks.colour(random_vector(3))
    for slot in slots:
        sessions.set_films(slot, films)
    mel, prosody = some_mel(1), some_prosody(2)
    content, harmonic_log, noise_log = spoken(networks, [0, HOPS])
    alone = rendered_by_kernels(np.exp(prosody[:, 0]).ravel(), harmonic_log, noise_log)
    for reset_at in (0, 7):  # a slot that is reset starts again and leaves the others alone
        sessions.reset(slots[1])
        for hop in range(HOPS - reset_at):
            batch = np.stack([mel[hop]] * 3), np.stack([prosody[hop]] * 3)
            heard = sessions.encode(batch[0])
            np.testing.assert_allclose(heard[slots[1]], content[hop], atol=1e-4)
            said = sessions.speak(heard, batch[1])
            span = slice(hop * grid.HOP_SAMPLES, (hop + 1) * grid.HOP_SAMPLES)
            np.testing.assert_allclose(said[slots[1]], alone[span], atol=2e-4)
    sessions.release(slots[0])
    with pytest.raises(ModelError, match="is not claimed"):
        sessions.set_films(slots[0], films)
    with pytest.raises(ModelError, match="the batch has the shape"):
        sessions.encode(np.zeros((2, grid.N_MELS), np.float32))
