"""Spectrograms and F0 tracks as small PNG files."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from .cache import Cache
from .corpus import read_manifest
from .errors import EvaluationError
from .measure import Material, Meters, load_material
from .melody import FRAME_S
from .packages import package
from .protocol import Conversion
from .sound import Sound

Record = Mapping[str, Any]

CONVERSIONS_SHOWN: Final = 3
RATE_HZ: Final = 24_000
RANGE_DB: Final = 75.0
#: Pictures of quieter sounds are not brightened: silence stays black.
QUIETEST_FULL_SCALE_DB: Final = 10.0
WIDTH_INCHES: Final = 8.0
PANEL_INCHES: Final = 1.5
DOTS_PER_INCH: Final = 90
#: Tried in turn until the file is small enough.
COLOURS: Final = (64, 32, 16, 8, 4)
LARGEST_BYTES: Final = 145_000
LONGEST_S: Final = 8.0


def draw_pictures(
    runs: Sequence[Record], odd: Sequence[Record], corpus: Path, cache: Cache, folder: Path
) -> list[tuple[str, Path]]:
    """Draw what a report shows and return captions with files.

    Raises
    ------
    EvaluationError
        If the cache lacks a sound that a run made.
    """
    pictures = []
    for conversion in _shown_conversions(runs, corpus):
        material = load_material(corpus, conversion)
        outputs = _outputs(runs, conversion, cache)
        caption = f"{conversion.id} ({conversion.genders}): {conversion.source.name} as {conversion.target.speaker}"
        pictures.append((f"Spectrograms, {caption}", folder / f"spectrograms_{conversion.id}.png"))
        panels = {"source": material.source, **outputs, "target": material.judged_by}
        draw_spectrograms(pictures[-1][1], panels)
        pictures.append((f"F0, {caption}", folder / f"f0_{conversion.id}.png"))
        draw_f0(pictures[-1][1], material, outputs, Meters(cache))
    for record in odd:
        path = folder / f"odd_{record['system']}.png"
        pictures.append((f"Odd inputs (left) through {record['system']} (right)", path))
        first = {row["kind"]: row for row in reversed(record["odd"])}
        rows = [first[kind] for kind in dict.fromkeys(row["kind"] for row in record["odd"])]
        draw_sheet(path, [(row["kind"], _kept(cache, row["input"]), _kept(cache, row["sound"])) for row in rows])
    return pictures


def _shown_conversions(runs: Sequence[Record], corpus: Path) -> list[Conversion]:
    """The first conversions, of different genders, that every run has."""
    if not runs:
        return []
    clips = {clip.path: clip for clip in read_manifest(corpus)}
    known = [{(row["source"], row["target"]) for row in run["rows"]} for run in runs]
    found: dict[str, Conversion] = {}
    for row in runs[0]["rows"]:
        if all((row["source"], row["target"]) in pairs for pairs in known):
            conversion = Conversion(row["id"], clips[row["source"]], clips[row["target"]])
            found.setdefault(conversion.genders, conversion)
    return list(found.values())[:CONVERSIONS_SHOWN]


def _outputs(runs: Sequence[Record], conversion: Conversion, cache: Cache) -> dict[str, Sound]:
    """What each run that says the source's words made of it; the floor would only show the source again."""
    found = {}
    for run in runs:
        pair = (conversion.source.path, conversion.target.path)
        row = next(row for row in run["rows"] if (row["source"], row["target"]) == pair)
        if "f0_correlation" in row and run["system"] != "none":
            found[run["system"]] = _kept(cache, row["sound"])
    return found


def _kept(cache: Cache, key: str) -> Sound:
    sound = cache.sound(key)
    if sound is None:
        raise EvaluationError(f"the cache '{cache.folder}' lacks sound {key} of a run; run it again with this cache")
    return sound


