"""What bands the equaliser's parameters mean."""

from __future__ import annotations

from collections.abc import Mapping

from reference.filter import Band

FLATTEST_Q = 1 / 2**0.5


def bands_of(parameters: Mapping[str, float]) -> list[Band]:
    bands: list[Band] = []
    if parameters["low_cut_hz"] > 10:
        bands.append(("highpass", parameters["low_cut_hz"], FLATTEST_Q, 0))
    bands.append(("low_shelf", parameters["low_shelf_hz"], FLATTEST_Q, parameters["low_shelf_gain_db"]))
    for name in ("peak1", "peak2", "peak3"):
        bands.append(("peak", parameters[f"{name}_hz"], parameters[f"{name}_q"], parameters[f"{name}_gain_db"]))
    bands.append(("high_shelf", parameters["high_shelf_hz"], FLATTEST_Q, parameters["high_shelf_gain_db"]))
    if parameters["high_cut_hz"] < 20_000:
        bands.append(("lowpass", parameters["high_cut_hz"], FLATTEST_Q, 0))
    return bands
