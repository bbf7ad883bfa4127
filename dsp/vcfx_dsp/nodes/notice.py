"""An audible notice at the start: what follows is no natural voice."""

from __future__ import annotations

import math
from typing import ClassVar, Final

import numpy as np

from ..core.kernel import kernel, unpack
from ..node import KernelNode, ProcessSpec
from ..notice_sounds import SOUNDS, notice_sound
from ..parameters import Parameter
from ..state import State

#: The sound waits so long, since files and freshly begun plans lose their first moments: the latency of the chain.
LEAD_IN_S: Final = 0.3
DUCK_DB: Final = -24.0
RELEASE_S: Final = 0.25
DUCK: Final = 0
POSITION, SOUND_FRAMES, RELEASE_FRAMES = range(3)


@kernel
def _notice(state: int, block_in: int, block_out: int, channels: int, frames: int) -> None:
    settings, counters, memory, samples, x, y = unpack(state, block_in, block_out, channels, frames)
    position, duck = counters[POSITION], settings[DUCK]
    sound_frames, end = counters[SOUND_FRAMES], counters[SOUND_FRAMES] + counters[RELEASE_FRAMES]
    for frame in range(frames):
        gain, sound = 1.0, np.float32(0.0)
        if position < sound_frames:
            gain, sound = duck, samples[position]
        elif position < end:
            gain = duck + (1.0 - duck) * memory[position - sound_frames]
        if position < end:
            position += 1
            for channel in range(channels):
                y[channel, frame] = x[channel, frame] * gain + sound
        else:
            for channel in range(channels):
                y[channel, frame] = x[channel, frame]
    counters[POSITION] = position


class Notice(KernelNode):
    """Lay a notice over the first seconds, 24 dB above the voice beneath it, and then get out of the way.

    It begins 0.3 s after the start; until then the voice is lowered already, and after it the voice comes back within
    0.25 s. Then the output is the input, bit for bit. `reset` begins anew. The sound keeps its length.

    Parameters
    ----------
    sound
        ``tone``: two notes, 0.65 s, peak -14 dBFS. ``spoken``: "You are listening to an artificial voice.", 2.2 s,
        peak -6 dBFS.

    Latency: 0.
    """

    kind: ClassVar[str] = "notice"
    PARAMETERS = (Parameter("sound", "tone", choices=SOUNDS, live=False, doc="two notes, or a spoken sentence"),)
    kernel = _notice

    @property
    def tail_samples(self) -> int:
        """The whole notice, as nobody knows how much of it has been heard when the input ends."""
        return int(self.state.counters[SOUND_FRAMES])

    def settings(self, spec: ProcessSpec) -> list[float]:
        """Gain of the voice under the notice."""
        return [10.0 ** (DUCK_DB / 20.0)]

    def initial_state(self, spec: ProcessSpec) -> State:
        """The sound behind its lead-in, and the curve on which the voice returns."""
        lead_in = np.zeros(round(LEAD_IN_S * spec.sample_rate), np.float32)
        sound = notice_sound(str(self._parameters["sound"]), spec.sample_rate)[0]
        release = max(1, round(RELEASE_S * spec.sample_rate))
        curve = [0.5 - 0.5 * math.cos(math.pi * (frame + 1) / (release + 1)) for frame in range(release)]
        samples = np.concatenate([lead_in, sound])
        return State(self.settings(spec), [0, samples.size, release], curve, samples)
