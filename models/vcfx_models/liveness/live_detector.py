"""Whether speech came from a person at the microphone, or from a loudspeaker, a speech synthesiser, a converter."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from vcfx_models.runtime.one_thread import failures_named, open_session

from ..errors import ModelError, VoiceError
from ..network_files import network_path
from ..speech_level import Mono
from .answer_coding import answer_coded
from .speech_spectrum import HOP_SAMPLES, N_BANDS, RATE_HZ, Frames, speech_spectrum

FILE_NAME: Final = "liveness.onnx"
FORMAT: Final = "vcfx-liveness"
FORMAT_VERSION: Final = "2"
LEAST_SPEECH_S: Final = 1.0
#: More speech than this is not listened to.
MOST_SPEECH_S: Final = 20.0


class LiveDetector:
    """A small network on ONNX Runtime, on one thread, that judges the spectrum of speech.

    Parameters
    ----------
    folder
        Holds ``liveness.onnx``: input ``spectrum`` (1, frames, 350), output ``score`` (1,), and in its metadata
        ``least_score``; None: the weights that come with the program.

    Raises
    ------
    ModelError
        If the file is missing, damaged or of another shape.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.path = network_path(folder, FILE_NAME, "network", "telling live voices from made ones")
        with failures_named(self.path, "detector of live voices"):
            self._session = open_session(self.path.read_bytes())
            metadata = self._session.get_modelmeta().custom_metadata_map
            if (metadata["format"], metadata["format_version"]) != (FORMAT, FORMAT_VERSION):
                raise ValueError("another format")
            self.least_score = float(metadata["least_score"])
            self.judge(np.zeros((100, N_BANDS), np.float32))

    def score(self, mono: Mono) -> float:
        """Return the logarithm of the odds, as far as the network can tell, that speech at 16 kHz is live.

        All that was learned from had been coded at least twice, so a sound is first coded twice here.

        Raises
        ------
        VoiceError
            If there is less than 1 s of speech.
        """
        return self.score_coded(answer_coded(answer_coded(mono)))

    def score_coded(self, mono: Mono) -> float:
        """Return the same of a sound that was coded as `answer_coded` does already."""
        spectrum = speech_spectrum(mono)
        seconds = spectrum.shape[0] * HOP_SAMPLES / RATE_HZ
        if seconds < LEAST_SPEECH_S:
            raise VoiceError(f"the answer holds {seconds:.1f} s of speech; needed: {LEAST_SPEECH_S:g} s")
        return self.judge(spectrum[: int(MOST_SPEECH_S * RATE_HZ / HOP_SAMPLES)])

    def judge(self, spectrum: Frames) -> float:
        """Return the score of a spectrum, (frames, 350), from `speech_spectrum`."""
        found = self._session.run(["score"], {"spectrum": np.ascontiguousarray(spectrum)[None]})[0]
        if found.shape != (1,) or not np.isfinite(found).all():
            raise ModelError(f"{self.path} gives {found.shape} or no numbers; needed: (1,)")
        return float(found[0])
