"""Audio devices: what there is, how to find one by name, and virtual microphones."""

from __future__ import annotations

from vcfx.devices.catalogue import default_device, find_device, list_devices
from vcfx.devices.device import AudioDevice, Direction

__all__ = ["AudioDevice", "Direction", "default_device", "find_device", "list_devices"]
