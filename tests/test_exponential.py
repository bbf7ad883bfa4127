from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vcfx_dsp.core.exponential import quick_exp, quick_log


@given(st.floats(1e-300, 1e300))
def test_logarithm_is_as_exact_as_stated(value: float) -> None:
    exact = math.log(value)
    assert abs(quick_log(value) - exact) < 1e-12 + 1e-15 * abs(exact)


@pytest.mark.parametrize("value", [*np.linspace(0.5, 2.0, 301), np.sqrt(0.5), np.nextafter(np.sqrt(0.5), 0)])
def test_logarithm_around_one(value: float) -> None:
    assert abs(quick_log(value) - math.log(value)) < 1e-12


@given(st.floats(-700.0, 700.0))
def test_exponential_is_as_exact_as_stated(value: float) -> None:
    assert quick_exp(value) == pytest.approx(math.exp(value), rel=1e-12, abs=0)


def test_one_and_zero_are_exact() -> None:
    assert quick_log(1.0) == 0.0
    assert quick_exp(0.0) == 1.0
