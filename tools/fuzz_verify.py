"""Feed damaged files with metadata and content credentials to `vcfx verify` and count what happens.

    python tools/fuzz_verify.py --count 5000 --seed 1 [--keep FOLDER]

Small files of every format, with what vcfx writes into them, are damaged as `tools/fuzz_files.py` damages them, and
read in a child process with a time and a memory limit. The aim: each is read or refused with a sentence; none crashes,
hangs or raises anything else. Exit code 1 if one does; --keep stores it.
"""

from __future__ import annotations

import argparse
import collections
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from fuzz_files import mutated, unchanged_within, valid_files

from vcfx.errors import VcfxError
from vcfx.provenance.credentials import SIGNED_CONTAINERS, sign_file
from vcfx.provenance.disclosure import Disclosure, SpokenVoice
from vcfx.provenance.tags import write_tags
from vcfx.provenance.verification import verify_file

SPOKEN: Final = Disclosure((SpokenVoice("anna", "0" * 16, "1" * 16, "2" * 16),), ("pitch",), 7, "2026-11-22T18:00:00Z")
BATCH: Final = 200
BATCH_LIMIT_S: Final = 240.0
MEMORY_LIMIT_MIB: Final = 3072
CONTAINERS: Final = {"flac": "FLAC", "mp3": "MP3", "ogg": "OGG", "opus": "OGG", "aiff": "AIFF", "wav": "WAV"}


def seeds_with_papers(folder: Path) -> dict[str, bytes]:
    """Return short files of every format, with metadata where vcfx writes some and credentials where it can."""
    found = valid_files(folder)
    for name in list(found):
        path, container = folder / name, CONTAINERS.get(Path(name).suffix[1:])
        if container is None or "adpcm" in name:
            continue
        write_tags(path, container, SPOKEN, {"comment": SPOKEN.sentence})
        found[name] = path.read_bytes()
        signed = folder / f"signed-{name}"
        if container in SIGNED_CONTAINERS and not path.read_bytes().startswith(b"RF64"):
            sign_file(path, signed, container, SPOKEN)
            found[signed.name] = signed.read_bytes()
    return found


def damaged(seeds: dict[str, bytes], count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Give damaged files as name and content."""
    chance, names = random.Random(seed), sorted(seeds)
    for number in range(count):
        name = names[number % len(names)]
        yield f"{number:06}-{name}", mutated(chance, seeds[name])


def read_all(folder: Path) -> None:
    """Read every file of a folder and say, a line each, what came of it; runs in a process of its own."""
    unchanged_within(str(MEMORY_LIMIT_MIB))
    for path in sorted(folder.iterdir()):
        print(json.dumps([path.name, "begun"]), flush=True)
        try:
            report = verify_file(path, lambda done, in_all: None)
            state = report.credentials.state if report.credentials else "none"
            verdict = f"read, metadata {'whole' if report.says_all else 'lost'}, credentials {state}"
        except (VcfxError, MemoryError):
            verdict = "refused"
        except Exception as error:
            verdict = f"raised {type(error).__name__}: {error}"
        print(json.dumps([path.name, verdict]), flush=True)


def verdicts(folder: Path) -> dict[str, str]:
    """Return what a child process made of each file; of one that ended it, how."""
    found: dict[str, str] = {}
    while any(folder.iterdir()):
        argv = [sys.executable, __file__, "--read", str(folder)]
        try:
            done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=BATCH_LIMIT_S)
            told, ending = done.stdout, f"crashed with exit code {done.returncode}"
        except subprocess.TimeoutExpired as error:
            told, ending = error.stdout or b"", "hung"
        for line in told.decode().splitlines():
            name, verdict = json.loads(line)
            found[name] = ending if verdict == "begun" else verdict
        if not told:
            raise SystemExit(f"the child process says nothing: {ending}")
        for path in list(folder.iterdir()):
            if path.name in found:
                path.unlink()
    return found


def fuzz(count: int, seed: int, keep: Path | None) -> collections.Counter[str]:
    """Damage and read `count` files."""
    tally: collections.Counter[str] = collections.Counter()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        (Path(name) / "valid").mkdir()
        seeds = seeds_with_papers(Path(name) / "valid")
        for start in range(0, count, BATCH):
            batch = dict(damaged(seeds, min(BATCH, count - start), seed * 1_000_003 + start))
            folder = Path(name) / f"batch-{start}"
            folder.mkdir()
            for file, content in batch.items():
                (folder / file).write_bytes(content)
            for file, verdict in verdicts(folder).items():
                tally[verdict] += 1
                if is_bad(verdict):
                    print(f"{file}: {verdict}", file=sys.stderr, flush=True)
                    if keep is not None:
                        keep.mkdir(parents=True, exist_ok=True)
                        (keep / file).write_bytes(batch[file])
            print(f"{start + len(batch)} tried: {dict(tally)}", file=sys.stderr, flush=True)
    return tally


def is_bad(verdict: str) -> bool:
    """Whether that must not happen."""
    return not verdict.startswith(("read", "refused"))


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="copy what crashed, hung or failed into this folder")
    parser.add_argument("--read", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.read is not None:
        read_all(options.read)
        return 0
    started = time.monotonic()
    tally = fuzz(options.count, options.seed, options.keep)
    print(f"seed {options.seed}: {options.count} tried in {time.monotonic() - started:.0f} s: {dict(tally)}")
    return 1 if any(map(is_bad, tally)) else 0


if __name__ == "__main__":
    sys.exit(main())
