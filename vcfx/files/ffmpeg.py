"""Reading what libsndfile does not, through the `ffmpeg` command in a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from vcfx.errors import AudioFileError

from .formats import Encoding

#: Containers of recorded sound. Play lists and network descriptions are left out on purpose: they name other files.
DEMUXERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,asf,avi,flv,mpegts,mpeg,aac,ac3,eac3,dts,truehd,amr,ape,wv,tta,tak,mpc,mpc8,"
    "mp3,ogg,wav,w64,flac,aiff,au,caf,voc,dsf,rm,nut,oma,loas"
)
_SAFE = ["-protocol_whitelist", "file,pipe", "-format_whitelist", DEMUXERS]
_PROBE_LIMIT_S = 30.0
_AU_HEADER = struct.Struct(">4sIIIII")
_TAGS = {name: name for name in ("title", "artist", "album", "comment", "copyright", "date", "genre")}
_TAGS["track"] = "tracknumber"

_running: set[subprocess.Popen[bytes]] = set()


def kill_running() -> None:
    """Kill every ffmpeg that this process started; for a process that is about to end."""
    for process in list(_running):
        with contextlib.suppress(OSError):
            process.kill()


class FfmpegSource:
    """The first sound stream of a file, decoded by ffmpeg.

    ffmpeg writes an AU stream: its header states the rate and the channels that are really decoded.

    Parameters
    ----------
    path
        The file.
    refusal
        Why libsndfile would not read it; named when ffmpeg will not either.
    """

    def __init__(self, path: Path, refusal: str) -> None:
        command = shutil.which("ffmpeg")
        if command is None:
            raise AudioFileError(
                f"{path} cannot be read ({refusal}); the ffmpeg command, which reads many more formats, is not on PATH"
            )
        self._path, self._refusal = path, refusal
        self._name = "file:" + os.path.abspath(path)  # never taken for an option or another protocol
        # stderr goes to a file: a pipe nobody reads would fill up and stop ffmpeg
        self._messages: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  closed by close()
        argv = [command, "-nostdin", "-v", "error", *_SAFE, "-i", self._name, "-map", "0:a:0", "-vn", "-sn", "-dn"]
        argv += ["-f", "au", "-c:a", "pcm_f32be", "pipe:1"]
        try:
            self._process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._messages
            )
        except BaseException:
            self._messages.close()
            raise
        _running.add(self._process)
        try:
            self.sample_rate, self.channels = self._read_header()
            found = _probe(self._name)  # only now: it is lost time for a file that ffmpeg refuses
        except BaseException:
            self.close()
            raise
        self.tags = _tags(found)
        self.frames = _frames(found, self.sample_rate)
        self.encoding = Encoding("FFMPEG", "PCM_24" if _bits(found) > 16 else "PCM_16")
        self._any = False

    def _read_header(self) -> tuple[int, int]:
        header = self._take(_AU_HEADER.size)
        if len(header) < _AU_HEADER.size:
            raise self._refused()
        magic, offset, _, _, sample_rate, channels = _AU_HEADER.unpack(header)
        if magic != b".snd" or offset < _AU_HEADER.size or not channels or not sample_rate:
            raise self._refused()
        self._take(offset - _AU_HEADER.size)
        return sample_rate, channels

    def read(self, frames: int) -> npt.NDArray[np.float32]:
        """Return the next frames."""
        data = self._take(frames * self.channels * 4)
        whole = len(data) // (4 * self.channels)
        if not whole:
            if not self._any and self._process.wait() != 0:
                raise self._refused()
            return np.empty((0, self.channels), np.float32)
        self._any = True
        samples = np.frombuffer(data, ">f4", whole * self.channels)
        return samples.astype(np.float32).reshape(whole, self.channels)

    def close(self) -> None:
        """Stop ffmpeg."""
        if self._process.poll() is None:
            self._process.kill()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process.wait()
        _running.discard(self._process)
        self._messages.close()

    def _take(self, size: int) -> bytes:
        assert self._process.stdout is not None
        return self._process.stdout.read(size)

    def _refused(self) -> AudioFileError:
        self._process.wait()
        self._messages.seek(0)
        text = self._messages.read(4000).decode("utf-8", "replace")
        if "matches no streams" in text or "does not contain any stream" in text:
            return AudioFileError(f"{self._path} holds no sound")
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        reason = lines[-1].removeprefix(self._name).lstrip(": ") if lines else "no sound came out"
        return AudioFileError(f"{self._path} cannot be read: {self._refusal}; ffmpeg: {reason}")


def _probe(name: str) -> dict[str, Any]:
    """Ask ffprobe for length and tags; they are wanted, not needed, so every failure is an empty answer."""
    command = shutil.which("ffprobe")
    if command is None:
        return {}
    entries = "format=duration:format_tags:stream=bits_per_raw_sample,bits_per_sample:stream_tags"
    argv = [command, "-v", "quiet", *_SAFE, "-select_streams", "a:0", "-show_entries", entries, "-of", "json", name]
    try:
        answer = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=_PROBE_LIMIT_S, check=True)
        found = json.loads(answer.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return {}
    return found if isinstance(found, dict) else {}


def _first_stream(found: dict[str, Any]) -> dict[str, Any]:
    streams = found.get("streams") or [{}]
    return dict(streams[0])


def _tags(found: dict[str, Any]) -> dict[str, str]:
    tags: dict[str, str] = {}
    for holder in (_first_stream(found), found.get("format", {})):
        for name, text in holder.get("tags", {}).items():
            if name.lower() in _TAGS and text:
                tags[_TAGS[name.lower()]] = str(text)
    return tags


def _frames(found: dict[str, Any], sample_rate: int) -> int | None:
    try:
        frames = round(float(found["format"]["duration"]) * sample_rate)
    except (KeyError, ValueError, OverflowError):
        return None
    return frames if frames > 0 else None


def _bits(found: dict[str, Any]) -> int:
    stream = _first_stream(found)
    try:
        return max(int(stream.get("bits_per_raw_sample") or 0), int(stream.get("bits_per_sample") or 0))
    except ValueError:
        return 0
