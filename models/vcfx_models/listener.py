"""The half of the converter that listens: 10 ms of a microphone to a `VoiceFrame`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from vcfx_dsp.f0_tracker import F0Tracker

from . import geometry as grid
from .errors import ModelError
from .frames import VoiceFrame
from .log_mel_frames import log_mel_stream, restart
from .melody import PRIOR_LOG_F0
from .microphone_level import MicrophoneLevel
from .networks_protocol import Networks, Singles
from .voice_vector import frame_level

#: Input fainter than this for so many hops is no sound at all.
SILENCE_POWER: Final = 10.0 ** (-75.0 / 10.0)
SILENCE_HOPS: Final = 30
#: Samples are held within this: 18 dB above full scale.
LOUDEST: Final = np.float32(8.0)
_SHARES: Final = (np.arange(1, grid.HOP_SAMPLES + 1) / grid.HOP_SAMPLES).astype(np.float32)


@dataclass(frozen=True, slots=True)
class _Heard:
    """What one hop gave before the network."""

    log_mel: Singles
    f0_hz: Singles
    voicing: Singles
    strength: Singles
    energy: Singles
    gain_db: Singles
    is_silent: bool


class Listener:
    """Turns hops of 240 samples (24 kHz, mono, float32) into frames that describe the voice 600 samples earlier.

    Parameters
    ----------
    networks
        Runs the content encoder.
    levels
        Whether to bring the speech to the networks' level first.
    """

    def __init__(self, networks: Networks, levels: bool = True) -> None:
        self._networks = networks
        self._levels = levels
        self._level = MicrophoneLevel()
        self._log_mel = log_mel_stream(grid.HOP_SAMPLES)
        self._tracker = F0Tracker(grid.SAMPLE_RATE, grid.F0_LOWEST_HZ, grid.F0_HIGHEST_HZ, grid.F0_LOOKAHEAD_HOPS)
        #: Frames of the tracker that are newer than the hop that is spoken.
        ahead = round(self._tracker.delay_samples / grid.SUBFRAME_SAMPLES) - 1
        self._newer = grid.LATENCY_SAMPLES // grid.SUBFRAME_SAMPLES - 1 - ahead
        self.reset()

    def reset(self) -> None:
        """Forget the signal. Thread: worker."""
        restart(self._log_mel)
        self._tracker.reset()
        self._level.reset()
        self._memory = self._networks.empty_encoder_memory()
        self._waiting: list[tuple[float, float]] = [(0.0, 0.0)] * self._newer
        self._held_hz = math.exp(PRIOR_LOG_F0)
        self._energies: list[float] = []
        self._gains = [1.0] * (grid.ENERGY_DELAY_HOPS + 2)
        self._powers = [0.0] * (grid.ENERGY_DELAY_HOPS + 1)
        self._quiet_hops = SILENCE_HOPS + 1

    def hear(self, hop: Singles) -> VoiceFrame:
        """Take in 240 samples and return what is known of the voice 600 samples ago. Thread: worker."""
        return self.hear_many(hop)[0]

    def hear_many(self, audio: Singles) -> list[VoiceFrame]:
        """Take in any number of hops in a row; the same frames as one by one. Thread: worker."""
        if audio.ndim != 1 or audio.size % grid.HOP_SAMPLES or audio.dtype != np.float32 or not audio.size:
            allowed = f"hops of {grid.HOP_SAMPLES} float32"
            raise ModelError(f"the audio has the shape {audio.shape} of {audio.dtype}; allowed: {allowed}")
        heard = [self._hear_hop(hop) for hop in audio.reshape(-1, grid.HOP_SAMPLES)]
        log_mel = np.stack([hop.log_mel for hop in heard])
        content, self._memory = self._networks.encode(log_mel, self._memory)
        return [
            VoiceFrame(row, hop.f0_hz, hop.voicing, hop.strength, hop.energy, hop.gain_db, hop.is_silent)
            for row, hop in zip(content, heard, strict=True)
        ]

    def _hear_hop(self, hop: Singles) -> _Heard:
        hop = np.clip(np.where(np.isfinite(hop), hop, np.float32(0.0)), -LOUDEST, LOUDEST)
        is_silent = self._silence_at(hop)
        levelled = hop * self._gain_ramp()
        log_mel = self._log_mel.process(levelled)[:, 0].copy()
        track = self._f0_at(levelled)
        self._level.hear(self._powers[0], float(track[2].min()))
        return _Heard(log_mel, *track, self._energy_of(log_mel), self._gain_of_spoken(), is_silent)

    def _silence_at(self, hop: Singles) -> bool:
        """Take note of the hop; say whether there was silence up to a hop after the one that is spoken."""
        power = float(np.mean(hop * hop)) - float(np.mean(hop)) ** 2
        is_silent = self._quiet_hops > SILENCE_HOPS
        self._quiet_hops = self._quiet_hops + 1 if power < SILENCE_POWER else 0
        self._powers = [*self._powers[1:], power]
        return is_silent

    def _gain_ramp(self) -> Singles:
        before = self._gains[-1]
        after = 10.0 ** (self._level.next_gain_db() / 20.0) if self._levels else 1.0
        self._gains = [*self._gains[1:], after]
        return np.float32(before) + np.float32(after - before) * _SHARES

    def _gain_of_spoken(self) -> Singles:
        """Return the gain at the ends of the subframes that are spoken, from those at the ends of hops."""
        before, after = self._gains[:2]
        return np.array([20.0 * math.log10(gain) for gain in (before, 0.5 * (before + after))], np.float32)

    def _energy_of(self, log_mel: Singles) -> Singles:
        level = float(frame_level(log_mel[None])[0])
        if not self._energies:
            self._energies = [level] * grid.ENERGY_DELAY_HOPS
        before, after = self._energies[:2]
        self._energies = [*self._energies[1:], level]
        return np.array([before, 0.5 * (before + after)], np.float32)

    def _f0_at(self, levelled: Singles) -> tuple[Singles, Singles, Singles]:
        """Return F0, voicing and strength at the ends of the subframes that are spoken."""
        found = self._tracker.track(levelled)
        self._waiting += zip(found.f0_hz.tolist(), found.voicing.tolist(), strict=True)
        now, self._waiting = self._waiting[: grid.SUBFRAMES], self._waiting[grid.SUBFRAMES :]
        f0_hz, voicing, strength = (np.zeros(grid.SUBFRAMES, np.float32) for _ in range(3))
        for index, (frame_hz, periodicity) in enumerate(now):
            if frame_hz > 0.0:
                self._held_hz, voicing[index] = frame_hz, periodicity
            f0_hz[index], strength[index] = self._held_hz, periodicity
        return f0_hz, voicing, strength
