"""The errors of models; they derive from the `VcfxError` of the layer below."""

from __future__ import annotations

from vcfx_dsp.errors import VcfxError


class ModelError(VcfxError, ValueError):
    """A model's file is missing, damaged or of another format, or a runtime for it is not there."""


class VoiceError(VcfxError, ValueError):
    """A voice is missing, its file is damaged, or recordings cannot be made into one."""


class ConsentError(VoiceError):
    """A voice may not be used: its papers are missing, forged, expired, revoked, or do not allow it."""
