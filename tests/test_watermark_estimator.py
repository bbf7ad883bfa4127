"""The estimator of the mark's detector against torch and SciPy, its examples, and a training that stops and goes on."""

from __future__ import annotations

import csv
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import minimum_filter1d, uniform_filter1d

from tools.evaluation.corpus import MANIFEST, _archive, read_manifest
from tools.evaluation.watermark_material import is_for_tests
from tools.train import train_watermark, watermark_examples
from tools.train.train_watermark import Estimator, Training, save_weights, scores, tile_windows
from tools.train.watermark_examples import FRAMES, Examples, load_examples
from vcfx_dsp.core.watermark_layout import BANDS, SLOTS
from vcfx_dsp.watermark import estimator
from vcfx_dsp.watermark.estimator import FLOOR_MEAN_FRAMES, FLOOR_REACH, LEVEL_SCALE, REACH, estimate, inputs
from vcfx_dsp.watermark.key import WatermarkKey
from vcfx_dsp.watermark.pattern import pattern_of

TESTS = Path(__file__).parent
SPEECH = (TESTS / "data" / "male.flac", TESTS.parent / "vcfx" / "data" / "clip.flac")


def drawn_levels(frames: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(-3.0, 2.0, (frames, BANDS)).astype(np.float32)


def shipped() -> Estimator:
    """The weights that come along, in torch."""
    network, stored = Estimator(), estimator._weights()
    with torch.no_grad():
        for index, layer in enumerate(network.layers):
            layer.get_parameter("weight").copy_(torch.from_numpy(stored[f"kernel{index}"]).permute(3, 2, 0, 1))
            layer.get_parameter("bias").copy_(torch.from_numpy(stored[f"bias{index}"]))
    return network


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 700), st.integers(0, 99))
def test_the_floor_is_the_lowest_short_mean_around(frames: int, seed: int) -> None:
    levels = drawn_levels(frames, seed)
    means = uniform_filter1d(levels.astype(np.float64), FLOOR_MEAN_FRAMES, axis=0, mode="nearest")
    floor = minimum_filter1d(means, 2 * FLOOR_REACH + 1, axis=0, mode="nearest")
    seen = inputs(levels)
    np.testing.assert_allclose(seen[..., 0], LEVEL_SCALE * levels, atol=1e-6)
    np.testing.assert_allclose(seen[..., 1], LEVEL_SCALE * (levels - floor), atol=1e-5)
    np.testing.assert_allclose(seen[..., 2], np.tile(np.linspace(-1, 1, BANDS), (frames, 1)), atol=1e-6)


@pytest.mark.parametrize("frames", [1, 30, 999, 1_000, 1_001, 2_345])
def test_it_is_the_network_that_was_trained(frames: int) -> None:
    levels = drawn_levels(frames)
    padded = np.pad(inputs(levels), ((REACH, REACH), (0, 0), (0, 0)), mode="edge")
    with torch.no_grad():
        wanted = shipped()(torch.from_numpy(padded)[None])[0, REACH:-REACH].numpy()
    np.testing.assert_allclose(estimate(levels), wanted, atol=1e-3 * np.abs(wanted).max())


def test_nothing_gives_nothing() -> None:
    assert estimate(np.zeros((0, BANDS), np.float32)).shape == (0, BANDS)


