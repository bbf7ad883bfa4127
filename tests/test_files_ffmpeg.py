"""What libsndfile does not read comes through the ffmpeg command."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from file_renderers import IDENTITY
from vcfx.errors import AudioFileError
from vcfx.files import convert_file, ffmpeg

needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="the ffmpeg command is not installed")


def encode(folder: Path, name: str, *arguments: str) -> Path:
    rate = 48000
    time_s = np.arange(2 * rate) / rate
    sound = 0.4 * np.sin(2 * np.pi * (300 + 200 * time_s) * time_s)
    soundfile.write(folder / "made.wav", np.stack([sound, -sound], 1), rate)
    argv = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(folder / "made.wav"), *arguments, str(folder / name)]
    subprocess.run(argv, check=True)
    return folder / name


@needs_ffmpeg
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("in.m4a", ("-c:a", "aac")),
        ("in.aac", ("-c:a", "aac")),
        ("in.wma", ("-c:a", "wmav2")),
        ("in.mka", ("-c:a", "flac")),
        ("in.webm", ("-c:a", "libopus")),
        ("in.mp4", ("-f", "lavfi", "-i", "color=s=64x64:r=5:d=2", "-c:a", "aac", "-shortest")),
        ("in.mkv", ("-f", "lavfi", "-i", "color=s=64x64:r=5:d=2", "-c:a", "aac", "-shortest")),
        ("in.wv", ("-c:a", "wavpack")),
    ],
)
def test_other_formats_are_read(tmp_path: Path, name: str, arguments: tuple[str, ...]) -> None:
    source = encode(tmp_path, name, *arguments)
    result = convert_file(source, tmp_path / "out.wav", IDENTITY)
    assert (result.sample_rate, result.channels) == (48000, 2)
    assert result.seconds == pytest.approx(2.0, abs=0.06)  # AAC and WMA pad to whole frames
    before, after = soundfile.read(tmp_path / "made.wav")[0], soundfile.read(tmp_path / "out.wav")[0]
    spectra = [np.abs(np.fft.rfft(sound[:96000, 0], 1 << 18)) for sound in (before, after)]
    assert np.corrcoef(spectra[0], spectra[1])[0, 1] > 0.95
    np.testing.assert_allclose(after[:, 0], -after[:, 1], atol=0.05)


@needs_ffmpeg
def test_lossless_sound_through_ffmpeg_keeps_its_bits(tmp_path: Path) -> None:
    source = encode(tmp_path, "in.m4a", "-c:a", "alac")
    source = source.rename(tmp_path / "in.xyz")
    convert_file(source, tmp_path / "out.flac", IDENTITY)
    np.testing.assert_array_equal(
        soundfile.read(tmp_path / "out.flac", dtype="int16")[0], soundfile.read(tmp_path / "made.wav", dtype="int16")[0]
    )


@needs_ffmpeg
def test_tags_come_along(tmp_path: Path) -> None:
    source = encode(tmp_path, "in.m4a", "-c:a", "aac", "-metadata", "title=Täst", "-metadata", "artist=Somebody")
    convert_file(source, tmp_path / "out.flac", IDENTITY)
    with soundfile.SoundFile(tmp_path / "out.flac") as file:
        assert (file.title, file.artist) == ("Täst", "Somebody")


@needs_ffmpeg
def test_a_video_without_sound_is_refused(tmp_path: Path) -> None:
    argv = ["ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", "color=s=64x64:r=5:d=1"]
    subprocess.run([*argv, str(tmp_path / "mute.mp4")], check=True)
    with pytest.raises(AudioFileError, match=r"mute\.mp4 holds no sound"):
        convert_file(tmp_path / "mute.mp4", tmp_path / "out.wav", IDENTITY)


@needs_ffmpeg
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list.m3u8", "#EXTM3U\n#EXTINF:2,\n{sound}\n#EXT-X-ENDLIST\n"),
        ("list.ffconcat", "ffconcat version 1.0\nfile {sound}\n"),
    ],
)
def test_a_play_list_does_not_open_other_files(tmp_path: Path, name: str, text: str) -> None:
    sound = encode(tmp_path, "in.m4a", "-c:a", "aac")
    (tmp_path / name).write_text(text.format(sound=sound.name))
    with pytest.raises(AudioFileError, match="cannot be read"):
        convert_file(tmp_path / name, tmp_path / "out.wav", IDENTITY)


@needs_ffmpeg
@pytest.mark.parametrize("name", ["-i.m4a", "http:x.m4a", "concat:a|b.m4a", "pipe:0", "spa ce;$(x).m4a", "ü\n.m4a"])
def test_a_name_is_never_an_option_a_protocol_or_a_command(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode(tmp_path, "in.m4a", "-c:a", "aac").rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert convert_file(Path(name), Path("out.wav"), IDENTITY).seconds == pytest.approx(2.0, abs=0.06)


def test_without_ffmpeg_the_sentence_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "in.m4a").write_bytes(b"\0\0\0\x18ftypM4A \0\0\0\0isommp42" + bytes(100))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AudioFileError, match=r"in\.m4a cannot be read \(.*\); the ffmpeg command, .* is not on PATH"):
        convert_file(tmp_path / "in.m4a", tmp_path / "out.wav", IDENTITY)


@needs_ffmpeg
def test_no_ffmpeg_is_left_running(tmp_path: Path) -> None:
    source = encode(tmp_path, "in.m4a", "-c:a", "aac")
    opened = ffmpeg.FfmpegSource(source, "")
    process = next(iter(ffmpeg._running))
    opened.close()
    assert process.poll() is not None
    assert not ffmpeg._running
