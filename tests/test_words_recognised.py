"""The recogniser that teaches words: its file is read as written, and it tells same words from other ones."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from tools.train.ctranslate_file import read_ctranslate
from tools.train.recogniser import BANDS, HEAD_SIZE, Recogniser
from tools.train.words_recognised import SymbolHead, WordsRecognised
from vcfx_models import geometry as grid

LAYERS, FRAMES, SYMBOLS = 2, 200, 11


def _small_recogniser(rng: np.random.Generator) -> dict[str, npt.NDArray[np.float16]]:
    size = HEAD_SIZE
    shapes: dict[str, tuple[int, ...]] = {
        "encoder/conv1/weight": (size, BANDS, 3),
        "encoder/conv2/weight": (size, size, 3),
        "encoder/position_encodings/encodings": (FRAMES, size),
    }
    biases = {"encoder/conv1/bias": size, "encoder/conv2/bias": size, "encoder/layer_norm/beta": size}
    for layer in range(LAYERS):
        place = f"encoder/layer_{layer}"
        for part, rows, columns in (
            ("self_attention/linear_0", 3 * size, size),
            ("self_attention/linear_1", size, size),
            ("ffn/linear_0", 4 * size, size),
            ("ffn/linear_1", size, 4 * size),
        ):
            shapes[f"{place}/{part}/weight"], biases[f"{place}/{part}/bias"] = (rows, columns), rows
        biases |= {f"{place}/{part}/layer_norm/beta": size for part in ("self_attention", "ffn")}
    shapes |= {name: (length,) for name, length in biases.items()}
    weights = {name: (0.1 * rng.standard_normal(shape)).astype(np.float16) for name, shape in shapes.items()}
    gammas = {name.replace("beta", "gamma"): np.ones(size, np.float16) for name in biases if name.endswith("beta")}
    return weights | gammas


def _write(path: Path, weights: dict[str, npt.NDArray[np.float16]], version: int = 6) -> Path:
    def text(name: str) -> bytes:
        return struct.pack("<H", len(name) + 1) + name.encode() + b"\0"

    out = struct.pack("<I", version) + text("WhisperSpec") + struct.pack("<II", 3, len(weights))
    for name, values in weights.items():
        out += text(name) + struct.pack(f"<B{values.ndim}I", values.ndim, *values.shape)
        out += struct.pack("<BI", 4, values.nbytes) + values.tobytes()
    path.write_bytes(out)
    return path


@pytest.fixture
def ears(tmp_path: Path, rng: np.random.Generator) -> WordsRecognised:
    model = _write(tmp_path / "model.bin", _small_recogniser(rng))
    torch.manual_seed(1)
    torch.save(SymbolHead(HEAD_SIZE, SYMBOLS).state_dict(), tmp_path / "words.pt")
    return WordsRecognised(model, tmp_path / "words.pt")


def test_a_file_is_read_as_it_was_written(tmp_path: Path, rng: np.random.Generator) -> None:
    weights = _small_recogniser(rng)
    read = read_ctranslate(_write(tmp_path / "model.bin", weights))
    assert read.keys() == weights.keys()
    for name, values in weights.items():
        np.testing.assert_array_equal(read[name], values)


def test_another_version_is_named(tmp_path: Path, rng: np.random.Generator) -> None:
    with pytest.raises(ValueError, match="version 5"):
        read_ctranslate(_write(tmp_path / "model.bin", _small_recogniser(rng), version=5))


def test_frames_come_every_twenty_milliseconds_and_hear_both_sides(tmp_path: Path, rng: np.random.Generator) -> None:
    network = Recogniser(_write(tmp_path / "model.bin", _small_recogniser(rng)))
    mel = torch.from_numpy(rng.standard_normal((1, 80, BANDS)).astype(np.float32))
    heard = network(mel)
    assert heard.shape == (1, 40, HEAD_SIZE)
    mel[:, -1] += 1.0
    assert float((network(mel)[:, 0] - heard[:, 0]).abs().max()) > 1e-6


def test_the_same_sound_costs_nothing_and_another_has_a_gradient(
    ears: WordsRecognised, rng: np.random.Generator
) -> None:
    target = torch.from_numpy((0.1 * rng.standard_normal((3, 100 * grid.HOP_SAMPLES))).astype(np.float32))
    is_swap = torch.tensor([False, False, True])
    least = ears(target, target, is_swap)
    spoken = torch.from_numpy((0.1 * rng.standard_normal(target.shape)).astype(np.float32)).requires_grad_()
    apart = ears(spoken, target, is_swap)
    for name in ("sound", "swap_sound"):
        assert float(least[name]) == pytest.approx(0.0, abs=1e-3)
    for name, distance in apart.items():
        assert float(distance.detach()) > float(least[name])
    (gradient,) = torch.autograd.grad(torch.stack(list(apart.values())).sum(), spoken)
    assert bool((gradient.abs().sum(1) > 0).all())


def test_without_swaps_no_symbols_are_compared(ears: WordsRecognised, rng: np.random.Generator) -> None:
    target = torch.from_numpy((0.1 * rng.standard_normal((2, 60 * grid.HOP_SAMPLES))).astype(np.float32))
    assert ears(target, target, torch.zeros(2, dtype=torch.bool)).keys() == {"sound"}
