"""The vocoder in torch for many streams at once, hop by hop: `SourceFilter` with its past as an explicit value."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..geometry import N_FFT, SAMPLE_RATE, SUBFRAME_SAMPLES
from .source_filter import SourceFilter, pulses
from .white_noise import white_noise

BINS = N_FFT // 2 + 1
LOWEST_F0_HZ, HIGHEST_F0_HZ = 20.0, 2_000.0
LOWEST_LOG, HIGHEST_LOG = -20.0, 8.0


@dataclass(frozen=True, slots=True)
class VocoderMemory:
    """What the vocoder remembers, one row a stream; all zeros before the first subframe.

    Parameters
    ----------
    started
        (batch, 1) bool.
    noise_index
        (batch, 1) int64: samples of noise so far.
    phase
        (batch, 1) float64, radians.
    f0_hz
        (batch, 1) at the end of the last subframe.
    harmonic, noise
        (batch, bins, 2): the last filters.
    tail
        (batch, n_fft): what is still to be heard.
    """

    started: Tensor
    noise_index: Tensor
    phase: Tensor
    f0_hz: Tensor
    harmonic: Tensor
    noise: Tensor
    tail: Tensor

    @classmethod
    def zeros(cls, batch: int, device: torch.device) -> VocoderMemory:
        """Return the memory before the first subframe."""
        return cls(
            torch.zeros(batch, 1, dtype=torch.bool, device=device),
            torch.zeros(batch, 1, dtype=torch.int64, device=device),
            torch.zeros(batch, 1, dtype=torch.float64, device=device),
            torch.zeros(batch, 1, device=device),
            torch.zeros(batch, BINS, 2, device=device),
            torch.zeros(batch, BINS, 2, device=device),
            torch.zeros(batch, N_FFT, device=device),
        )

    def tensors(self) -> list[Tensor]:
        """Return all of it."""
        return [getattr(self, field.name) for field in fields(self)]


class StreamingSourceFilter(nn.Module):
    """Speaks log envelopes subframe by subframe: the sequence's filters and pulses, and `vcfx_dsp`'s noise."""

    rising: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.vocoder = SourceFilter()
        rising = torch.arange(1, SUBFRAME_SAMPLES + 1, dtype=torch.float64) / SUBFRAME_SAMPLES
        self.register_buffer("rising", rising, persistent=False)

    def forward(
        self, f0_hz: Tensor, harmonic_log: Tensor, noise_log: Tensor, memory: VocoderMemory
    ) -> tuple[Tensor, VocoderMemory]:
        """Return (batch, subframes * 120) samples and the next memory.

        Parameters
        ----------
        f0_hz
            (batch, subframes), at the end of each subframe.
        harmonic_log, noise_log
            (batch, subframes, bands), natural log of amplitude.
        memory
            From the last call.
        """
        f0_hz = f0_hz.clamp(LOWEST_F0_HZ, HIGHEST_F0_HZ)
        pulses, phase = self._pulses(f0_hz, memory)
        count = f0_hz.shape[1] * SUBFRAME_SAMPLES
        index = memory.noise_index + torch.arange(count, device=f0_hz.device)
        hiss = white_noise(index).reshape(pulses.shape)
        spectrum, harmonic = self._filtered(pulses, harmonic_log, "harmonic", memory.harmonic, memory.started)
        added, noise = self._filtered(hiss, noise_log, "noise", memory.noise, memory.started)
        out, tail = _overlap_add(torch.fft.irfft(spectrum + added, n=N_FFT), memory.tail)
        started = torch.ones_like(memory.started)
        return out, VocoderMemory(
            started, memory.noise_index + count, phase, f0_hz[:, -1:].float(), harmonic, noise, tail
        )

    def _pulses(self, f0_hz: Tensor, memory: VocoderMemory) -> tuple[Tensor, Tensor]:
        """Return (batch, subframes, 120) and the phase at the end."""
        first = torch.where(memory.started, memory.f0_hz, f0_hz[:, :1])
        before = torch.cat([first, f0_hz[:, :-1]], dim=1).double()[..., None]
        f0 = before + (f0_hz.double()[..., None] - before) * self.rising
        phase = memory.phase + torch.cumsum(f0.flatten(1) * (2.0 * math.pi / SAMPLE_RATE), dim=1)
        phase = torch.remainder(phase, 2.0 * math.pi)
        return pulses(f0, phase.reshape(f0.shape)), phase[:, -1:]

    def _filtered(
        self, excitation: Tensor, log_amplitude: Tensor, kind: str, last: Tensor, started: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the spectra of the filtered subframes, old filters fading out and new ones in; the last filter."""
        held = log_amplitude.clamp(LOWEST_LOG, HIGHEST_LOG)
        magnitude = held @ getattr(self.vocoder, f"{kind}_magnitude")
        new = torch.polar(torch.exp(magnitude), held @ getattr(self.vocoder, f"{kind}_phase"))
        first = torch.where(started[..., None], torch.view_as_complex(last)[:, None], new[:, :1])
        old = torch.cat([first, new[:, :-1]], dim=1)
        rising = self.rising.float()
        spectrum = torch.fft.rfft(excitation * rising, n=N_FFT) * new
        spectrum = spectrum + torch.fft.rfft(excitation * (1.0 - rising), n=N_FFT) * old
        return spectrum, torch.view_as_real(new[:, -1]).contiguous()


def _overlap_add(pieces: Tensor, tail: Tensor) -> tuple[Tensor, Tensor]:
    """Add (batch, subframes, n_fft) pieces, 120 samples apart, to the tail; return what is whole, and the tail."""
    spoken = []
    for place in range(pieces.shape[1]):
        whole = tail + pieces[:, place]
        spoken.append(whole[:, :SUBFRAME_SAMPLES])
        tail = functional.pad(whole[:, SUBFRAME_SAMPLES:], (0, SUBFRAME_SAMPLES))
    return torch.cat(spoken, dim=1), tail
