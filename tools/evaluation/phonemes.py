"""Speech to phonemes by hama, a recogniser of another family than Whisper. Its weights come inside the package."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Final

from .packages import package
from .sound import Sound

RATE_HZ: Final = 16_000


class PhonemeRecogniser:
    """hama's small network with best-path decoding: no language model mends what was not heard."""

    meter: Final = "hama-1.7.0-1"

    @cached_property
    def _model(self) -> Any:
        return package("hama.asr").ASRModel()

    def phonemes(self, sound: Sound) -> list[str]:
        """Return what is heard."""
        return [str(phoneme) for phoneme in self._model(sound.at(RATE_HZ).audio, RATE_HZ).phonemes]
