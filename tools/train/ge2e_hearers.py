"""The networks that can be trained by the GE2E loss, each with what turns crops into its input."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import librosa
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from vcfx_models import geometry as grid
from vcfx_models.ge2e_geometry import BANDS, FFT_SAMPLES, SAMPLE_RATE
from vcfx_models.networks.ge2e import Ge2e, read_ge2e
from vcfx_models.networks.speaker_encoder import SpeakerEncoder

from .corpus_files import CorpusError
from .front_end import PAST_SAMPLES as STUDENT_PAST
from .front_end import log_mel, power_frames, warped_filterbank
from .ge2e_draws import PAST_SAMPLES

#: GE2E hears 16 kHz; windows of the same length in seconds give the same bins at the corpus' rate, up to 8 kHz.
WINDOW_SAMPLES: Final = FFT_SAMPLES * grid.SAMPLE_RATE // SAMPLE_RATE
BINS: Final = FFT_SAMPLES // 2 + 1


class Ge2eHearer(nn.Module):
    """GE2E itself, on crops at 24 kHz."""

    def __init__(self, start: Path | None) -> None:
        super().__init__()
        self.network = Ge2e() if start is None else read_ge2e(start).requires_grad_(True).train()
        bank = librosa.filters.mel(sr=SAMPLE_RATE, n_fft=FFT_SAMPLES, n_mels=BANDS)
        # A longer window sums more samples: the same sound has more power in its bins.
        self.register_buffer("bank", torch.from_numpy(bank.T.copy()) * (FFT_SAMPLES / WINDOW_SAMPLES) ** 2, False)
        self.register_buffer("window", torch.hann_window(WINDOW_SAMPLES), False)

    def forward(self, crops: Tensor) -> Tensor:
        """Turn (batch, samples) into (batch, 256)."""
        frames = crops.unfold(1, WINDOW_SAMPLES, grid.HOP_SAMPLES) * self.window  # (B, T, 600)
        power = torch.fft.rfft(frames)[:, :, :BINS].abs().square()
        with torch.autocast("cpu", torch.bfloat16):
            heard: Tensor = self.network(power @ self.bank)
        return heard.float()


class StudentHearer(nn.Module):
    """Our own speaker encoder, the student of GE2E that the program ships."""

    def __init__(self, start: Path | None) -> None:
        super().__init__()
        self.network = SpeakerEncoder()
        if start is not None:
            held = load_file(start) if start.suffix == ".safetensors" else torch.load(start, weights_only=True)
            self.network.load_state_dict(held)
        self.register_buffer("filterbank", warped_filterbank(1.0), False)

    def forward(self, crops: Tensor) -> Tensor:
        """Turn (batch, samples) into (batch, 256)."""
        mel = log_mel(power_frames(crops[:, PAST_SAMPLES - STUDENT_PAST :]), self.filterbank)
        with torch.autocast("cpu", torch.bfloat16):
            heard: Tensor = self.network(mel)
        return heard.float()


HEARERS: Final[dict[str, type[Ge2eHearer] | type[StudentHearer]]] = {"ge2e": Ge2eHearer, "student": StudentHearer}


def make_hearer(kind: str, start: Path | None) -> Ge2eHearer | StudentHearer:
    """Return a network to train, from weights or, without any, from random ones."""
    if kind not in HEARERS:
        raise CorpusError(f"network is '{kind}'; allowed: {', '.join(HEARERS)}")
    return HEARERS[kind](start)
