"""Move a running voice to other devices: the new session is made beside the old one, which takes over if it fails."""

from __future__ import annotations

import contextlib
from dataclasses import replace

from vcfx.engine.session import LiveSession, SessionRequest
from vcfx.errors import DeviceError, VcfxError
from vcfx.presets import Preset

from .messages import UseDevices


def changed_request(session: LiveSession, message: UseDevices) -> SessionRequest:
    """Return what to ask for so that all that the message does not name stays as it is."""
    monitor: str | int | None = session.monitor.side.device.title if session.monitor else None
    if message.monitor is not None:
        monitor = _query(message.monitor) if message.monitor else None
    return replace(
        session.request,
        input=_query(message.input) if message.input else session.input.device.title,
        output=_query(message.output) if message.output else session.output.device.title,
        monitor=monitor,
    )


def _query(text: str) -> str | int:
    return int(text) if text.isdecimal() else text


def move_session(old: LiveSession, request: SessionRequest, preset: Preset, switches: dict[str, bool]) -> LiveSession:
    """Return a running session on other devices; the old one has let go of its own, but is not closed.

    The old devices fall silent only once the new engine is ready, unless a device is needed by both.

    Raises
    ------
    VcfxError
        If the new devices will not do; the old session runs on then.
    """
    new: LiveSession | None = None
    with contextlib.suppress(DeviceError):  # busy, or plugged in since: once more when the old one has let go
        new = _made(old, request, preset, switches)
    old.pause()
    if old.hung:
        raise DeviceError("the sound driver hung while the devices were changed; start vcfx again")
    try:
        if new is None:
            with contextlib.suppress(VcfxError):
                old.backend.rescan()
            new = _made(old, request, preset, switches)
        new.start()
    except VcfxError:
        if new is not None:
            new.close()
        old.resume()
        raise
    return new


def _made(old: LiveSession, request: SessionRequest, preset: Preset, switches: dict[str, bool]) -> LiveSession:
    new = LiveSession(old.backend, preset, request, old.make_graph)
    new.engine.switch(**switches)
    return new
