"""Attacks made of text: speech synthesisers that are programs of their own."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import soundfile
import soxr

from .corpus_files import CorpusError
from .liveness_material import LONGEST_S, RATE_HZ, Mono

#: From texts and a folder to the command that leaves 0.wav, 1.wav, ... there; and what it is told on its input.
Command = Callable[[Path], Sequence[str]]
_EACH_LINE = "n=0; while IFS= read -r line; do {speak}; n=$((n+1)); done"
_PIPER = (
    "import sys, wave; from piper import PiperVoice; voice = PiperVoice.load(sys.argv[1])\n"
    "for n, line in enumerate(sys.stdin):\n"
    "    with wave.open(f'{sys.argv[2]}/{n}.wav', 'wb') as file: voice.synthesize_wav(line.strip(), file)"
)
_PICO = (
    "import sys, wave; from py_nanotts import NanoTTS\n"
    "for n, line in enumerate(sys.stdin):\n"
    "    with wave.open(f'{sys.argv[2]}/{n}.wav', 'wb') as file:\n"
    "        file.setparams((1, 2, 16000, 0, 'NONE', '')); file.writeframes(NanoTTS().speak(line.strip(), sys.argv[1]))"
)


def flite(voice: str) -> Command:
    """Return how to speak with Flite: diphones (kal) or cluster units (slt, rms, awb)."""
    return lambda folder: _each_line(f'flite -voice {voice} -t "$line" -o "$1/$n.wav"', folder)


def espeak(voice: str) -> Command:
    """Return how to speak with eSpeak NG: formants."""
    return lambda folder: _each_line(f'espeak-ng -v {voice} -w "$1/$n.wav" -- "$line"', folder)


def festival(voice: str) -> Command:
    """Return how to speak with Festival: diphones (kal_diphone) or hidden Markov models (cmu_us_slt_arctic_hts)."""
    speak = f'printf "%s" "$line" | text2wave -eval "(voice_{voice})" -o "$1/$n.wav"'
    return lambda folder: _each_line(speak, folder)


def piper(python: Path, model: Path) -> Command:
    """Return how to speak with Piper, a neural synthesiser (VITS), of another Python's packages."""
    return lambda folder: [str(python), "-c", _PIPER, str(model), str(folder)]


def pico(python: Path, voice: str) -> Command:
    """Return how to speak with SVOX Pico by py-nanotts, of another Python's packages."""
    return lambda folder: [str(python), "-c", _PICO, voice, str(folder)]


def spoken(command: Command, texts: Sequence[str]) -> list[Mono]:
    """Return up to 4.5 s of each text at 16 kHz, spoken by a program; texts are single lines."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lines = "".join(f"{text}\n" for text in texts)
        made = subprocess.run(command(folder), input=lines, text=True, capture_output=True, check=False)
        files = [folder / f"{number}.wav" for number in range(len(texts))]
        if made.returncode or not all(file.is_file() for file in files):
            raise CorpusError(f"{command(folder)[0]} did not speak: {made.stderr.strip()[-200:]}")
        return [_read(file) for file in files]


def _each_line(speak: str, folder: Path) -> list[str]:
    return ["sh", "-c", _EACH_LINE.format(speak=speak), "_", str(folder)]


def _read(file: Path) -> Mono:
    audio, rate_hz = soundfile.read(file, dtype="float32", always_2d=True)
    return np.asarray(soxr.resample(audio[: int(LONGEST_S * rate_hz)].mean(axis=1), rate_hz, RATE_HZ), np.float32)
