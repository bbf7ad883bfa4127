"""Output lines up with input to the sample, whatever the latency, the block and the format."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from file_renderers import DelayedGain, delayed_gain
from vcfx.files import ConvertOptions, convert_file
from vcfx.files.renderer import ReusedRenderers


def write_noise(path: Path, frames: int, channels: int = 2) -> npt.NDArray[np.int16]:
    sound = np.random.default_rng(frames).integers(-8000, 8000, (frames, channels)).astype(np.int16)
    soundfile.write(path, sound, 48000)
    return sound


@given(
    latency=st.integers(0, 5000), frames=st.integers(1, 9000), block=st.sampled_from([1 << 20, 4096, 1021, 480, 997])
)
def test_latency_is_taken_off_and_the_length_kept(
    tmp_path_factory: pytest.TempPathFactory, latency: int, frames: int, block: int
) -> None:
    folder = tmp_path_factory.mktemp("aligned")
    sound = write_noise(folder / "in.wav", frames)
    options = ConvertOptions(block_frames=block)
    result = convert_file(folder / "in.wav", folder / "out.wav", delayed_gain(f"{latency} 2 0"), options)
    assert result.latency_removed_samples == latency
    np.testing.assert_array_equal(soundfile.read(folder / "out.wav", dtype="int16")[0], sound * 2)


@pytest.mark.parametrize("block", [1, 7, 64, 5000])
def test_blocks_of_any_size_give_the_same_file(tmp_path: Path, block: int) -> None:
    sound = write_noise(tmp_path / "in.flac", 333)
    convert_file(
        tmp_path / "in.flac", tmp_path / "out.flac", delayed_gain("13 1 0"), ConvertOptions(block_frames=block)
    )
    np.testing.assert_array_equal(soundfile.read(tmp_path / "out.flac", dtype="int16")[0], sound)


@pytest.mark.parametrize("latency", [0, 100, 6000])
def test_tail_appends_what_still_sounds(tmp_path: Path, latency: int) -> None:
    """The echo comes 3000 frames after the sound at half its level, so the output is 3000 frames longer."""
    sound = write_noise(tmp_path / "in.wav", 5000)
    make = delayed_gain(f"{latency} 1 3000")
    convert_file(tmp_path / "in.wav", tmp_path / "long.wav", make, ConvertOptions(tail=True, block_frames=777))
    convert_file(tmp_path / "in.wav", tmp_path / "short.wav", make)
    expected = np.zeros((8000, 2))
    expected[:5000] += sound
    expected[3000:] += sound / 2
    long = soundfile.read(tmp_path / "long.wav")[0] * 32768
    np.testing.assert_allclose(long, expected, atol=0.51)
    np.testing.assert_array_equal(
        soundfile.read(tmp_path / "short.wav")[0], soundfile.read(tmp_path / "long.wav")[0][:5000]
    )


def test_a_renderer_is_reused_without_its_history() -> None:
    made: list[DelayedGain] = []

    def make(rate: int, channels: int, frames: int) -> DelayedGain:
        made.append(DelayedGain(rate, channels, frames, 5, 1.0, 0))
        return made[-1]

    reused = ReusedRenderers(make)
    first = reused(48000, 1, 64)
    loud = first.process(np.ones((1, 64), np.float32)).copy()
    assert reused(48000, 1, 64) is first
    np.testing.assert_array_equal(first.process(np.ones((1, 64), np.float32)), loud)
    assert reused(44100, 1, 64) is not first
    assert len(made) == 2
