"""Normalised cross-correlation of the newest window with its past, and the best peaks of it."""

from __future__ import annotations

from typing import Any

from .kernel import compiled


@compiled
def correlate_with_past(
    signal: Any, start: int, window: int, shortest: int, longest: int, floor: float, out: Any
) -> None:
    """Fill ``out[lag - shortest]`` with the normalised correlation of a window with the one `lag` samples before.

    `signal` holds ``longest + window`` samples from `start` on, the newest window last. `floor` is an energy added to
    both windows, so that hum and hiss far below it do not look periodic.
    """
    lags = longest - shortest + 1
    newest = start + longest
    for index in range(lags):
        out[index] = 0.0
    energy = floor
    for frame in range(window):
        value = signal[newest + frame]
        energy += value * value
        base = newest + frame - longest
        # Backwards over lags, so that the inner loop runs forwards over memory and becomes vector code.
        for index in range(lags):
            out[index] += value * signal[base + index]
    past = floor
    for frame in range(window):
        value = signal[start + frame]
        past += value * value
    for index in range(lags):
        out[index] /= (energy * past) ** 0.5
        leaving, entering = signal[start + index], signal[start + index + window]
        past = max(past + entering * entering - leaving * leaving, floor)
    for index in range(lags // 2):
        other = lags - 1 - index
        out[index], out[other] = out[other], out[index]


@compiled
def peak_offset(before: float, peak: float, after: float) -> float:
    """Return where the parabola through three values has its top, in steps from the middle one."""
    curvature = before - 2.0 * peak + after
    if curvature >= 0.0:
        return 0.0
    offset = 0.5 * (before - after) / curvature
    return min(max(offset, -0.5), 0.5)


@compiled
def peak_height(before: float, peak: float, after: float) -> float:
    """Return the height of that top."""
    height: float = peak - 0.25 * (before - after) * peak_offset(before, peak, after)
    return height


@compiled
def pick_candidates(
    nccf: Any,
    lags: int,
    shortest: int,
    first: int,
    lag_weight: float,
    lag_out: Any,
    score_out: Any,
    height_out: Any,
    most: int,
) -> int:
    """Write the `most` best peaks, by height less a penalty for long lags; return how many there are.

    ``nccf[0]`` stands for the lag `shortest`; peaks are looked for from index `first` on. What rumbles below the voice
    correlates at all short lags alike: a peak is as high as it stands above the lowest correlation at shorter lags,
    as far as that is positive.
    """
    found = 0
    trough = nccf[0]
    for index in range(1, lags - 1):
        before, peak, after = nccf[index - 1], nccf[index], nccf[index + 1]
        trough = min(trough, peak)
        if index < first or peak < 0.2 or peak < before or peak <= after:
            continue
        slow = max(trough, 0.0)
        height = (min(peak_height(before, peak, after), 1.0) - slow) / (1.0 - slow + 1e-9)
        if height < 0.2:
            continue
        lag = shortest + index + peak_offset(before, peak, after)
        score = height * (1.0 - lag_weight * lag)
        slot = found
        if found == most:
            slot = 0
            for other in range(1, most):
                if score_out[other] < score_out[slot]:
                    slot = other
            if score_out[slot] >= score:
                continue
        else:
            found += 1
        lag_out[slot], score_out[slot], height_out[slot] = lag, score, height
    return found
