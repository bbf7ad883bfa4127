"""A library of voices in a folder of its own, and the command line before it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from vcfx.__main__ import main
from vcfx_models import voice_library
from vcfx_models.papers import audit
from vcfx_models.papers.issuing import issue
from vcfx_models.voice_on_disk import save_bundle
from voice_models import consent_for_tests, random_voice

MALE = Path(__file__).parent / "data" / "male.flac"
AGREED = ["--speaker", "Anna Muster", "--uses", "live,files", "--until", "30d", "--agreed"]


class Shelf:
    """The user's data folder and what the commands answer.

    Parameters
    ----------
    folder
        Empty, and the working directory.
    model
        With a tiny speaker network.
    """

    def __init__(
        self, folder: Path, model: Path, monkeypatch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]
    ) -> None:
        self.folder, self.voices, self.capture = folder, folder / "data" / "voices", capture
        self.model = ["--model", str(model)]
        self._monkeypatch = monkeypatch
        self.move("data")
        monkeypatch.chdir(folder)
        monkeypatch.setattr(voice_library, "VOICES_FOLDER", folder / "none")
        sound, self.rate_hz = soundfile.read(MALE, dtype="float32")
        self.sound = np.tile(sound, 4)
        soundfile.write(folder / "clip.wav", self.sound, self.rate_hz)

    def move(self, data: str) -> None:
        """Become another installation."""
        self._monkeypatch.setenv("VCFX_DATA_DIR", str(self.folder / data))
        self.voices = self.folder / data / "voices"

    def run(self, *arguments: str) -> str:
        """Run a `vcfx voices` command that succeeds; returns what it prints."""
        assert main(["voices", *arguments]) == 0, self.capture.readouterr().err
        return self.capture.readouterr().out

    def json(self, *arguments: str) -> Any:
        """Run a command and return its JSON."""
        return json.loads(self.run(*arguments, "--json"))

    def refused(self, *arguments: str) -> str:
        """Run a command that is refused; returns its one sentence."""
        self.capture.readouterr()
        assert main(["voices", *arguments]) == 2
        error = self.capture.readouterr().err.splitlines()
        assert error[-1].startswith("vcfx: ")
        return error[-1]

    def enroll(self, name: str, *options: str) -> Any:
        """Enrol the clip under a name."""
        return self.json("enroll", name, "clip.wav", *(options or AGREED), *self.model)

    def put(self, name: str, **consent: object) -> str:
        """Put a voice with changed papers into the library; returns the consent's number."""
        given = consent_for_tests(**consent)
        save_bundle(issue(random_voice(name), given), self.voices / f"{name}.vcfxvoice")
        return given.consent_id

    def names(self) -> list[str]:
        """What lies in the library."""
        return sorted(path.name for path in self.voices.iterdir()) if self.voices.is_dir() else []

    def events(self) -> list[tuple[str, dict[str, Any]]]:
        """What the log holds, after its chain was found good."""
        audit.check_chain()
        return [(entry.event, dict(entry.detail)) for entry in audit.entries()]

    def last(self) -> tuple[str, dict[str, Any]]:
        """The newest entry of the log."""
        return self.events()[-1]


def shelf_fixture(
    tmp_path: Path, voice_model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Shelf:
    """Return an empty library; for a fixture of that name."""
    return Shelf(tmp_path, voice_model, monkeypatch, capsys)
