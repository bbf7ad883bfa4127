"""Files that are empty, damaged, locked or not sound at all; targets that cannot be written."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from file_renderers import IDENTITY, raises_on_mono
from vcfx.errors import AudioFileError
from vcfx.files import ConvertOptions, convert_file
from vcfx.files.checked_file import CheckedFile


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def sound_file(path: Path, frames: int = 20_000) -> Path:
    soundfile.write(path, np.random.default_rng(1).uniform(-0.3, 0.3, frames), 48000)
    return path


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"", r"in\.wav is empty \(0 bytes\)"), (b"not sound " * 500, r"in\.wav cannot be read: .*; ffmpeg: ")],
)
def test_what_is_no_sound_is_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    (tmp_path / "in.wav").write_bytes(content)
    with pytest.raises(AudioFileError, match=sentence) as caught:
        convert_file(tmp_path / "in.wav", tmp_path / "out.wav", IDENTITY)
    assert "\n" not in str(caught.value)
    assert left(tmp_path) == ["in.wav"]


def test_a_file_without_frames_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "in.wav", np.zeros((0, 1)), 48000)
    with pytest.raises(AudioFileError, match="holds no sound"):
        convert_file(tmp_path / "in.wav", tmp_path / "out.wav", IDENTITY)
    assert left(tmp_path) == ["in.wav"]


def test_missing_and_folder_inputs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match="No such file"):
        convert_file(tmp_path / "in.wav", tmp_path / "out.wav", IDENTITY)
    with pytest.raises(AudioFileError, match="is a folder"):
        convert_file(tmp_path, tmp_path / "out.wav", IDENTITY)


def test_an_unreadable_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(*arguments: object, **options: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")  # root may read everything, so pretend

    source = sound_file(tmp_path / "in.wav")
    monkeypatch.setattr(Path, "open", locked)
    with pytest.raises(AudioFileError, match=r"in\.wav cannot be read: Permission denied"):
        convert_file(source, tmp_path / "out.wav", IDENTITY)


@pytest.mark.parametrize("rate", [4000, 384_000])
def test_rates_out_of_range_are_refused(tmp_path: Path, rate: int) -> None:
    soundfile.write(tmp_path / "in.wav", np.zeros(100), rate)
    with pytest.raises(AudioFileError, match=f"has {rate} Hz; allowed: 8000 to 192000"):
        convert_file(tmp_path / "in.wav", tmp_path / "out.wav", IDENTITY)


def test_more_channels_than_the_graph_takes_are_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "in.wav", np.zeros((100, 40)), 48000)
    with pytest.raises(AudioFileError, match="has 40 channels; allowed: 1 to 32"):
        convert_file(tmp_path / "in.wav", tmp_path / "out.wav", IDENTITY)


def test_a_truncated_flac_is_refused_or_said_to_be_short(tmp_path: Path) -> None:
    source = sound_file(tmp_path / "in.flac", 200_000)
    data = source.read_bytes()
    source.write_bytes(data[: len(data) // 2])
    try:
        result = convert_file(source, tmp_path / "out.wav", IDENTITY)
    except AudioFileError as error:
        assert "damaged" in str(error)  # noqa: PT017  either is right; which one is up to the decoder
    else:
        assert "though the header promises" in result.note


def test_the_extension_of_the_input_does_not_matter(tmp_path: Path) -> None:
    sound_file(tmp_path / "in.flac").rename(tmp_path / "in.raw")
    assert convert_file(tmp_path / "in.raw", tmp_path / "out.wav", IDENTITY).seconds == 20_000 / 48000


def test_the_input_is_never_overwritten_not_even_through_a_link(tmp_path: Path) -> None:
    source = sound_file(tmp_path / "in.wav")
    (tmp_path / "link.wav").symlink_to(source)
    os.link(source, tmp_path / "hard.wav")
    before = source.read_bytes()
    for name in ("in.wav", "link.wav", "hard.wav"):
        with pytest.raises(AudioFileError, match="is the input itself"):
            convert_file(source, tmp_path / name, IDENTITY, ConvertOptions(force=True))
    assert source.read_bytes() == before


def test_an_existing_output_needs_force(tmp_path: Path) -> None:
    source, target = sound_file(tmp_path / "in.wav"), tmp_path / "out.wav"
    target.write_bytes(b"precious")
    with pytest.raises(AudioFileError, match="--force"):
        convert_file(source, target, IDENTITY)
    assert target.read_bytes() == b"precious"
    convert_file(source, target, IDENTITY, ConvertOptions(force=True))
    assert soundfile.info(target).frames == 20_000


def test_a_mistake_in_the_renderer_leaves_nothing_behind(tmp_path: Path) -> None:
    source, target = sound_file(tmp_path / "in.wav"), tmp_path / "out.wav"
    target.write_bytes(b"precious")
    with pytest.raises(RuntimeError, match="a mistake"):
        convert_file(source, target, raises_on_mono(""), ConvertOptions(force=True))
    assert left(tmp_path) == ["in.wav", "out.wav"]
    assert target.read_bytes() == b"precious"


@pytest.mark.parametrize("after_bytes", [0, 5_000])
@pytest.mark.parametrize("name", ["out.wav", "out.flac", "out.mp3", "out.ogg", "out.opus", "out.aiff"])
def test_a_full_disk_is_one_sentence_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, after_bytes: int
) -> None:
    """Vorbis, Opus and MP3 encoders do not notice by themselves."""
    source, written = sound_file(tmp_path / "in.wav", 100_000), 0
    really_write = CheckedFile.write

    def write(self: CheckedFile, data: bytes) -> int:
        nonlocal written
        written += len(data)
        if written > after_bytes:
            self._keep(OSError(errno.ENOSPC, "No space left on device"))
        return really_write(self, data)

    monkeypatch.setattr(CheckedFile, "write", write)
    with pytest.raises(AudioFileError, match=f"{name} cannot be written: no space left on the disk"):
        convert_file(source, tmp_path / name, IDENTITY)
    assert left(tmp_path) == ["in.wav"]


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 64 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    done = mount and subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if not done or done.returncode:
        pytest.skip("may not mount a file system here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("name", ["out.wav", "out.flac", "out.mp3", "out.ogg", "out.opus"])
def test_a_really_full_disk(tmp_path: Path, tiny_disk: Path, name: str) -> None:
    source = sound_file(tmp_path / "in.wav", 1_000_000)
    with pytest.raises(AudioFileError, match="no space left"):
        convert_file(source, tiny_disk / name, IDENTITY)
    assert left(tiny_disk) == []


def test_a_target_in_a_place_that_cannot_be(tmp_path: Path) -> None:
    source = sound_file(tmp_path / "in.wav")
    for target in (source / "out.wav", tmp_path / ("x" * 300) / "out.wav"):
        with pytest.raises(AudioFileError, match="cannot be written"):
            convert_file(source, target, IDENTITY)
    with pytest.raises(AudioFileError, match="'xyz' is not a format that can be written"):
        convert_file(source, tmp_path / "out.xyz", IDENTITY)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_what_is_no_file_is_not_replaced_even_with_force(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.wav"
    os.mkfifo(pipe)
    with pytest.raises(AudioFileError, match="no ordinary file"):
        convert_file(sound_file(tmp_path / "a.wav"), pipe, IDENTITY, ConvertOptions(force=True))
    assert pipe.is_fifo()