def spectrogram_db(sound: Sound) -> npt.NDArray[np.float32]:
    """Return (bins, frames) in dB below the loudest point: 32 ms windows every 8 ms at 24 kHz."""
    audio = sound.at(RATE_HZ).audio[: round(LONGEST_S * RATE_HZ)]
    window, hop = 768, 192
    padded = np.pad(audio, (window // 2, window))
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop] * np.hanning(window)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    levels = 10 * np.log10(np.maximum(power, 1e-9))
    picture: npt.NDArray[np.float32] = np.clip(
        levels.T - max(float(levels.max()), QUIETEST_FULL_SCALE_DB), -RANGE_DB, 0.0
    ).astype(np.float32)
    return picture


def _figure(rows: int, columns: int, panel_inches: float = PANEL_INCHES) -> tuple[Any, Any]:
    package("matplotlib").use("Agg")
    size = (WIDTH_INCHES, panel_inches * rows + 0.4)
    figure, axes = package("matplotlib.pyplot").subplots(rows, columns, figsize=size, squeeze=False)
    return figure, axes


def _show(axis: Any, sound: Sound, title: str) -> None:
    extent = (0.0, min(sound.seconds, LONGEST_S), 0.0, RATE_HZ / 2000)
    picture = spectrogram_db(sound)
    axis.imshow(picture, origin="lower", aspect="auto", extent=extent, cmap="magma", vmin=-RANGE_DB, vmax=0)
    axis.set_title(title, fontsize=8, loc="left", pad=2)
    axis.set_ylabel("kHz", fontsize=7)
    axis.tick_params(labelsize=6)


def _save(path: Path, figure: Any) -> None:
    """Save with few colours, which keeps spectrograms small."""
    figure.tight_layout(pad=0.4)
    whole = io.BytesIO()
    figure.savefig(whole, dpi=DOTS_PER_INCH)
    package("matplotlib.pyplot").close(figure)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.stem}.part.png")
    image = package("PIL.Image").open(whole).convert("RGB")
    for colours in COLOURS:
        image.quantize(colours, dither=0).save(temporary, optimize=True)
        if temporary.stat().st_size <= LARGEST_BYTES:
            break
    temporary.replace(path)


def draw_spectrograms(path: Path, panels: Mapping[str, Sound]) -> None:
    """Draw sounds one below the other."""
    figure, axes = _figure(len(panels), 1)
    for axis, (title, sound) in zip(axes[:, 0], panels.items(), strict=True):
        _show(axis, sound, title)
    _save(path, figure)


def draw_sheet(path: Path, rows: Sequence[tuple[str, Sound, Sound]]) -> None:
    """Draw pairs of sounds, one pair a line."""
    figure, axes = _figure(len(rows), 2, panel_inches=0.6 * PANEL_INCHES)
    for (left, right), (title, before, after) in zip(axes, rows, strict=True):
        _show(left, before, title)
        _show(right, after, "")
    _save(path, figure)


def draw_f0(path: Path, material: Material, outputs: Mapping[str, Sound], meters: Meters) -> None:
    """Draw the F0 of source and outputs over time, with the target's median."""
    figure, axes = _figure(1, 1, panel_inches=2 * PANEL_INCHES)
    axis = axes[0, 0]
    for name, sound in {"source": material.source, **outputs}.items():
        track = np.asarray(meters.f0_hz(sound))
        axis.plot(np.arange(track.size) * FRAME_S, np.where(track > 0, track, np.nan), ".", markersize=2.5, label=name)
    judged = np.asarray(meters.f0_hz(material.judged_by))
    if np.any(judged > 0):
        axis.axhline(float(np.median(judged[judged > 0])), color="grey", linestyle=":", label="target's median")
    axis.set_yscale("log")
    axis.set_yticks([60, 80, 100, 150, 200, 300, 400], ["60", "80", "100", "150", "200", "300", "400"])
    axis.minorticks_off()
    axis.set_ylabel("Hz", fontsize=7)
    axis.tick_params(labelsize=6)
    axis.set_xlabel("s", fontsize=7)
    axis.legend(fontsize=7, markerscale=3)
    _save(path, figure)
