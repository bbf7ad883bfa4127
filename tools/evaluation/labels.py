"""How figures are called and written for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Label:
    """A figure's name for people, its scale, decimals and unit."""

    text: str
    scale: float = 1.0
    decimals: int = 2
    unit: str = ""


LABELS: Final = {
    "wer_source": Label("WER of the source", 100, 1, " %"),
    "wer_output": Label("WER", 100, 1, " %"),
    "wer_added": Label("WER over the source's (paired)", 100, 1, " points"),
    "cer_source": Label("CER of the source", 100, 1, " %"),
    "cer_output": Label("CER", 100, 1, " %"),
    "cer_added": Label("CER over the source's (paired)", 100, 1, " points"),
    "wer_source_tiny": Label("WER of the source, tiny.en", 100, 1, " %"),
    "wer_output_tiny": Label("WER, tiny.en", 100, 1, " %"),
    "wer_added_tiny": Label("WER over the source's, tiny.en", 100, 1, " points"),
    "phoneme_changes": Label("Phonemes changed, hama", 100, 1, " %"),
    "ge2e_target": Label("Similarity to the target, GE2E", decimals=3),
    "ge2e_source": Label("Similarity to the source, GE2E", decimals=3),
    "ge2e_nearer_target": Label("Nearer to the target than to the source, GE2E", 100, 0, " %"),
    "dvector_target": Label("Similarity to the target, d-vector", decimals=3),
    "dvector_source": Label("Similarity to the source, d-vector", decimals=3),
    "dvector_nearer_target": Label("Nearer to the target than to the source, d-vector", 100, 0, " %"),
    "dnsmos_ovrl": Label("DNSMOS overall"),
    "dnsmos_sig": Label("DNSMOS signal"),
    "dnsmos_bak": Label("DNSMOS background"),
    "f0_correlation": Label("log-F0 correlation with the source"),
    "f0_correlation_steady": Label("log-F0 correlation, where the source's track is steady"),
    "f0_correlation_second": Label("log-F0 correlation with the source, pYIN"),
    "voicing_agreement": Label("Same voicing as the source", 100, 1, " %"),
    "lag_ms": Label("Lag of the loudness", decimals=1, unit=" ms"),
    "level_change_db": Label("Level change", decimals=1, unit=" dB"),
}


def shown(name: str, figure: Mapping[str, Any] | None) -> str:
    """Return a figure with its interval, or a dash where there is none."""
    if figure is None:
        return "-"
    label = LABELS[name]
    mean, low, high = (f"{label.scale * figure[part]:.{label.decimals}f}" for part in ("mean", "low", "high"))
    return f"{mean}{label.unit} [{low}, {high}]"
