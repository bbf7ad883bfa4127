"""What there is to choose from: presets, voices, devices, the bank."""

from __future__ import annotations

from vcfx.devices.device import AudioDevice, Direction
from vcfx.engine.streams import Backend
from vcfx.errors import VcfxError
from vcfx.presets import list_presets, load_preset

from .bank import Bank
from .live_state import Catalogue, CatalogueEntry


def build_catalogue(backend: Backend, bank: Bank) -> Catalogue:
    """Look for everything; takes up to a second. Thread: any."""
    try:
        devices = backend.devices()
    except VcfxError:
        devices = []
    return Catalogue(
        presets=_presets(),
        voices=_voices(),
        inputs=tuple(_device(device, "input") for device in devices if device.max_input_channels),
        outputs=tuple(_device(device, "output") for device in devices if device.max_output_channels),
        bank=bank.names,
    )


def _presets() -> tuple[CatalogueEntry, ...]:
    found = []
    for info in list_presets():
        try:
            tags, problem = load_preset(info.name).tags, ""
        except VcfxError as error:
            tags, problem = (), str(error)
        found.append(CatalogueEntry(info.name, info.title, "" if problem else info.description, tags, problem))
    return tuple(found)


def _voices() -> tuple[CatalogueEntry, ...]:
    from vcfx_models.voice_library import list_voices

    found = []
    for info in list_voices():
        if info.voice is None:
            found.append(CatalogueEntry(info.name, info.name, "", (info.origin,), info.problem))
        else:
            words = [info.voice.metadata.get(key, "") for key in ("gender", "licence")]
            description = f"{info.voice.median_hz:.0f} Hz"
            tags = (info.origin, *filter(None, words))
            problem = f"{info.name}: {info.refused['live']}" if "live" in info.refused else ""
            found.append(CatalogueEntry(info.name, info.voice.name, "" if problem else description, tags, problem))
    return tuple(found)


def _device(device: AudioDevice, direction: Direction) -> CatalogueEntry:
    tags = [device.host_api]
    tags += ["default"] if device.is_default(direction) else []
    tags += ["monitor"] if device.is_monitor else []
    tags += ["virtual"] if device.is_virtual else []
    return CatalogueEntry(device.title, device.name, f"{device.default_sample_rate_hz} Hz", tuple(tags))
