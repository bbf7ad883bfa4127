"""Many voices in one batch on torch: slots that streams claim, one step a hop for all of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from .. import geometry as grid
from ..errors import ModelError
from ..networks.streaming_source_filter import StreamingSourceFilter, VocoderMemory
from ..networks_protocol import Singles
from .torch_networks import TorchNetworks

WARM_UP_STEPS = 3


class _Port:
    """A batch on the device and its twin on this side, which a GPU reads and writes without the processor."""

    def __init__(self, device: torch.device, *shape: int) -> None:
        self.there = torch.zeros(*shape, device=device)
        self._is_far = device.type == "cuda"
        self._here = torch.zeros(*shape, pin_memory=True) if self._is_far else self.there

    def put(self, values: Singles) -> None:
        """Send a batch of one hop."""
        shape = (self.there.shape[0], *self.there.shape[2:])
        if values.dtype != np.float32 or values.shape != shape:
            raise ModelError(f"the batch has the shape {values.shape} of {values.dtype}; allowed: {shape} of float32")
        self._here.copy_(torch.from_numpy(np.ascontiguousarray(values))[:, None])
        if self._is_far:
            self.there.copy_(self._here, non_blocking=True)

    def got(self) -> Singles:
        """Wait for the step and return a copy of the batch."""
        if self._is_far:
            self._here.copy_(self.there, non_blocking=True)
            torch.cuda.current_stream().synchronize()
        batch: Singles = self._here.numpy().copy()
        return batch


class TorchSessions:
    """Encoder, decoder and vocoder for a fixed number of streams. Unclaimed slots are computed, too, and ignored.

    On a GPU each of the two steps is one CUDA graph between pinned buffers; on the processor the same code runs as it
    is written.

    Parameters
    ----------
    networks
        Weights and device.
    slots
        How many streams there is room for, 1 or more.
    """

    def __init__(self, networks: TorchNetworks, slots: int) -> None:
        if slots < 1:
            raise ModelError(f"slots is {slots}; allowed: 1 or more")
        self.slots = slots
        self._networks, self._device = networks, networks.device
        self._vocoder = StreamingSourceFilter().to(self._device)
        self._encoder_memory = networks.empty_encoder_memory(slots)
        self._decoder_memory = networks.empty_decoder_memory(slots)
        self._vocoder_memory = VocoderMemory.zeros(slots, self._device)
        films = networks.colour(networks.neutral_voice)
        self._films = torch.from_numpy(films).repeat(slots, 1, 1).to(self._device)
        self._log_mel = _Port(self._device, slots, 1, grid.N_MELS)
        self._content_in = _Port(self._device, slots, 1, grid.CONTENT_SIZE)
        self._content_out = _Port(self._device, slots, 1, grid.CONTENT_SIZE)
        self._prosody = _Port(self._device, slots, 1, 4, grid.SUBFRAMES)
        self._audio = _Port(self._device, slots, grid.HOP_SAMPLES)
        self._free = list(range(slots))[::-1]
        self._encode = self._captured(self._encode_step)
        self._speak = self._captured(self._speak_step)
        for slot in range(slots):
            self.reset(slot)

    def claim(self) -> int:
        """Return a free slot, as new. Thread: control, between steps."""
        if not self._free:
            raise ModelError(f"all {self.slots} slots are in use")
        slot = self._free.pop()
        self.reset(slot)
        return slot

    def release(self, slot: int) -> None:
        """Give a slot back. Thread: control, between steps."""
        self._check(slot)
        self._free.append(slot)

    @torch.inference_mode()
    def reset(self, slot: int) -> None:
        """Forget what a slot heard and spoke; its voice stays. Thread: control, between steps."""
        for memory in (self._encoder_memory, self._decoder_memory, self._vocoder_memory.tensors()):
            for part in memory:
                part[slot].zero_()

    @torch.inference_mode()
    def set_films(self, slot: int, films: Singles) -> None:
        """Give a slot the voice that `TorchNetworks.colour` made films of. Thread: control, between steps."""
        self._check(slot)
        self._films[slot].copy_(torch.from_numpy(films))

    @torch.inference_mode()
    def encode(self, log_mel: Singles) -> Singles:
        """Turn one hop (slots, 80) into content (slots, 64). Thread: worker."""
        self._log_mel.put(log_mel)
        self._encode()
        return self._content_out.got().reshape(self.slots, grid.CONTENT_SIZE)

    @torch.inference_mode()
    def speak(self, content: Singles, prosody: Singles) -> Singles:
        """Turn content (slots, 64) and prosody (slots, 4, 2), with ln F0 above 0, into (slots, 240). Thread: worker."""
        self._content_in.put(content)
        self._prosody.put(prosody)
        self._speak()
        return self._audio.got()

    def _encode_step(self) -> None:
        content, after = self._networks.encoder(self._log_mel.there, self._encoder_memory)
        self._content_out.there.copy_(content)
        _overwrite(self._encoder_memory, after)

    def _speak_step(self) -> None:
        decoder, memory = self._networks.decoder, self._decoder_memory
        harmonic_log, noise_log, after = decoder(self._content_in.there, self._prosody.there, self._films, memory)
        _overwrite(memory, after)
        f0_hz = torch.exp(self._prosody.there[:, 0, 0])
        audio, spoken = self._vocoder(f0_hz, harmonic_log, noise_log, self._vocoder_memory)
        self._audio.there.copy_(audio)
        _overwrite(self._vocoder_memory.tensors(), spoken.tensors())

    def _captured(self, step: Callable[[], None]) -> Callable[[], None]:
        """Return the step as one CUDA graph, or as it is where there is no GPU."""
        if self._device.type != "cuda":
            return step
        with torch.inference_mode():
            aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
            aside.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(aside):
                for _ in range(WARM_UP_STEPS):
                    step()
            torch.cuda.current_stream().wait_stream(aside)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                step()
        return graph.replay

    def _check(self, slot: int) -> None:
        if not 0 <= slot < self.slots or slot in self._free:
            raise ModelError(f"slot {slot} is not claimed")


def _overwrite(memory: list[Tensor], after: list[Tensor]) -> None:
    for ours, theirs in zip(memory, after, strict=True):
        ours.copy_(theirs)
