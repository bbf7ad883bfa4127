"""One file in, one file out, through a renderer, in constant memory."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

from vcfx.errors import AudioFileError
from vcfx_dsp.node import MAX_CHANNELS, MAX_RATE_HZ, MIN_RATE_HZ

from .disclosing import disclosure_for
from .formats import FileFormat, can_write, check_channels, choose_encoding, extension_of, format_named
from .known_speaker import tell_speaker
from .renderer import RendererFactory
from .rendering import Aligned, OnProgress, rate_held, render
from .result import Result
from .source import Source, open_source
from .target import TargetFile


@dataclass(frozen=True, slots=True)
class ConvertOptions:
    """How a file is converted.

    Parameters
    ----------
    format
        A name from `formats.FORMATS`; None goes by the target's extension.
    tail
        Whether the output goes on until the effect has died away, instead of ending with the input.
    force
        Whether an existing target is replaced. The source itself never is.
    block_frames
        Frames per step, 1 to 1048576.
    preset
        Named in the result.
    credentials
        Whether what a converted voice's file says of itself is signed into it, as content credentials.
    """

    format: str | None = None
    tail: bool = False
    force: bool = False
    block_frames: int = 4096
    preset: str = ""
    credentials: bool = False


def convert_file(
    source: Path,
    target: Path,
    make_renderer: RendererFactory,
    options: ConvertOptions | None = None,
    on_progress: OnProgress | None = None,
    part: Path | None = None,
) -> Result:
    """Render one sound file into another; the output lines up with the input to the sample.

    Parameters
    ----------
    source, target
        Files. The target appears only when it is complete.
    make_renderer
        Gives a renderer for the source's rate and channels.
    options
        See `ConvertOptions`.
    on_progress
        Called after every block.
    part
        Temporary name to use, in the target's folder.

    Raises
    ------
    VcfxError
        One sentence on what is wrong with the source, the target or the preset.
    """
    options = options or ConvertOptions()
    started = time.perf_counter()
    check_target(source, target, options.force)
    wanted = target_format(target, options.format, extension_of(source))
    audio = open_source(source)
    try:
        _check_source(source, audio)
        check_channels(wanted, audio.channels)
        result = _convert_opened(
            source, audio, wanted, target, make_renderer, options, on_progress or _ignore_progress, part
        )
    finally:
        audio.close()
    if not result.seconds:
        raise AudioFileError(f"{source} holds no sound (0 frames)")
    taken_s = time.perf_counter() - started - result.prepare_seconds
    speed = result.seconds / max(taken_s, 1e-9)
    return replace(result, input=str(source), preset=options.preset, times_real_time=speed)


def _convert_opened(
    source: Path,
    audio: Source,
    wanted: FileFormat,
    target: Path,
    make_renderer: RendererFactory,
    options: ConvertOptions,
    on_progress: OnProgress,
    part: Path | None,
) -> Result:
    """Render an opened source; a source without a single frame gives no target and a result of 0 seconds."""
    rate, rate_out, channels = audio.sample_rate, rate_held(wanted, audio.sample_rate), audio.channels
    encoding = choose_encoding(wanted, audio.encoding, audio.frames, channels)
    started = time.perf_counter()
    renderer = make_renderer(rate, channels, options.block_frames)
    tell_speaker(source, renderer)
    prepare_s = time.perf_counter() - started
    said = disclosure_for(renderer, source, audio)
    with TargetFile(target, encoding, rate_out, channels, audio.tags, part, said, options.credentials) as sink:
        aligned = Aligned(sink, renderer.latency_samples, rate, rate_out, channels, options.block_frames)
        frames, non_finite = render(audio, renderer, aligned, options.block_frames, options.tail, on_progress)
        if frames:
            sink.commit()
    unsigned = "no voice was converted, so there is nothing to sign" if options.credentials and said is None else ""
    resampled = "" if rate == rate_out else f"{wanted.name} cannot hold {rate} Hz: resampled to {rate_out} Hz"
    return Result(
        input="",
        output=str(target),
        seconds=frames / rate,
        sample_rate=rate_out,
        channels=channels,
        prepare_seconds=prepare_s,
        latency_removed_samples=renderer.latency_samples,
        clipped_samples=sink.clipped_samples,
        non_finite_samples=non_finite + sink.non_finite_samples,
        note="; ".join(filter(None, (_shortfall(audio, frames), resampled, unsigned))),
    )


def check_target(source: Path, target: Path, force: bool) -> None:
    """Refuse to overwrite the source, what is no file, and anything else unless `force`."""
    try:
        if not target.exists():
            return
        same = source.exists() and target.samefile(source)
    except OSError as error:
        raise AudioFileError(f"{target} cannot be written: {error.strerror or error}") from error
    if same:
        raise AudioFileError(f"{target} is the input itself; give another output")
    if target.is_dir():
        raise AudioFileError(f"{target} is a folder; give a file name")
    if not target.is_file():  # renaming onto /dev/null would replace the device
        raise AudioFileError(f"{target} is no ordinary file; give a file name, or '-o -' for standard output")
    if not force:
        raise AudioFileError(f"{target} exists; give --force to replace it")


def target_format(target: Path, name: str | None, source_extension: str) -> FileFormat:
    """Return the format by name, else by the target's extension, else the source's, else WAV."""
    if name:
        return format_named(name)
    if extension_of(target):
        return format_named(extension_of(target))
    return format_named(source_extension if can_write(source_extension) else "wav")


def _check_source(source: Path, audio: Source) -> None:
    if not MIN_RATE_HZ <= audio.sample_rate <= MAX_RATE_HZ:
        raise AudioFileError(f"{source} has {audio.sample_rate} Hz; allowed: {MIN_RATE_HZ} to {MAX_RATE_HZ}")
    if not 1 <= audio.channels <= MAX_CHANNELS:
        raise AudioFileError(f"{source} has {audio.channels} channels; allowed: 1 to {MAX_CHANNELS}")


def _shortfall(audio: Source, frames: int) -> str:
    estimated = audio.encoding.container == "FFMPEG"
    if audio.frames is None or estimated or frames >= audio.frames:
        return ""
    promised = audio.frames / audio.sample_rate
    return f"the sound ends after {frames / audio.sample_rate:.3f} s though the header promises {promised:.3f} s"


def _ignore_progress(seconds_done: float, seconds_in_all: float | None) -> None:
    pass
