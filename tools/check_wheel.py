"""Checks a wheel's contents against the repository: every package file is in it, and nothing else.

The wheel, and the source archive if it is named, must hold the networks, the voices and the presets: hatchling leaves
out what .gitignore names without a word.

usage: python tools/check_wheel.py WHEEL [SOURCE_ARCHIVE]
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from fnmatch import fnmatchcase
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: folder in the repository -> folder in the wheel
PLACES = {
    "vcfx/": "vcfx/",
    "dsp/vcfx_dsp/": "vcfx_dsp/",
    "models/vcfx_models/": "vcfx_models/",
    "presets/": "vcfx/_presets/",
}
#: what both archives must hold -> how many at least
DATA = {
    "*vcfx_models/weights/encoder.*onnx": 1,
    "*vcfx_models/weights/decoder.*onnx": 1,
    "*vcfx_models/weights/colour.*onnx": 1,
    "*vcfx_models/weights/speaker.onnx": 1,
    "*vcfx_models/voices/*.vcfxvoice": 12,
    "*vcfx_models/voices/publisher.pub": 1,
    "*presets/*.toml": 20,
}


def source_files() -> list[str]:
    """Return the package files: those that git tracks, or all of them where there is no git repository."""
    listing = subprocess.run(["git", "ls-files", *PLACES], cwd=ROOT, check=False, capture_output=True, text=True)
    if listing.returncode == 0 and listing.stdout:
        return listing.stdout.splitlines()
    files = [path for place in PLACES for path in (ROOT / place).rglob("*") if path.is_file()]
    return [path.relative_to(ROOT).as_posix() for path in files if "__pycache__" not in path.parts]


def expected() -> set[str]:
    """Return the names that the package files should have in the wheel."""
    return {
        there + name.removeprefix(here)
        for name in source_files()
        for here, there in PLACES.items()
        if name.startswith(here) and not name.endswith(".gitkeep")
    }


def contents(wheel: Path) -> set[str]:
    """Return the names in the wheel, its own metadata aside."""
    with zipfile.ZipFile(wheel) as archive:
        return {name for name in archive.namelist() if ".dist-info/" not in name}


def source_contents(archive: Path) -> set[str]:
    """Return the names in a source archive."""
    with tarfile.open(archive) as opened:
        return set(opened.getnames())


def lacking(names: set[str]) -> list[str]:
    """Return one sentence for each kind of data of which there is too little."""
    counts = {pattern: sum(fnmatchcase(name, pattern) for name in names) for pattern in DATA}
    return [f"has {counts[each]} of {each}; needed: {least}" for each, least in DATA.items() if counts[each] < least]


def main() -> int:
    """Compare, print, return the exit code."""
    wheel, *sources = map(Path, sys.argv[1:])
    wanted, found = expected(), contents(wheel)
    for name in sorted(wanted - found):
        print(f"{wheel.name}: {name} is missing")
    for name in sorted(found - wanted):
        print(f"{wheel.name}: {name} does not belong there")
    complete = wanted == found
    names = {wheel: found} | {archive: source_contents(archive) for archive in sources}
    for archive, held in names.items():
        for sentence in lacking(held):
            complete = False
            print(f"{archive.name}: {sentence}")
        print(f"{archive.name}: {len(held)} files, {archive.stat().st_size / 1e6:.1f} MB")
    return int(not complete)


if __name__ == "__main__":
    sys.exit(main())
