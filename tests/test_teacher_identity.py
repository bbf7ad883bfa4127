"""GE2E as a judge of who speaks: recordings are nearest to themselves, swaps are held to their target's clip alone."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from tools.train.identity import USUAL_RMS
from tools.train.teacher_identity import TeacherIdentity
from vcfx_models import geometry as grid
from vcfx_models.networks.ge2e import Ge2e

SAMPLES = 80 * grid.HOP_SAMPLES


@pytest.fixture
def teacher(tmp_path: Path) -> TeacherIdentity:
    torch.manual_seed(3)
    weights = {name: 4.0 * value for name, value in Ge2e().state_dict().items()}
    weights["lstm.weight_ih_l0"] *= 100.0  # powers in mel bands are small numbers
    torch.save({"model_state": weights}, tmp_path / "ge2e.pt")
    return TeacherIdentity(tmp_path / "ge2e.pt")


def _clips(count: int, seed: int) -> Tensor:
    noise = torch.randn(count, SAMPLES, generator=torch.Generator().manual_seed(seed))
    clips: Tensor = USUAL_RMS * noise / noise.square().mean(1, keepdim=True).sqrt()
    return clips


def _identities(teacher: TeacherIdentity, clips: Tensor) -> Tensor:
    return teacher._views(clips)[:, -1]


def test_recordings_are_nearest_to_themselves(teacher: TeacherIdentity) -> None:
    clips, is_swap = _clips(3, 1), torch.tensor([False, False, False])
    nobody = torch.zeros(3, 256)
    same = teacher(clips, clips, nobody, is_swap)
    other = teacher(_clips(3, 2) * torch.linspace(0.0, 2.0, SAMPLES), clips, nobody, is_swap)
    assert set(same) == {"view"}
    assert abs(float(same["view"])) < 1e-5 < 1e-3 < float(other["view"])


def test_swaps_are_held_to_their_targets_clip(teacher: TeacherIdentity) -> None:
    clips, is_swap = _clips(2, 1), torch.tensor([True, True])
    found = teacher(clips, clips, -_identities(teacher, clips), is_swap)
    assert set(found) == {"teacher"}
    same = teacher(clips, clips, _identities(teacher, clips), is_swap)
    assert float(same["teacher"]) == pytest.approx(0.0, abs=1e-4)
    assert float(found["teacher"]) == pytest.approx(2.0, abs=1e-4)


def test_level_and_silence_do_not_count(teacher: TeacherIdentity) -> None:
    clips, is_swap, nobody = _clips(2, 1), torch.tensor([False, False]), torch.zeros(2, 256)
    target = torch.stack([clips[0], torch.zeros(SAMPLES)])
    assert abs(float(teacher(torch.stack([clips[0], clips[1]]), target, nobody, is_swap)["view"])) < 1e-5
    quieter = teacher(0.1 * clips, 0.1 * clips, nobody, is_swap)["view"]
    assert abs(float(quieter)) < 1e-5


def test_both_kinds_teach_what_was_spoken(teacher: TeacherIdentity) -> None:
    spoken = _clips(2, 1).requires_grad_(True)
    found = teacher(spoken, _clips(2, 2), torch.rand(2, 256), torch.tensor([True, False]))
    assert set(found) == {"teacher", "view"}
    (gradient,) = torch.autograd.grad(found["teacher"] + found["view"], spoken)
    assert bool((gradient.abs().amax(1) > 0).all())
