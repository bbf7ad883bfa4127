"""Which sound files can be written, and how a source's encoding maps onto them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath

from vcfx.errors import AudioFileError, nearest

#: Sizes in RIFF and AIFF headers are 32 bit; leave room for the chunks beside the sound.
MAX_RIFF_BYTES = (1 << 32) - (1 << 20)

_LINEAR = ("PCM_U8", "PCM_S8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW")
_MPEG_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_OPUS_RATES = (8000, 12000, 16000, 24000, 48000)
_BYTES = {"PCM_U8": 1, "PCM_S8": 1, "PCM_16": 2, "PCM_24": 3, "PCM_32": 4, "FLOAT": 4, "DOUBLE": 8, "ULAW": 1}

#: What to try, in order, to lose nothing of a source's encoding. Others, lossy ones too, become the format's default.
_KEEPS = {
    "PCM_U8": ("PCM_U8", "PCM_S8"),
    "PCM_S8": ("PCM_S8", "PCM_U8"),
    "PCM_24": ("PCM_24",),
    "PCM_32": ("PCM_32", "PCM_24"),
    "FLOAT": ("FLOAT", "PCM_24"),
    "DOUBLE": ("DOUBLE", "PCM_24"),
    "ULAW": ("ULAW",),
    "ALAW": ("ALAW",),
    "ALAC_20": ("PCM_24",),
    "ALAC_24": ("PCM_24",),
    "ALAC_32": ("PCM_32", "PCM_24"),
}


@dataclass(frozen=True, slots=True)
class FileFormat:
    """A kind of sound file that can be written.

    Parameters
    ----------
    name
        What a person calls it, and what `--format` takes.
    extension
        Of new files, without the dot.
    container, subtypes
        libsndfile's words; the first subtype is the default.
    sample_rates
        Hz; empty if any will do.
    max_channels
        The most that the format holds.
    holds_4_gib
        Whether a file may pass 4 GiB.
    """

    name: str
    extension: str
    container: str
    subtypes: tuple[str, ...]
    sample_rates: tuple[int, ...] = ()
    max_channels: int = 32
    holds_4_gib: bool = True


_WAV_SUBTYPES = ("PCM_16", *(name for name in _LINEAR if name not in ("PCM_16", "PCM_S8")))
FORMATS = {
    one.name: one
    for one in (
        FileFormat("wav", "wav", "WAV", _WAV_SUBTYPES, holds_4_gib=False),
        FileFormat("rf64", "wav", "RF64", _WAV_SUBTYPES),
        FileFormat("flac", "flac", "FLAC", ("PCM_16", "PCM_S8", "PCM_24"), max_channels=8),
        FileFormat("mp3", "mp3", "MP3", ("MPEG_LAYER_III",), _MPEG_RATES, max_channels=2),
        FileFormat("ogg", "ogg", "OGG", ("VORBIS",)),
        FileFormat("opus", "opus", "OGG", ("OPUS",), _OPUS_RATES),
        FileFormat("aiff", "aiff", "AIFF", ("PCM_16", *_LINEAR), holds_4_gib=False),
    )
}
_BY_EXTENSION = {"wave": "wav", "oga": "ogg", "aif": "aiff", "aifc": "aiff"} | {name: name for name in FORMATS}

_READ_ONLY = """
w64 au snd caf voc mp2 m4a m4b aac mp4 m4v mov mkv mka webm wma wmv asf avi flv 3gp 3g2 amr ape wv tta mpc ac3 eac3 dts
ts mpg mpeg
"""
#: Names that a folder is searched for: what libsndfile or ffmpeg can usually read.
AUDIO_EXTENSIONS = frozenset(_BY_EXTENSION) | frozenset(_READ_ONLY.split())


@dataclass(frozen=True, slots=True)
class Encoding:
    """How samples are stored: libsndfile's container and subtype."""

    container: str
    subtype: str


def extension_of(path: PurePath) -> str:
    """Return the extension in lower case, without its dot."""
    return path.suffix[1:].lower()


def format_named(name: str) -> FileFormat:
    """Return the format of that name or extension."""
    key = _BY_EXTENSION.get(name.lower())
    if key is None:
        raise AudioFileError(f"'{name}' is not a format that can be written{nearest(name.lower(), FORMATS)}")
    return FORMATS[key]


def can_write(extension: str) -> bool:
    """Say whether files with this extension can be written."""
    return extension in _BY_EXTENSION


def check_channels(target: FileFormat, channels: int) -> None:
    """Refuse more channels than the format has."""
    if channels > target.max_channels:
        raise AudioFileError(f"{target.name} cannot hold {channels} channels; allowed: 1 to {target.max_channels}")


def choose_encoding(target: FileFormat, source: Encoding, frames: int | None, channels: int) -> Encoding:
    """Keep the source's encoding where the target has it, else take the nearest that loses nothing, else the default.

    Parameters
    ----------
    target
        What is to be written.
    source
        How the input is stored.
    frames, channels
        The length, if known: WAV beyond 4 GiB becomes RF64.
    """
    subtype = next((name for name in _KEEPS.get(source.subtype, ()) if name in target.subtypes), target.subtypes[0])
    container = target.container
    if container == "WAV" and source.container in ("WAVEX", "RF64"):
        container = source.container
    if not target.holds_4_gib and container != "RF64" and stored_bytes(subtype, frames or 0, channels) > MAX_RIFF_BYTES:
        if container == "AIFF":
            raise AudioFileError(f"aiff cannot hold {frames} frames of {channels} channels: more than 4 GiB; use wav")
        container = "RF64"
    return Encoding(container, subtype)


def stored_bytes(subtype: str, frames: int, channels: int) -> int:
    """Return the size of uncompressed sound; other subtypes count one byte a sample."""
    return frames * channels * _BYTES.get(subtype, 1)
