"""The engine's memory as the audio thread sees it: one int64 array and one float64 array with fixed addresses.

Every cell has one writer: `control` for what people ask for, `audio` for what happened. Reading disturbs nobody.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vcfx_dsp.core.native import CLOCK_ADDRESS, WRITE_ADDRESS

#: Written by control (PENDING and RETIRED are handed over by atomic exchange).
(
    CURRENT, PENDING, FADING, RETIRED, FADE_LENGTH, SAMPLE_RATE, CHANNELS, MAX_FRAMES, INPUT_CHANNELS,
    OUTPUT_CHANNELS, CLOCK, WRITE, WAKE_FD, CLOCK_BRIDGE, MESSAGES, RECORD_TAP, ANALYSIS_TAP, MONITOR_BRIDGE,
    SCRATCH_IN, SCRATCH_OUT, SCRATCH_DEVICE, HISTOGRAM, GAUGES, HISTORY, HISTORY_FRAMES, FIRST_AUDIO_CELL,
) = range(26)  # fmt: skip
#: Written by the audio thread.
(
    BLOCKS, FRAMES, INPUT_UNDERFLOWS, INPUT_OVERFLOWS, OUTPUT_UNDERFLOWS, OUTPUT_OVERFLOWS, LATE_BLOCKS,
    NONFINITE_SAMPLES, FADE_POSITION, PREROLL, INPUT_BLOCKS, LAST_START_NS, LONGEST_NS, HEARD, CATCH_UP_AT, CHANGES,
    CHANGE_BLOCK, CELL_COUNT,
) = range(FIRST_AUDIO_CELL, FIRST_AUDIO_CELL + 18)  # fmt: skip

#: Gauges (float64), written by the audio thread; the switches among them as messages tell it to.
(
    INPUT_PEAK, INPUT_POWER, OUTPUT_PEAK, OUTPUT_POWER, VOICE_GAIN, BYPASS_GAIN, UNMUTED, TALKING, BYPASSED,
    VOICE_RAMP_S, GAUGE_COUNT,
) = range(11)  # fmt: skip
GAIN_RAMP_S = 0.01
#: How much of the input is kept, for a new plan to warm up on before it is posted.
HISTORY_S = 0.5
#: What a tap consists of: two rings (0: not wanted), and the first block that it got, -1 before.
TAP_DRY, TAP_WET, TAP_FIRST_BLOCK, TAP_SIZE = range(4)

#: Callback durations: BINS_PER_OCTAVE logarithmic bins per doubling, from 1 ns to 2**OCTAVES ns (17 s).
BINS_PER_OCTAVE, OCTAVES = 32, 34
HISTOGRAM_SIZE = BINS_PER_OCTAVE * OCTAVES
SWAP_FADE_MS = 8.0


class EngineCells:
    """The arrays behind one engine, filled with addresses of each other."""

    def __init__(self, sample_rate: int, channels: int, max_frames: int, device_channels: int) -> None:
        self.cells: npt.NDArray[np.int64] = np.zeros(CELL_COUNT, np.int64)
        self.gauges: npt.NDArray[np.float64] = np.zeros(GAUGE_COUNT)
        self.histogram: npt.NDArray[np.int64] = np.zeros(HISTOGRAM_SIZE, np.int64)
        self.scratch: npt.NDArray[np.float32] = np.zeros((3, max(channels, device_channels) * max_frames), np.float32)
        self.gauges[[VOICE_GAIN, UNMUTED, TALKING]] = 1.0
        self.gauges[VOICE_RAMP_S] = GAIN_RAMP_S
        kept = 1 << int(HISTORY_S * sample_rate + 4 * max_frames).bit_length()
        self.history: npt.NDArray[np.float32] = np.zeros((channels, kept), np.float32)
        row_bytes = self.scratch.strides[0]
        first = int(self.scratch.ctypes.data)
        fields = {
            FADE_LENGTH: int(SWAP_FADE_MS * 1e-3 * sample_rate),
            SAMPLE_RATE: sample_rate,
            CHANNELS: channels,
            MAX_FRAMES: max_frames,
            CLOCK: CLOCK_ADDRESS,
            WRITE: WRITE_ADDRESS,
            WAKE_FD: -1,
            SCRATCH_IN: first,
            SCRATCH_OUT: first + row_bytes,
            SCRATCH_DEVICE: first + 2 * row_bytes,
            HISTOGRAM: int(self.histogram.ctypes.data),
            GAUGES: int(self.gauges.ctypes.data),
            HISTORY: int(self.history.ctypes.data),
            HISTORY_FRAMES: kept,
            CATCH_UP_AT: -1,
        }
        for cell, value in fields.items():
            self.cells[cell] = value

    @property
    def address(self) -> int:
        """Address of the cells: PortAudio's user data."""
        return int(self.cells.ctypes.data)

    def cell_address(self, cell: int) -> int:
        """Address of one cell, for atomic access."""
        return self.address + 8 * cell
