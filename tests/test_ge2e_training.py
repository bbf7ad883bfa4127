"""The GE2E loss against the paper's formulas, and a run that learns, stops and goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reference import ge2e_loss as reference
from tools.train.ge2e_loss import Ge2eLoss, centroid_cosines
from tools.train.ge2e_split import is_held_out_noise, is_held_out_speaker
from tools.train.learning_rate import learning_rate


def drawn(seed: int, speakers: int, utterances: int, size: int = 6) -> Any:
    return np.random.default_rng(seed).standard_normal((speakers, utterances, size))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 999), st.integers(2, 5), st.integers(2, 4), st.floats(0.5, 20.0), st.floats(-8.0, 2.0))
def test_both_forms_are_the_papers(seed: int, speakers: int, utterances: int, scale: float, offset: float) -> None:
    embeddings = drawn(seed, speakers, utterances)
    for contrast, wanted in ((False, reference.softmax_loss), (True, reference.contrast_loss)):
        loss = Ge2eLoss(contrast)
        with torch.no_grad():
            loss.scale.fill_(scale)
            loss.offset.fill_(offset)
        found = float(loss(torch.from_numpy(embeddings)).detach())
        assert found == pytest.approx(wanted(embeddings, scale, offset), abs=1e-5)


def test_an_utterance_has_no_say_in_the_centroid_it_is_compared_with() -> None:
    embeddings = torch.from_numpy(drawn(3, 3, 4))
    own = centroid_cosines(embeddings)
    others = embeddings[1, [0, 1, 3]].mean(0)
    expected = torch.cosine_similarity(embeddings[1, 2], others, dim=0)
    assert float(own[1, 2, 1]) == pytest.approx(float(expected))
    # Two opposite utterances cancel in the full mean; each one's exclusive centroid is the other.
    opposite = torch.tensor([[[1.0, 0.0], [-1.0, 0.0]], [[0.0, 1.0], [0.0, 1.0]]])
    assert centroid_cosines(opposite)[0, :, 0].tolist() == [-1.0, -1.0]


def test_the_loss_knows_right_from_wrong() -> None:
    apart = torch.eye(4)[:, None, :].repeat(1, 3, 1)
    mixed = apart.transpose(0, 1).reshape(4, 3, 4)  # every "speaker" is three different ones
    for contrast in (False, True):
        loss = Ge2eLoss(contrast)
        assert float(loss(apart).detach()) < 0.1 < float(loss(mixed).detach())


def test_gradients_pull_a_speakers_utterances_together() -> None:
    points = torch.from_numpy(drawn(5, 4, 3, 8)).float().requires_grad_()
    loss = Ge2eLoss()
    first = float(loss(points).detach())
    for _ in range(60):
        (slope,) = torch.autograd.grad(loss(points), points)
        points = (points - 0.5 * slope).detach().requires_grad_()
    assert float(loss(points).detach()) < 0.3 * first
    assert (centroid_cosines(points).argmax(2) == torch.arange(4)[:, None]).all()


def test_the_rate_rises_over_the_warm_up_and_falls_to_a_twentieth() -> None:
    schedule = {"peak": 2e-3, "warmup": 10, "steps": 100}
    assert [learning_rate(schedule, step) for step in (0, 4, 9)] == pytest.approx([2e-4, 1e-3, 2e-3])
    assert learning_rate(schedule, 50) == pytest.approx(2e-3 * 0.525), "half way down the cosine"
    assert [learning_rate(schedule, step) for step in (100, 900)] == pytest.approx([1e-4, 1e-4])


def test_held_out_is_a_small_share_and_the_same_as_when_the_encoder_was_taught() -> None:
    names = [f"set/{number}" for number in range(4000)]
    assert sum(map(is_held_out_speaker, names)) / 4000 == pytest.approx(1 / 20, abs=0.015)
    assert sum(map(is_held_out_noise, names)) / 4000 == pytest.approx(1 / 5, abs=0.03)
    assert is_held_out_speaker("librispeech/1898")
    assert not is_held_out_speaker("librispeech/19")


def tiny_corpus(folder: Path) -> None:
    """Write hums of several pitches and colours, two clips of each, as `prepare_corpus` stores speakers."""
    rng = np.random.default_rng(1)
    clips: list[tuple[int, int, int, str]] = []
    audio, start = [], 0
    names = [f"s{number}" for number in range(300)]
    kept = [name for name in names if is_held_out_speaker(f"made/{name}")][:4]
    chosen = [name for name in names if not is_held_out_speaker(f"made/{name}")][:8] + kept
    time_s = np.arange(2 * 24_000) / 24_000
    for number, name in enumerate(chosen):
        for _ in range(2):
            f0_hz = 90.0 * 1.18 ** (number % 8)
            hum = sum(
                np.sin(2 * np.pi * k * f0_hz * time_s + rng.uniform(0, 6)) / k ** (0.5 + number % 3)
                for k in range(1, 9)
            )
            audio.append((1_500 * hum + 30 * rng.standard_normal(hum.size)).astype(np.int16))
            clips.append((len(clips), start, hum.size, name))
            start += hum.size
    np.save(folder / "audio.npy", np.concatenate(audio))
    columns = "clip start frames kind set speaker gender split bandwidth_hz partner voice text source f0_start"
    columns += " content_start content_frames tokens_start tokens_count"
    rows = [f"{c}\t{s}\t{n}\treal\tmade\t{who}\tf\ttrain\t7900\t-1\t\t\tx\t0\t0\t0\t0\t0" for c, s, n, who in clips]
    (folder / "clips.tsv").write_text("\n".join(["\t".join(columns.split()), *rows]) + "\n")
    noise = (300 * rng.standard_normal(20 * 24_000)).astype(np.int16)
    np.save(folder / "noise.npy", noise)
    noises = [f"{24_000 * n}\t24000\tCC0\thiss\tn{n}" for n in range(20)]
    (folder / "noise.tsv").write_text("\n".join(["start\tframes\tlicence\tdescription\tsource", *noises]) + "\n")
    embeddings = np.abs(rng.standard_normal((len(clips), 256))).astype(np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    for name in ("ge2e", "embedding"):
        np.save(folder / f"{name}.npy", embeddings)
    for name, values in (("f0_hz", np.ones(9)), ("strength", np.ones(9)), ("spectrum", np.zeros((len(clips), 160)))):
        np.save(folder / f"{name}.npy", values.astype(np.float32))
    (folder / "content").mkdir()
    for name in ("token_of_frame", "token_id", "token_pca"):
        np.save(folder / "content" / f"{name}.npy", np.zeros(3))
    np.savez(folder / "content" / "pca.npz", scale=np.ones(3))


CONFIG: dict[str, Any] = {
    "network": "ge2e",
    "seed": 4,
    "contrast": False,
    "speakers": 4,
    "utterances": 2,
    "seconds": [0.3, 0.3],
    "anchor": {"to": "", "weight": 0.0},
    "spoiling": {"noise_share": 0.5, "room_share": 0.2, "snr_low_db": 15.0, "snr_high_db": 30.0, "gain_db": 3.0},
    "schedule": {"steps": 60, "warmup": 5, "peak": 5e-4},
}


def test_a_run_learns_stops_and_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    from tools.train.train_ge2e import Training

    torch.set_num_threads(1)
    tiny_corpus(tmp_path)
    whole = Training(CONFIG, tmp_path, tmp_path / "whole", None)
    losses = [whole.train_step()["loss"] for _ in range(30)]
    assert np.mean(losses[-5:]) < 0.7 * np.mean(losses[:5])
    first = Training(CONFIG, tmp_path, tmp_path / "parts", None)
    for _ in range(3):
        first.train_step()
    first.save()
    second = Training(CONFIG, tmp_path, tmp_path / "parts", None)
    assert second.step == 3
    assert [second.train_step()["loss"] for _ in range(2)] == pytest.approx(losses[3:5], rel=1e-5)
    assert {"held_out_loss", "held_out_right"} <= second.check().keys()


def test_what_was_trained_can_be_read(tmp_path: Path) -> None:
    from tools.train.train_ge2e import Training
    from vcfx_models.networks.ge2e import read_ge2e

    tiny_corpus(tmp_path)
    run = Training(CONFIG, tmp_path, tmp_path / "run", None)
    run.train_step()
    run.save()
    held = read_ge2e(tmp_path / "run" / "ge2e.safetensors")
    bands = torch.rand(1, 20, 40)
    assert torch.equal(held(bands), run.hearer.network(bands))
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["ge2e.safetensors", "last.pt"]


def test_the_programs_own_encoder_is_held_near_what_it_gave(tmp_path: Path) -> None:
    from tools.train.train_ge2e import Training

    tiny_corpus(tmp_path)
    config = json.loads(json.dumps(CONFIG)) | {"network": "student", "anchor": {"to": "student", "weight": 10.0}}
    run = Training(config, tmp_path, tmp_path / "run", None)
    kept = [run.train_step()["kept"] for _ in range(6)]
    assert kept[-1] > kept[0]
