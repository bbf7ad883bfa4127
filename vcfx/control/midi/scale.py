"""From a controller's position to a value and back."""

from __future__ import annotations

import math

from vcfx.control.live_state import ParameterState
from vcfx_dsp.parameters import Value

from .midi_map import Binding, Curve


def position_of_steps(steps: int, bits: int) -> float:
    """Return the position, 0 to 1, of a controller that counts to 2**bits - 1; its middle step is exactly 0.5."""
    middle = 1 << (bits - 1)
    return 0.5 * steps / middle if steps < middle else 0.5 + 0.5 * (steps - middle) / (middle - 1)


def steps_of_position(position: float, bits: int) -> int:
    """Return the step of a controller that is nearest to a position: what `position_of_steps` undoes."""
    middle = 1 << (bits - 1)
    inside = min(max(position, 0.0), 1.0)
    return round(2 * inside * middle) if inside < 0.5 else middle + round((2 * inside - 1) * (middle - 1))


def value_at(position: float, low: float, high: float, curve: Curve) -> float:
    """Return the value at a position from 0 to 1; `log` needs both ends above 0."""
    if position <= 0.0 or position >= 1.0:
        return high if position >= 1.0 else low  # exactly, whatever rounding would make of it
    if curve == "log":
        return low * math.exp(position * math.log(high / low))
    way = position * position * (3.0 - 2.0 * position) if curve == "s" else position
    return low + (high - low) * way


def position_at(value: float, low: float, high: float, curve: Curve) -> float:
    """Return the position, 0 to 1, at which `value_at` gives a value; that of the nearer end outside the range."""
    if curve == "log":
        low, high, value = math.log(low), math.log(high), math.log(max(value, 1e-300))
    way = min(max((value - low) / (high - low), 0.0), 1.0)
    return 0.5 - math.sin(math.asin(1.0 - 2.0 * way) / 3.0) if curve == "s" else way


def range_of(binding: Binding, parameter: ParameterState) -> tuple[float, float]:
    """Return the values at the lowest and highest position, inside what the parameter allows.

    Raises
    ------
    ValueError
        In words, where there is no such range.
    """
    ends = (binding.low, parameter.minimum), (binding.high, parameter.maximum)
    given = [own if own is not None else limit for own, limit in ends]
    if given[0] is None or given[1] is None:
        raise ValueError(f"{parameter.name} has no end; give low and high")
    low, high = (_inside(end, parameter) for end in given if end is not None)
    if low == high:
        raise ValueError(f"low and high are both {low:g} within what {parameter.name} allows")
    if binding.curve == "log" and min(low, high) <= 0.0:
        raise ValueError(f"{parameter.name} goes from {low:g} to {high:g}; curve = 'log' needs both above 0")
    return low, high


def parameter_value(position: float, binding: Binding, parameter: ParameterState) -> Value:
    """Return what a parameter is set to at a position; raises `ValueError` in words where nothing can be."""
    if parameter.choices:
        return parameter.choices[min(int(position * len(parameter.choices)), len(parameter.choices) - 1)]
    if parameter.text:
        raise ValueError(f"{parameter.name} is text, which no controller can write")
    value = value_at(position, *range_of(binding, parameter), binding.curve)
    return float(round(value)) if parameter.integer else value


def parameter_position(binding: Binding, parameter: ParameterState) -> float:
    """Return the position at which a controller gives the parameter's present value; raises as `parameter_value`."""
    if parameter.choices:
        place = parameter.choices.index(str(parameter.value))
        return place / max(1, len(parameter.choices) - 1)
    if isinstance(parameter.value, str):
        raise ValueError(f"{parameter.name} is text, which no controller can write")
    return position_at(parameter.value, *range_of(binding, parameter), binding.curve)


def _inside(value: float, parameter: ParameterState) -> float:
    lowest = -math.inf if parameter.minimum is None else parameter.minimum
    highest = math.inf if parameter.maximum is None else parameter.maximum
    return min(max(value, lowest), highest)
