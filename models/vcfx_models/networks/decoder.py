"""Content, melody and loudness, coloured by a voice, to the envelopes that the vocoder speaks."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ..geometry import CONTENT_SIZE, HARMONIC_BANDS, MEL_CENTRE, MEL_SPREAD, NOISE_BANDS, SUBFRAMES, VOICE_SIZE
from .layers import CausalStack, Memory

#: Natural log of 150 Hz and half an octave or so: brings log F0 near 0 +- 1.
F0_CENTRE, F0_SPREAD = math.log(150.0), 0.5
#: Log of the mel power of white noise of unit variance: what ties the loudness path to the envelopes' scale.
UNIT_NOISE_LOG_MEL = math.log(4.1)
#: Melody (F0, voicing, strength) and loudness, each once a subframe.
PROSODY_SIZE = 4 * SUBFRAMES


class VoiceColour(nn.Module):
    """Turn a voice vector into the scales and shifts of the decoder's layers. Runs once a voice, not once a frame.

    Voices differ in few directions: through `rank` numbers a hundredth of their differences is lost, and most of the
    weights that a full matrix has are saved.
    """

    def __init__(self, channels: int, blocks: int, width: int = 256, rank: int = 80) -> None:
        super().__init__()
        self.channels, self.blocks = channels, blocks
        self.inner = nn.Sequential(nn.Linear(VOICE_SIZE, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU())
        self.narrow = nn.Linear(width, rank)
        self.films = nn.Linear(rank, blocks * 2 * channels)
        nn.init.normal_(self.films.weight, std=0.01)
        nn.init.zeros_(self.films.bias)

    def forward(self, voice: Tensor) -> Tensor:
        """Turn (batch, 416) into films (batch, blocks, 2 * channels)."""
        films: Tensor = self.films(self.narrow(self.inner(voice))).reshape(-1, self.blocks, 2 * self.channels)
        return films


class Decoder(nn.Module):
    """Causal decoder: frame i gives the envelopes at the ends of the subframes of output hop i."""

    def __init__(self, channels: int = 384, dilations: tuple[int, ...] = (1, 2, 4, 1, 2, 4, 1)) -> None:
        super().__init__()
        self.stack = CausalStack(CONTENT_SIZE + PROSODY_SIZE, channels, dilations)
        self.colour = VoiceColour(channels, len(dilations))
        self.envelopes = nn.Linear(channels, SUBFRAMES * (HARMONIC_BANDS + NOISE_BANDS))

    def empty_memory(self, batch: int = 1) -> Memory:
        """Return the memory before the first frame."""
        return self.stack.empty_memory(batch)

    def forward(self, content: Tensor, prosody: Tensor, films: Tensor, memory: Memory) -> tuple[Tensor, Tensor, Memory]:
        """Return the log envelopes of harmonics and noise.

        Parameters
        ----------
        content
            (batch, time, 64).
        prosody
            (batch, time, 4, subframes): log F0 in Hz (held where there is none), voicing (0 or strength),
            strength (0 to 1), log of the mean mel power.
        films
            From `VoiceColour`.

        Returns
        -------
        tuple of Tensor
            (batch, time * subframes, bands) of natural log amplitude for harmonics and for noise; the next memory.
        """
        log_f0, voicing, strength, energy = prosody.unbind(dim=2)
        scaled = [(log_f0 - F0_CENTRE) / F0_SPREAD, voicing, strength, (energy - MEL_CENTRE) / MEL_SPREAD]
        hidden, memory = self.stack(torch.cat([content, *scaled], dim=-1), films=films, memory=memory)
        batch, time = content.shape[:2]
        shape = self.envelopes(hidden).float().reshape(batch, time * SUBFRAMES, HARMONIC_BANDS + NOISE_BANDS)
        level = 0.5 * (energy.float() - UNIT_NOISE_LOG_MEL).reshape(batch, time * SUBFRAMES, 1)
        whole = (shape + level).clamp(-14.0, 6.0)
        return whole[..., :HARMONIC_BANDS], whole[..., HARMONIC_BANDS:], memory
