"""Every format, encoding, rate and channel count, through a renderer that changes nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from file_renderers import IDENTITY
from vcfx.errors import AudioFileError
from vcfx.files import ConvertOptions, convert_file, formats
from vcfx.files.formats import FORMATS, Encoding, choose_encoding

RATES = (8000, 11025, 12345, 44100, 48000, 96000, 192000)
LINEAR = ("PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW")
LOSSLESS = [
    *(("WAV", "wav", subtype) for subtype in ("PCM_U8", *LINEAR)),
    *(("WAVEX", "wav", subtype) for subtype in ("PCM_16", "FLOAT")),
    *(("RF64", "wav", subtype) for subtype in ("PCM_U8", *LINEAR)),
    *(("FLAC", "flac", subtype) for subtype in ("PCM_S8", "PCM_16", "PCM_24")),
    *(("AIFF", "aiff", subtype) for subtype in ("PCM_S8", "PCM_U8", *LINEAR)),
]
LOSSY = [("MP3", "mp3", "MPEG_LAYER_III"), ("OGG", "ogg", "VORBIS"), ("OGG", "opus", "OPUS")]
FRAMES = 9001


def voice_like(rng: np.random.Generator, frames: int, channels: int) -> npt.NDArray[np.float64]:
    """Noise that is strongest below a fortieth of the rate, a different one per channel, peaks at 0.7."""
    noise = rng.standard_normal((frames + 40, channels))
    smooth = np.zeros((frames, channels))
    for at in range(40):
        smooth += noise[at : at + frames]
    smooth *= 0.7 / float(np.abs(smooth).max())
    return smooth


def every_integer(rng: np.random.Generator, subtype: str, frames: int, channels: int) -> npt.NDArray[np.int32]:
    """Integers over the whole range of the subtype, its ends included, left-justified; 24 bits of 32."""
    bits = {"PCM_U8": 8, "PCM_S8": 8, "PCM_16": 16}.get(subtype, 24)
    values = rng.integers(-(1 << (bits - 1)), 1 << (bits - 1), (frames, channels))
    values[0], values[1] = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    return (values << (32 - bits)).astype(np.int32)


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize(("container", "extension", "subtype"), LOSSLESS)
def test_lossless_formats_give_the_same_bits(
    tmp_path: Path, rng: np.random.Generator, container: str, extension: str, subtype: str, channels: int
) -> None:
    rate = RATES[(len(subtype) + channels) % len(RATES)]
    source, target = tmp_path / f"in.{extension}", tmp_path / f"out.{extension}"
    if subtype.startswith("PCM"):
        sound: npt.NDArray[np.generic] = every_integer(rng, subtype, FRAMES, channels)
    else:
        sound = rng.uniform(-1, 1, (FRAMES, channels)).astype(np.float32)
    soundfile.write(source, sound, rate, format=container, subtype=subtype)
    result = convert_file(source, target, IDENTITY)
    before, after = soundfile.info(source), soundfile.info(target)
    assert (after.samplerate, after.channels, after.frames) == (rate, channels, before.frames)
    assert (after.format, after.subtype) == (before.format, before.subtype)
    assert (result.sample_rate, result.channels, result.seconds) == (rate, channels, before.frames / rate)
    kind = "float64" if subtype in ("FLOAT", "DOUBLE", "ULAW", "ALAW") else "int32"
    np.testing.assert_array_equal(soundfile.read(target, dtype=kind)[0], soundfile.read(source, dtype=kind)[0])
    assert result.clipped_samples == 0


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("extension", ["wav", "flac", "aiff"])
def test_lossless_formats_hold_every_rate(tmp_path: Path, rng: np.random.Generator, extension: str, rate: int) -> None:
    source, target = tmp_path / f"in.{extension}", tmp_path / f"out.{extension}"
    soundfile.write(source, every_integer(rng, "PCM_16", FRAMES, 2), rate, subtype="PCM_16")
    convert_file(source, target, IDENTITY)
    assert soundfile.info(target).samplerate == rate
    np.testing.assert_array_equal(soundfile.read(target)[0], soundfile.read(source)[0])


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [8000, 24000, 48000])
@pytest.mark.parametrize(("container", "extension", "subtype"), LOSSY)
def test_lossy_formats_keep_length_and_place(
    tmp_path: Path,
    rng: np.random.Generator,
    container: str,
    extension: str,
    subtype: str,
    rate: int,
    channels: int,
) -> None:
    source, target = tmp_path / f"in.{extension}", tmp_path / f"out.{extension}"
    soundfile.write(source, voice_like(rng, rate, channels), rate, format=container, subtype=subtype)
    convert_file(source, target, IDENTITY)
    after = soundfile.info(target)
    assert (after.format, after.subtype, after.samplerate, after.channels) == (container, subtype, rate, channels)
    before, sound = soundfile.read(source, always_2d=True)[0], soundfile.read(target, always_2d=True)[0]
    assert sound.shape == before.shape
    for one, other in zip(before.T, sound.T, strict=True):
        aligned = np.corrcoef(one, other)[0, 1]
        assert aligned > 0.9
        assert aligned > np.corrcoef(one[8:], other[:-8])[0, 1]
        assert aligned > np.corrcoef(one[:-8], other[8:])[0, 1]


@pytest.mark.parametrize(
    ("name", "rate", "held"), [("opus", 44100, 48000), ("opus", 22050, 24000), ("mp3", 96000, 48000)]
)
def test_a_rate_that_the_format_lacks_is_resampled(
    tmp_path: Path, rng: np.random.Generator, name: str, rate: int, held: int
) -> None:
    source, target = tmp_path / "in.wav", tmp_path / f"out.{name}"
    time_s = np.arange(rate) / rate
    sweep = 0.5 * np.sin(2 * np.pi * (200 + 300 * time_s) * time_s)
    soundfile.write(source, sweep, rate)
    result = convert_file(source, target, IDENTITY)
    sound, after = soundfile.read(target)
    assert result.sample_rate == after == held
    assert "resampled" in result.note
    assert len(sound) == held
    expected_s = np.arange(held) / held
    expected = 0.5 * np.sin(2 * np.pi * (200 + 300 * expected_s) * expected_s)
    assert np.corrcoef(sound, expected)[0, 1] > 0.98


def test_resampling_lines_up_to_a_fraction_of_a_sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same path into WAV, where no codec blurs the answer."""
    source, target = tmp_path / "in.wav", tmp_path / "out.wav"
    sound = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(44100) / 44100)
    soundfile.write(source, sound, 44100, subtype="FLOAT")
    only_48k = formats.FileFormat("wav", "wav", "WAV", ("FLOAT",), (48000,))
    monkeypatch.setitem(FORMATS, "wav", only_48k)
    convert_file(source, target, IDENTITY, ConvertOptions(block_frames=1001))
    got = soundfile.read(target)[0]
    assert len(got) == 48000
    expected = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(48000) / 48000)
    np.testing.assert_allclose(got[500:-500], expected[500:-500], atol=2e-5)


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ("PCM_24", "flac", "PCM_24"),
        ("FLOAT", "flac", "PCM_24"),
        ("DOUBLE", "aiff", "DOUBLE"),
        ("PCM_32", "flac", "PCM_24"),
        ("PCM_U8", "flac", "PCM_S8"),
        ("PCM_S8", "wav", "PCM_U8"),
        ("VORBIS", "wav", "PCM_16"),
        ("MS_ADPCM", "wav", "PCM_16"),
        ("ULAW", "wav", "ULAW"),
        ("PCM_24", "opus", "OPUS"),
        ("FLOAT", "mp3", "MPEG_LAYER_III"),
    ],
)
def test_depth_is_kept_or_the_nearest_is_taken(source: str, target: str, expected: str) -> None:
    assert choose_encoding(FORMATS[target], Encoding("WAV", source), 100, 1).subtype == expected


