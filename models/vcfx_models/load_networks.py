"""Which networks are used: from which folder, on which device."""

from __future__ import annotations

import shutil
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from .data_folder import with_home
from .errors import ModelError
from .networks_protocol import Networks

DEVICES: Final = ("auto", "cpu", "cuda")


def load_networks(folder: str | Path = "", device: str = "auto") -> Networks:
    """Return the converter's networks; the same ones when asked again, as they hold no state.

    Parameters
    ----------
    folder
        Where their files are; empty: those that come with the program.
    device
        ``cpu``, ``cuda``, or ``auto``: CUDA where torch is installed and finds a device, else the processor.

    Raises
    ------
    ModelError
        If the files are missing or damaged, or the device is not there.
    """
    if device not in DEVICES:
        raise ModelError(f"device is '{device}'; allowed: {', '.join(DEVICES)}")
    if device == "cuda":
        _need_cuda()
    on_cuda = device == "cuda" or (device == "auto" and has_cuda())
    return _loaded(str(folder), on_cuda)


def check_networks(folder: str | Path = "", device: str = "auto") -> None:
    """Raise what `load_networks` would where files or device are missing, without loading anything."""
    from .network_files import stored_as, weights_folder

    if device == "cuda":
        _need_cuda()
    stored_as(_named_folder(str(folder)) or weights_folder())


def has_cuda() -> bool:
    """Whether torch and a CUDA device are there; asks torch only where a driver is installed, for it loads slowly."""
    if shutil.which("nvidia-smi") is None or find_spec("torch") is None:
        return False
    import torch

    return torch.cuda.is_available()


def _need_cuda() -> None:
    if find_spec("torch") is None:
        raise ModelError("the device cuda needs torch; install it with: pip install 'vcfx-voice[gpu]'")
    import torch

    if not torch.cuda.is_available():
        raise ModelError("the device is cuda, but torch finds none; allowed here: cpu, auto")


def _named_folder(folder: str) -> Path | None:
    """Return the folder that was named, None for the empty name."""
    place = with_home(Path(folder)) if folder else None
    if place is not None and not place.is_dir():
        raise ModelError(f"there is no folder '{folder}' with a voice model")
    return place


@lru_cache(maxsize=4)
def _loaded(folder: str, on_cuda: bool) -> Networks:
    place = _named_folder(folder)
    if on_cuda:
        from .runtime.torch_networks import TorchNetworks

        return TorchNetworks("cuda", folder=place)
    from .runtime.onnx_networks import OnnxNetworks

    return OnnxNetworks(place)
