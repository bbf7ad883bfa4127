"""The networks on torch: the same numbers as on ONNX Runtime, on a GPU if there is one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import ModelError
from ..network_files import STORAGES, NetworkFile, read_networks, stored_as, weights_folder
from ..networks.content_encoder import ContentEncoder
from ..networks.decoder import Decoder
from ..networks_protocol import Memory, Singles
from .onnx_initialisers import Arrays

Network = TypeVar("Network", bound=nn.Module)


class TorchNetworks:
    """Encoder, decoder and colour, see `Networks`. Filled from the ONNX files: no other weights are needed.

    Parameters
    ----------
    device
        "cpu" or "cuda".
    folder
        Where the files are; None: the weights that come with the program.
    storage
        Which files, one of `network_files.STORAGES`; None: the most exact that are there. Whatever it is, torch
        computes in float32 with the weights that it gives.
    """

    def __init__(self, device: str = "cpu", folder: Path | None = None, storage: str | None = None) -> None:
        folder = weights_folder() if folder is None else folder
        files = read_networks(folder, storage or stored_as(folder, order=STORAGES[::-1]))
        self.device = _checked_device(device)
        encoder, decoder, colour = files["encoder"], files["decoder"], files["colour"]
        self.encoder = _filled(ContentEncoder(encoder.channels, encoder.dilations), encoder, encoder.arrays)
        self.decoder = _filled(
            Decoder(decoder.channels, decoder.dilations), decoder, {**decoder.arrays, **colour.arrays}
        )
        self.encoder.to(self.device)
        self.decoder.to(self.device)
        #: What the files say of themselves.
        self.metadata = encoder.metadata
        self._neutral_voice = colour.neutral_voice

    @property
    def neutral_voice(self) -> Singles:
        """The mean voice of the training, shape (416,)."""
        return self._neutral_voice

    def empty_encoder_memory(self, batch: int = 1) -> Memory:
        """Return the encoder's memory before the first hop."""
        return [part.to(self.device) for part in self.encoder.empty_memory(batch)]

    def empty_decoder_memory(self, batch: int = 1) -> Memory:
        """Return the decoder's memory before the first hop."""
        return [part.to(self.device) for part in self.decoder.empty_memory(batch)]

    @torch.inference_mode()
    def encode(self, log_mel: Singles, memory: Memory) -> tuple[Singles, Memory]:
        """Turn (hops, 80) into content (hops, 64) and the next memory. Thread: worker."""
        content, after = self.encoder(self._there(log_mel), memory)
        return _here(content), after

    @torch.inference_mode()
    def decode(
        self, content: Singles, prosody: Singles, films: Singles, memory: Memory
    ) -> tuple[Singles, Singles, Memory]:
        """Turn content (hops, 64) and prosody (hops, 4, 2) into envelopes and the next memory. Thread: worker."""
        spoken = self.decoder(self._there(content), self._there(prosody), self._there(films), memory)
        harmonic_log, noise_log, after = spoken
        return _here(harmonic_log), _here(noise_log), after

    @torch.inference_mode()
    def colour(self, voice: Singles) -> Singles:
        """Turn a voice vector (416,) into films (blocks, 2 * channels). Thread: control."""
        return _here(self.decoder.colour(self._there(voice)))

    def _there(self, array: Singles) -> Tensor:
        return torch.from_numpy(np.array(array, np.float32))[None].to(self.device)


def _here(tensor: Tensor) -> Singles:
    array: Singles = tensor[0].cpu().numpy()
    return array


def _checked_device(device: str) -> torch.device:
    if device not in ("cpu", "cuda"):
        raise ModelError(f"device is '{device}'; allowed: cpu, cuda")
    if device == "cuda" and not torch.cuda.is_available():
        raise ModelError("the device is cuda, but torch finds none; allowed here: cpu")
    return torch.device(device)


def _unpacked(arrays: Arrays) -> Mapping[str, Any]:
    """Return float32 arrays under the names of the torch modules, matrices as torch keeps them."""
    found: dict[str, Any] = {}
    for name, array in arrays.items():
        if name.endswith(".weight.int8"):
            scale = arrays[name.removesuffix("int8") + "scale"].astype(np.float32)
            found[name.removesuffix(".int8")] = (array.astype(np.float32) * scale).T
        elif name.endswith(".weight.float16"):
            found[name.removesuffix(".float16")] = array.T
        elif name.endswith((".weight", ".bias")):
            found[name] = array.T
    return found


def _filled(network: Network, file: NetworkFile, arrays: Arrays) -> Network:
    state = {name: torch.from_numpy(np.array(array, np.float32)) for name, array in _unpacked(arrays).items()}
    try:
        network.load_state_dict(state)
    except RuntimeError:
        raise ModelError(f"the weights of the voice model's {file.part} do not fit its layers") from None
    return network.eval().requires_grad_(False)
