"""The application's errors; all derive from `VcfxError`."""

from __future__ import annotations

from vcfx_dsp.errors import GraphError, ParameterError, VcfxError, nearest


class PresetError(VcfxError, ValueError):
    """A preset file is missing, damaged or holds something that is not allowed."""


class DeviceError(VcfxError, OSError):
    """An audio device is missing, busy or refuses the format."""


class ControlError(VcfxError, ValueError):
    """A message to a running voice is malformed, or asks for what is not there."""


class PluginError(VcfxError, RuntimeError):
    """A plugin is missing, was put aside, or failed while sound ran through it."""


class AudioFileError(VcfxError, OSError):
    """A sound file cannot be read or written."""


def printable(text: str) -> str:
    """Return a sentence as a terminal may have it: file names can hold line breaks and control sequences."""
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)


__all__ = [
    "AudioFileError",
    "ControlError",
    "DeviceError",
    "GraphError",
    "ParameterError",
    "PluginError",
    "PresetError",
    "VcfxError",
    "nearest",
    "printable",
]
