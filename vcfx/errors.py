"""The application's errors; all derive from `VcfxError`."""

from __future__ import annotations

from vcfx_dsp.errors import GraphError, ParameterError, VcfxError, nearest


class PresetError(VcfxError, ValueError):
    """A preset file is missing, damaged or holds something that is not allowed."""


class DeviceError(VcfxError, OSError):
    """An audio device is missing, busy or refuses the format."""


class AudioFileError(VcfxError, OSError):
    """A sound file cannot be read or written."""


__all__ = ["AudioFileError", "DeviceError", "GraphError", "ParameterError", "PresetError", "VcfxError", "nearest"]
