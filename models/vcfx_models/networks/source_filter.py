"""The vocoder in torch: pulses and noise through minimum-phase filters that change every 5 ms.

The same mathematics as `vcfx_dsp.source_filter`, over whole sequences and with gradients.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..bands import HARMONIC_CENTRES_HZ, NOISE_CENTRES_HZ, minimum_phase_matrices
from ..geometry import N_FFT, SAMPLE_RATE, SUBFRAME_SAMPLES

#: Harmonics reach this share of half the rate.
TOP_SHARE = 0.98


def pulse_train(f0_hz: Tensor, first_phase: Tensor) -> Tensor:
    """Return (batch, subframes * 120) of band-limited pulses of unit power: equal cosines of all harmonics.

    Parameters
    ----------
    f0_hz
        (batch, subframes), above 0, at the end of each subframe; linear in between.
    first_phase
        (batch, 1), radians.
    """
    before = torch.cat([f0_hz[:, :1], f0_hz[:, :-1]], dim=1)
    share = torch.arange(1, SUBFRAME_SAMPLES + 1, device=f0_hz.device, dtype=torch.float64) / SUBFRAME_SAMPLES
    f0 = (before[..., None] + (f0_hz - before)[..., None] * share).double().flatten(1)
    phase = first_phase + torch.cumsum(f0 * (2.0 * math.pi / SAMPLE_RATE), dim=1)
    return pulses(f0, torch.remainder(phase, 2.0 * math.pi))


def pulses(f0_hz: Tensor, phase: Tensor) -> Tensor:
    """Return the sum of all harmonics at unit power, in closed form; float64 in (phase 0 to 2 pi), float32 out."""
    half = phase / 2.0
    count = torch.floor(0.5 * SAMPLE_RATE * TOP_SHARE / f0_hz)
    sine = torch.sin(half)
    is_peak = sine.abs() < 1e-6
    closed = torch.sin((2.0 * count + 1.0) * half) / (2.0 * torch.where(is_peak, 1.0, sine)) - 0.5
    return (torch.sqrt(2.0 / count) * torch.where(is_peak, count, closed)).float()


class SourceFilter(nn.Module):
    """Speak log envelopes: see `forward`."""

    def __init__(self) -> None:
        super().__init__()
        for name, centres_hz in (("harmonic", HARMONIC_CENTRES_HZ), ("noise", NOISE_CENTRES_HZ)):
            magnitude, phase = minimum_phase_matrices(centres_hz)
            self.register_buffer(f"{name}_magnitude", torch.tensor(magnitude, dtype=torch.float32), persistent=False)
            self.register_buffer(f"{name}_phase", torch.tensor(phase, dtype=torch.float32), persistent=False)

    def forward(
        self, f0_hz: Tensor, harmonic_log: Tensor, noise_log: Tensor, first_phase: Tensor, noise: Tensor
    ) -> Tensor:
        """Return (batch, subframes * 120) samples.

        Parameters
        ----------
        f0_hz
            (batch, subframes).
        harmonic_log, noise_log
            (batch, subframes, bands), natural log of amplitude.
        first_phase
            (batch, 1), radians.
        noise
            (batch, subframes * 120), white, unit variance.
        """
        spectrum = self._filtered(pulse_train(f0_hz, first_phase), harmonic_log, "harmonic")
        spectrum = spectrum + self._filtered(noise, noise_log, "noise")
        return _overlap_add(torch.fft.irfft(spectrum, n=N_FFT))[:, : noise.shape[1]]

    def _filtered(self, excitation: Tensor, log_amplitude: Tensor, kind: str) -> Tensor:
        magnitude = log_amplitude @ getattr(self, f"{kind}_magnitude")
        phase = log_amplitude @ getattr(self, f"{kind}_phase")
        return _windowed_spectra(excitation) * torch.polar(torch.exp(magnitude), phase)


def _windowed_spectra(excitation: Tensor) -> Tensor:
    """Return the spectra of what each filter hears: fading in over its subframe, out over the next one."""
    rising = torch.arange(1, SUBFRAME_SAMPLES + 1, device=excitation.device) / SUBFRAME_SAMPLES
    segments = excitation.reshape(excitation.shape[0], -1, SUBFRAME_SAMPLES)
    later = torch.cat([segments[:, 1:], torch.zeros_like(segments[:, :1])], dim=1)
    heard = torch.cat([segments * rising, later * (1.0 - rising)], dim=-1)
    # The first subframe has no earlier filter: its own takes all of it.
    first = torch.cat([segments[:, :1], later[:, :1] * (1.0 - rising)], dim=-1)
    spectra: Tensor = torch.fft.rfft(torch.cat([first, heard[:, 1:]], dim=1), n=N_FFT)
    return spectra


def _overlap_add(pieces: Tensor) -> Tensor:
    """Add (batch, subframes, n_fft) pieces that begin 120 samples apart."""
    spans = -(-N_FFT // SUBFRAME_SAMPLES)
    padded = functional.pad(pieces, (0, spans * SUBFRAME_SAMPLES - N_FFT))
    batch, count = pieces.shape[:2]
    parts = padded.reshape(batch, count, spans, SUBFRAME_SAMPLES)
    out = parts.new_zeros(batch, count + spans - 1, SUBFRAME_SAMPLES)
    for span in range(spans):
        out[:, span : span + count] = out[:, span : span + count] + parts[:, :, span]
    return out.flatten(1)
