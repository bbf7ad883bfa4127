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
    embedded: Tensor = teacher.network(teacher.mel(clips))
    return embedded


def test_recordings_are_nearest_to_themselves(teacher: TeacherIdentity) -> None:
    clips = _clips(3, 1)
    same = float(teacher.frame_by_frame(clips, clips))
    other = float(teacher.frame_by_frame(_clips(3, 2) * torch.linspace(0.0, 2.0, SAMPLES), clips))
    assert abs(same) < 1e-5 < 1e-3 < other


def test_swaps_are_held_to_their_targets_clip(teacher: TeacherIdentity) -> None:
    clips = _clips(2, 1)
    assert float(teacher(clips, clips, _identities(teacher, clips))) == pytest.approx(0.0, abs=1e-4)
    assert float(teacher(clips, clips, -_identities(teacher, clips))) == pytest.approx(2.0, abs=1e-4)


def test_level_and_silence_do_not_count(teacher: TeacherIdentity) -> None:
    clips = _clips(2, 1)
    target = torch.stack([clips[0], torch.zeros(SAMPLES)])
    assert abs(float(teacher.frame_by_frame(clips, target))) < 1e-5
    assert abs(float(teacher.frame_by_frame(0.1 * clips, 0.1 * clips))) < 1e-5


def test_both_ways_teach_what_was_spoken(teacher: TeacherIdentity) -> None:
    spoken, target = _clips(2, 1).requires_grad_(True), _clips(2, 2)
    for apart in (teacher(spoken, target, torch.rand(2, 256)), teacher.frame_by_frame(spoken, target)):
        (gradient,) = torch.autograd.grad(apart, spoken)
        assert bool((gradient.abs().amax(1) > 0).all())


def test_a_view_is_what_the_frames_so_far_embed_as(teacher: TeacherIdentity) -> None:
    bands = teacher.mel(_clips(2, 1))
    views = teacher.network.views(bands)
    for count in (1, 31, bands.shape[1]):
        torch.testing.assert_close(views[:, count - 1], teacher.network(bands[:, :count]), atol=1e-5, rtol=0.0)
