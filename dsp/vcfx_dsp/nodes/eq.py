"""A parametric equaliser: seven bands in a row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from ..core.kernel import kernel, unpack
from ..core.ramp import RAMP_MS
from ..core.svf import BAND_SETTINGS, svf_band, svf_coefficients, svf_memory, svf_memory_size, svf_tail_frames
from ..node import KernelNode, ProcessSpec
from ..parameters import Parameter
from ..state import State

BANDS = 7
BUTTERWORTH_Q = 0.5**0.5
LOW_CUT_OFF_HZ, HIGH_CUT_OFF_HZ = 10.0, 20_000.0
RAMP_FRAMES = BANDS * BAND_SETTINGS


@kernel
def _eq(state: int, block_in: int, block_out: int, channels: int, frames: int) -> None:
    settings, _, memory, _, x, y = unpack(state, block_in, block_out, channels, frames)
    svf_band(settings, 0, settings[RAMP_FRAMES], memory, 0, x, y, channels, frames)
    size = svf_memory_size(channels)
    for band in range(1, BANDS):
        svf_band(settings, band * BAND_SETTINGS, settings[RAMP_FRAMES], memory, band * size, y, y, channels, frames)


def _shelf(name: str, default_hz: float) -> tuple[Parameter, ...]:
    words = name.replace("_", " ")
    return (
        Parameter(f"{name}_hz", default_hz, 20.0, 20_000.0, doc=f"midpoint of the {words}"),
        Parameter(f"{name}_gain_db", 0.0, -24.0, 24.0, doc=f"gain of the {words}"),
    )


def _peak(name: str, default_hz: float) -> tuple[Parameter, ...]:
    return (
        Parameter(f"{name}_hz", default_hz, 20.0, 20_000.0, doc=f"centre of {name}"),
        Parameter(f"{name}_q", 1.0, 0.1, 20.0, doc=f"quality of {name}: narrower with more"),
        Parameter(f"{name}_gain_db", 0.0, -24.0, 24.0, doc=f"gain of {name}"),
    )


class Eq(KernelNode):
    """Low cut, low shelf, three peaks, high shelf and high cut; each moves in 10 ms to its new setting.

    Parameters
    ----------
    low_cut_hz
        10 to 2000, 12 dB per octave (Butterworth); 10 is off.
    low_shelf_hz, high_shelf_hz
        20 to 20000, midpoints; slope of Q 0.7071.
    peak1_hz, peak2_hz, peak3_hz
        20 to 20000, centres.
    peak1_q, peak2_q, peak3_q
        0.1 to 20.
    low_shelf_gain_db, peak1_gain_db, peak2_gain_db, peak3_gain_db, high_shelf_gain_db
        -24 to 24; a band at 0 costs a copy and returns its input's bits.
    high_cut_hz
        1000 to 20000, 12 dB per octave (Butterworth); 20000 is off.

    Notes
    -----
    Latency: 0. Frequencies above 0.49 of the sample rate are moved down to it. Responses: `vcfx_dsp.core.svf`.
    """

    kind: ClassVar[str] = "eq"
    PARAMETERS = (
        Parameter("low_cut_hz", LOW_CUT_OFF_HZ, LOW_CUT_OFF_HZ, 2_000.0, doc="removes what lies below; 10 is off"),
        *_shelf("low_shelf", 150.0),
        *_peak("peak1", 300.0),
        *_peak("peak2", 1_200.0),
        *_peak("peak3", 3_500.0),
        *_shelf("high_shelf", 8_000.0),
        Parameter(
            "high_cut_hz", HIGH_CUT_OFF_HZ, 1_000.0, HIGH_CUT_OFF_HZ, doc="removes what lies above; 20000 is off"
        ),
    )
    kernel = _eq

    def bands(self, spec: ProcessSpec) -> list[list[float]]:
        """Return the coefficients of every band, in the order in which they run."""
        value: Mapping[str, float] = {name: float(given) for name, given in self._parameters.items()}
        rows = [_cut("highpass", value["low_cut_hz"], LOW_CUT_OFF_HZ, spec.sample_rate)]
        for name, band_type in (
            ("low_shelf", "low_shelf"),
            ("peak1", "peak"),
            ("peak2", "peak"),
            ("peak3", "peak"),
            ("high_shelf", "high_shelf"),
        ):
            q = value.get(f"{name}_q", BUTTERWORTH_Q)
            rows.append(svf_coefficients(band_type, value[f"{name}_hz"], q, value[f"{name}_gain_db"], spec.sample_rate))
        rows.append(_cut("lowpass", value["high_cut_hz"], HIGH_CUT_OFF_HZ, spec.sample_rate))
        return rows

    def settings(self, spec: ProcessSpec) -> list[float]:
        """Five coefficients for each band, and the ramp's length in frames."""
        return [number for band in self.bands(spec) for number in band] + [RAMP_MS * 1e-3 * spec.sample_rate]

    def initial_state(self, spec: ProcessSpec) -> State:
        """Coefficients at rest, integrators empty."""
        memory = [number for band in self.bands(spec) for number in svf_memory(band, spec.channels)]
        return State(self.settings(spec), memory=memory)

    @property
    def tail_samples(self) -> int:
        """Frames until a full-scale signal has rung out to -120 dBFS under the present settings: a bound."""
        return svf_tail_frames(self.bands(self.spec))


def _cut(band_type: str, cutoff_hz: float, off_hz: float, sample_rate: int) -> list[float]:
    """Return a Butterworth cut, or at `off_hz` a flat band with the same poles."""
    band = svf_coefficients(band_type, cutoff_hz, BUTTERWORTH_Q, 0.0, sample_rate)
    return band if cutoff_hz != off_hz else [*band[:2], 1.0, 0.0, 0.0]