def test_a_wav_beyond_4_gib_becomes_rf64_and_an_aiff_is_refused(
    tmp_path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = 3 << 29
    assert choose_encoding(FORMATS["wav"], Encoding("WAV", "PCM_16"), frames, 2).container == "RF64"
    with pytest.raises(AudioFileError, match="4 GiB"):
        choose_encoding(FORMATS["aiff"], Encoding("AIFF", "PCM_16"), frames, 2)
    source, target = tmp_path / "in.flac", tmp_path / "out.wav"
    soundfile.write(source, every_integer(rng, "PCM_16", FRAMES, 1), 48000, subtype="PCM_16")
    monkeypatch.setattr("vcfx.files.formats.MAX_RIFF_BYTES", 10_000)
    convert_file(source, target, IDENTITY)
    assert soundfile.info(target).format == "RF64"
    np.testing.assert_array_equal(soundfile.read(target)[0], soundfile.read(source)[0])


@pytest.mark.parametrize("extension", ["wav", "flac", "mp3", "ogg", "opus", "aiff"])
def test_tags_are_carried_over_and_the_program_named(tmp_path: Path, extension: str) -> None:
    source, target = tmp_path / "in.flac", tmp_path / f"out.{extension}"
    with soundfile.SoundFile(source, "w", 48000, 1, format="FLAC") as file:
        file.title, file.artist, file.comment = "Täst ✓", "Somebody", "said once"
        file.write(np.zeros(4800))
    convert_file(source, target, IDENTITY)
    with soundfile.SoundFile(target) as file:
        tags = file.copy_metadata()
    assert (tags["title"], tags["artist"], tags["comment"]) == ("Täst ✓", "Somebody", "said once")
    if extension != "mp3":  # libsndfile's MP3 has no such field
        assert tags["software"].startswith("vcfx ")


def test_what_is_above_full_scale_is_counted_and_held_not_wrapped(tmp_path: Path) -> None:
    source = tmp_path / "in.wav"
    sound = np.array([0.0, 1.0, -1.0, 1.5, -2.0, 40.0, 0.5], np.float32)
    soundfile.write(source, sound, 48000, subtype="FLOAT")
    as_integer = convert_file(source, tmp_path / "out.flac", IDENTITY)
    assert as_integer.clipped_samples == 3
    held = soundfile.read(tmp_path / "out.flac")[0]
    np.testing.assert_allclose(held, np.clip(sound, -1, 1), atol=2**-22)
    as_float = convert_file(source, tmp_path / "out.wav", IDENTITY)
    assert as_float.clipped_samples == 0
    np.testing.assert_array_equal(soundfile.read(tmp_path / "out.wav", dtype="float32")[0], sound)


def test_what_is_not_a_number_becomes_silence_and_is_counted(tmp_path: Path) -> None:
    source = tmp_path / "in.wav"
    soundfile.write(source, np.array([0.25, np.nan, np.inf, -np.inf, 0.5], np.float32), 48000, subtype="FLOAT")
    result = convert_file(source, tmp_path / "out.wav", IDENTITY)
    assert result.non_finite_samples == 3
    np.testing.assert_array_equal(soundfile.read(tmp_path / "out.wav")[0], [0.25, 0, 0, 0, 0.5])


@pytest.mark.parametrize("name", ["mp3", "ogg", "opus"])
def test_huge_samples_do_not_upset_an_encoder(tmp_path: Path, rng: np.random.Generator, name: str) -> None:
    """LAME ends the process when it meets them."""
    source = tmp_path / "in.wav"
    sound = (10.0 ** rng.uniform(-3, 38, 20_000)).astype(np.float32)
    soundfile.write(source, sound, 48000, subtype="FLOAT")
    result = convert_file(source, tmp_path / f"out.{name}", IDENTITY)
    assert result.clipped_samples == np.count_nonzero(sound > 1)
    assert np.abs(soundfile.read(tmp_path / f"out.{name}")[0]).max() < 4


@pytest.mark.parametrize(("name", "channels"), [("mp3", 3), ("flac", 9)])
def test_channels_that_a_format_lacks_are_refused(tmp_path: Path, name: str, channels: int) -> None:
    source = tmp_path / "in.wav"
    soundfile.write(source, np.zeros((100, channels)), 48000)
    with pytest.raises(AudioFileError, match=f"{name} cannot hold {channels} channels"):
        convert_file(source, tmp_path / f"out.{name}", IDENTITY)
    assert [path.name for path in tmp_path.iterdir()] == ["in.wav"]
