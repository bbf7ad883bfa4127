"""What came of converting one file."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one file.

    Parameters
    ----------
    input, output
        Names as given.
    preset
        Name.
    seconds
        Length of the input's sound.
    sample_rate, channels
        Of the output: Hz; count.
    times_real_time
        `seconds` over the time taken to open, read, render, write and close.
    prepare_seconds
        What preparing the renderer took besides: compiling, loading; next to nothing if it was used before.
    latency_removed_samples
        Frames taken off the front at the input's rate, so that output lines up with input.
    clipped_samples
        Samples above full scale, which were held there unless the output is floating point: then none is counted.
    non_finite_samples
        NaN and infinity, replaced by 0.
    note
        One sentence on something odd that did not prevent the conversion, or "".
    error
        One sentence, or None if all went well.
    error_kind
        "" if all went well; "refused" for what a person can mend; "failed", "crashed" or "stalled" otherwise.
    """

    input: str
    output: str
    preset: str = ""
    seconds: float = 0.0
    sample_rate: int = 0
    channels: int = 0
    times_real_time: float = 0.0
    prepare_seconds: float = 0.0
    latency_removed_samples: int = 0
    clipped_samples: int = 0
    non_finite_samples: int = 0
    note: str = ""
    error: str | None = None
    error_kind: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return what `vcfx convert --json` prints."""
        return asdict(self)
