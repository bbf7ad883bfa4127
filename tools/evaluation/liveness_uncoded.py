"""What the detector says of live speech that never was Ogg Opus: recordings in a folder for each person."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import soundfile

from vcfx_models.errors import VoiceError
from vcfx_models.liveness.live_detector import LiveDetector
from vcfx_models.liveness.recording import mono_at
from vcfx_models.liveness.speech_spectrum import RATE_HZ
from vcfx_models.reference import Clip as Reference


def uncoded_results(folder: Path) -> list[dict[str, Any]]:
    """Return a row for each WAV file of each person's folder: person, file, score; too short ones are left out."""
    detector = LiveDetector()
    rows = []
    for file in sorted(folder.glob("*/*.wav")):
        audio, rate_hz = soundfile.read(file, dtype="float32", always_2d=True)
        try:
            score = detector.score(mono_at(Reference(audio.T, rate_hz), RATE_HZ, file.name))
        except VoiceError:
            continue
        rows.append({"person": file.parent.name, "file": file.name, "score": score})
    return rows
