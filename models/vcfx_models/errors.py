"""The errors of the models' part; all derive from `VcfxError`."""

from __future__ import annotations

from vcfx_dsp.errors import VcfxError


class ModelError(VcfxError, OSError):
    """The files of a network are missing, damaged or do not fit this program."""


class VoiceError(VcfxError, ValueError):
    """A voice is missing, its file is damaged, or recordings cannot be made into one."""


__all__ = ["ModelError", "VcfxError", "VoiceError"]