@pytest.fixture
def corpus(tmp_path: Path) -> Iterator[Path]:
    """Twelve speakers' clips in a tar of one set, with a manifest."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    columns = ("set", "speaker", "gender", "split", "path", "seconds", "text")
    with (folder / MANIFEST).open("w", newline="") as lines, tarfile.open(folder / "few.tar", "w") as archive:
        rows = csv.DictWriter(lines, columns, delimiter="\t")
        rows.writeheader()
        for number in range(12):
            recording = SPEECH[number % 2]
            path = f"few/speaker{number}/clip.flac"
            archive.add(recording, path)
            seconds = soundfile.info(recording).duration
            values = ("few", f"speaker{number}", "", "train", path, f"{seconds:.2f}", "")
            rows.writerow(dict(zip(columns, values, strict=True)))
    assert 0 < sum(is_for_tests(clip) for clip in read_manifest(folder)) < 12
    yield folder
    _archive(folder / "few.tar").close()
    _archive.cache_clear()


def test_examples_are_what_their_numbers_say(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watermark_examples, "IN_ONE_FILE", 4)
    for name in ("once", "twice"):
        (tmp_path / name).mkdir()
    whole = load_examples(corpus, 10, tmp_path / "once")
    assert whole.inputs.shape == (10, FRAMES, BANDS, 3)
    assert whole.tiles.shape == (10, SLOTS, BANDS)
    load_examples(corpus, 4, tmp_path / "twice")
    resumed = load_examples(corpus, 10, tmp_path / "twice")
    np.testing.assert_array_equal(resumed.inputs, whole.inputs)
    np.testing.assert_array_equal(resumed.tiles, whole.tiles)


def test_the_true_pattern_lies_where_the_mark_is(corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watermark_examples, "IN_ONE_FILE", 12)
    seen, tiles = (torch.from_numpy(array) for array in load_examples(corpus, 12, tmp_path))
    with torch.no_grad():
        evidence, windows = shipped()(seen), tile_windows(FRAMES)
        true, late = (scores(evidence, some, windows) for some in (tiles, tiles.roll(1, dims=1)))
    wrong = torch.from_numpy(pattern_of(WatermarkKey(b"another one")).tiles(0)).float().expand_as(tiles)
    assert float(true.mean()) > 6.0, "under all that the training does to it"
    assert float(late.mean()) < 2.0, "one slot later"
    assert float(scores(evidence, wrong, windows).abs().mean()) < 2.0


def made_examples(count: int = 24) -> Examples:
    """Patterns that lie open, under noise."""
    rng = np.random.default_rng(3)
    tiles = rng.choice([-1.0, 1.0], (count, SLOTS, BANDS)).astype(np.float32)
    levels = np.einsum("st,bsk->btk", tile_windows(FRAMES).numpy(), tiles) + rng.normal(0, 1, (count, FRAMES, BANDS))
    return Examples(np.stack([inputs(some.astype(np.float32)) for some in levels]), tiles)


def test_a_training_that_stops_goes_on_as_if_it_had_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train_watermark, "KEPT_BACK", 16)
    torch.set_num_threads(1)
    whole = Training(made_examples(), 8, tmp_path / "whole.pt")
    for _ in range(8):
        whole.step()
    first = Training(made_examples(), 8, tmp_path / "parts.pt")
    for _ in range(5):
        first.step()
    first.save()
    second = Training(made_examples(), 8, tmp_path / "parts.pt")
    assert second.done == 5
    while second.done < 8:
        second.step()
    for name, weight in whole.network.state_dict().items():
        assert torch.equal(weight, second.network.state_dict()[name]), name
    save_weights(second.network, tmp_path / "estimator.npz")
    with np.load(tmp_path / "estimator.npz") as stored:
        assert {name: stored[name].shape for name in stored.files} == {
            name: weight.shape for name, weight in estimator._weights().items()
        }
    assert not list(tmp_path.glob("*.part*"))


def test_training_finds_a_pattern_that_lies_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train_watermark, "KEPT_BACK", 16)
    monkeypatch.setattr(train_watermark, "WARMUP_STEPS", 2)
    torch.set_num_threads(1)
    examples = made_examples()
    training = Training(examples, 25, tmp_path / "last.pt")
    seen, tiles = (torch.from_numpy(array[:16]) for array in examples)

    def score() -> float:
        with torch.no_grad():
            return float(scores(training.network(seen), tiles, tile_windows(FRAMES)).mean())

    before = score()
    for _ in range(25):
        training.step()
    assert score() > max(10.0, 2.0 * before)
