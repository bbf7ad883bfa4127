"""One second-order filter band."""

from __future__ import annotations

from typing import ClassVar

from ..core.kernel import kernel, unpack
from ..core.ramp import RAMP_MS
from ..core.svf import BAND_SETTINGS, TYPES, svf_band, svf_coefficients, svf_memory, svf_tail_frames
from ..node import KernelNode, ProcessSpec
from ..parameters import Parameter
from ..state import State


@kernel
def _filter(state: int, block_in: int, block_out: int, channels: int, frames: int) -> None:
    settings, _, memory, _, x, y = unpack(state, block_in, block_out, channels, frames)
    svf_band(settings, 0, settings[BAND_SETTINGS], memory, 0, x, y, channels, frames)


class Filter(KernelNode):
    """A band with the response of the RBJ cookbook that moves in 10 ms to each new setting.

    Parameters
    ----------
    type
        lowpass, highpass, bandpass (0 dB at the centre), notch, peak, low_shelf or high_shelf; not live.
    cutoff_hz
        10 to 20000: corner, centre or shelf midpoint. What lies above 0.49 of the sample rate is moved down to it.
    q
        0.1 to 20; 0.7071 is the flattest lowpass and highpass.
    gain_db
        -24 to 24, of peak and shelves; the other types ignore it. At 0 they return their input's bits.

    Notes
    -----
    Latency: 0. Trapezoidal state-variable form (`vcfx_dsp.core.svf`), stable under any modulation.
    """

    kind: ClassVar[str] = "filter"
    PARAMETERS = (
        Parameter("type", "lowpass", choices=TYPES, live=False, doc="shape of the band"),
        Parameter("cutoff_hz", 1_000.0, 10.0, 20_000.0, doc="corner, centre or shelf midpoint"),
        Parameter("q", 0.7071, 0.1, 20.0, doc="quality: narrower with more"),
        Parameter("gain_db", 0.0, -24.0, 24.0, doc="of peak and shelves"),
    )
    kernel = _filter

    def settings(self, spec: ProcessSpec) -> list[float]:
        """The band's five coefficients, and the ramp's length in frames."""
        band_type, cutoff_hz, q, gain_db = self._parameters.values()
        band = svf_coefficients(str(band_type), float(cutoff_hz), float(q), float(gain_db), spec.sample_rate)
        return [*band, RAMP_MS * 1e-3 * spec.sample_rate]

    def initial_state(self, spec: ProcessSpec) -> State:
        """Coefficients at rest, integrators empty."""
        settings = self.settings(spec)
        return State(settings, memory=svf_memory(settings[:BAND_SETTINGS], spec.channels))

    @property
    def tail_samples(self) -> int:
        """Frames until a full-scale signal has rung out to -120 dBFS under the present settings: a bound."""
        return svf_tail_frames([self.settings(self.spec)[:BAND_SETTINGS]])
