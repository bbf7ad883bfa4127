"""The command that installs a piece of software on this machine."""

from __future__ import annotations

import os
import shutil
import sys
from typing import Final

#: package manager -> how it installs; the first that is on the path is this machine's.
MANAGERS: Final = {
    "apt-get": "apt-get install -y",
    "dnf": "dnf install -y",
    "pacman": "pacman -S --needed",
    "zypper": "zypper install -y",
    "apk": "apk add",
}
#: what -> package manager -> package
PACKAGES: Final[dict[str, dict[str, str]]] = {
    "portaudio": {
        "apt-get": "libportaudio2",
        "dnf": "portaudio",
        "pacman": "portaudio",
        "zypper": "libportaudio2",
        "apk": "portaudio",
    },
    "pactl": {
        "apt-get": "pulseaudio-utils",
        "dnf": "pulseaudio-utils",
        "pacman": "libpulse",
        "zypper": "pulseaudio-utils",
        "apk": "pulseaudio-utils",
    },
    "sound server": {
        "apt-get": "pipewire-pulse wireplumber",
        "dnf": "pipewire-pulseaudio wireplumber",
        "pacman": "pipewire-pulse wireplumber",
        "zypper": "pipewire-pulseaudio wireplumber",
        "apk": "pipewire-pulse wireplumber",
    },
    "jack": {
        "apt-get": "jackd2",
        "dnf": "jack-audio-connection-kit",
        "pacman": "jack2",
        "zypper": "jack",
        "apk": "jack",
    },
    "alsa plugin": {
        "apt-get": "libasound2-plugins",
        "dnf": "alsa-plugins-pulseaudio",
        "pacman": "alsa-plugins",
        "zypper": "alsa-plugins-pulse",
        "apk": "alsa-plugins-pulse",
    },
    "ffmpeg": {name: "ffmpeg" for name in MANAGERS} | {"dnf": "ffmpeg-free"},
}
#: shown where no manager is known: the three commonest
COMMONEST: Final = ("apt-get", "dnf", "pacman")


def install_command(what: str) -> str:
    """Return the command that installs `what` (a key of `PACKAGES`) with this machine's package manager."""
    if sys.platform == "darwin":
        return f"brew install {what}"
    packages = PACKAGES[what]
    sudo = "" if hasattr(os, "geteuid") and os.geteuid() == 0 else "sudo "
    known = [name for name in MANAGERS if shutil.which(name) and name in packages]
    return " or ".join(f"{sudo}{MANAGERS[name]} {packages[name]}" for name in known[:1] or COMMONEST)


def sound_server_command() -> str:
    """Return the command that starts a sound server on Linux, installing one first where there is none."""
    if shutil.which("pipewire-pulse"):
        return "systemctl --user start pipewire pipewire-pulse wireplumber"
    if shutil.which("pulseaudio"):
        return "pulseaudio --start"
    return f"{install_command('sound server')} && systemctl --user start pipewire pipewire-pulse wireplumber"


def pip_command(package: str, *options: str) -> str:
    """Return the command that installs a Python package into the environment that is running."""
    return " ".join([sys.executable or "python", "-m", "pip", "install", *options, package])
