"""Reads mutated presets and fails if anything but `PresetError` comes out.

usage: python tools/fuzz_presets.py [--seed N] [--count N]
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import traceback

from vcfx.errors import PresetError
from vcfx.presets import preset_root, preset_toml, read_preset

TOKENS = [
    *("[", "]", "[[", "]]", "{", "}", "=", ".", ",", "#", '"', "'", '"""', "\n", "\r", "\0", "\\", "\\u0000", "\ufeff"),
    *("nan", "-inf", "0", "-0.0", "1e400", "0x" + "F" * 900, "9" * 5000, "1_000", "true", "[]", "{}", "[[[[1]]]]"),
    *("1979-05-27T07:32:00Z", "07:32:00", '""', '"\\u0007"', '"' + "x" * 2000 + '"', "[1, 2.0, true]", "{ a = 1 }"),
    *("[[chain]]", "[chain]", "[[chain.branch]]", "[[chain.branch.chain]]", "[[send]]", "[[send.chain]]", "[engine]"),
    *('node = "parallel"', 'node = "gain"', 'node = "pedalboard.Reverb"', "schema_version = 2", 'id = "output"'),
    *('from = "input"', 'to = "output"', "bypass = 1", "mix_ratio = 7", "a.b.c.d = 1", "[" * 400, "a." * 400 + "b = 1"),
]


#: Values that many keys accept, so that not every mutant is refused at once.
MILD = ["0", "1", "0.5", "2.0", "-6", "20", "100", "1000", "false", '"deep"', "[]"]


def mutate_bytes(random_source: random.Random, content: bytes) -> bytes:
    """Change, drop, double or insert some bytes."""
    data = bytearray(content)
    for _ in range(random_source.choice([1, 1, 2, 8])):
        at, length = random_source.randrange(len(data) + 1), random_source.randint(1, 12)
        piece = random_source.choice([b"", random_source.randbytes(length), bytes(data[at : at + length]) * 2])
        data[at : at + length] = piece
    return bytes(data)


def mutate_tokens(random_source: random.Random, content: bytes) -> bytes:
    """Insert tokens that mean something in TOML or in a preset."""
    lines = content.decode().split("\n")
    for _ in range(random_source.randint(1, 4)):
        at = random_source.randrange(len(lines))
        token, line = random_source.choice(TOKENS), lines[at]
        place = random_source.randrange(len(line) + 1)
        lines[at] = random_source.choice([token, line + "\n" + token, line[:place] + token + line[place:]])
    return "\n".join(lines).encode()


def mutate_values(random_source: random.Random, content: bytes) -> bytes:
    """Give keys values of other types, and move or repeat whole lines."""
    lines = content.decode().split("\n")
    settings = [at for at, line in enumerate(lines) if "=" in line]
    for at in random_source.sample(settings, random_source.randint(1, 2)):
        key = lines[at].split("=")[0]
        lines[at] = f"{key}= {random_source.choice(random_source.choice([TOKENS, MILD, MILD]))}"
    if random_source.random() < 0.2:
        lines.insert(random_source.randrange(len(lines)), random_source.choice(lines))
    return "\n".join(lines).encode()


def sources() -> list[bytes]:
    """Return the presets to begin with: ours, as they are and as they are written."""
    ours = [item.read_bytes() for item in preset_root().iterdir() if item.name.endswith(".toml")]
    return ours + [preset_toml(read_preset(content, "source.toml")).encode() for content in ours]


def fuzz(seed: int, count: int) -> tuple[int, list[bytes]]:
    """Read `count` mutated presets; returns how many were refused, and those that broke the reader."""
    random_source, begin, refused = random.Random(seed), sources(), 0
    broken: list[bytes] = []
    for _ in range(count):
        mutate = random_source.choice([mutate_bytes, mutate_tokens, mutate_values])
        content = mutate(random_source, random_source.choice(begin))
        try:
            preset = read_preset(content, "fuzz.toml")
            if read_preset(preset_toml(preset).encode(), "again.toml") != preset:
                raise AssertionError("what was written reads back as something else")
        except PresetError as error:
            refused += 1
            if "\n" in str(error) or len(str(error)) > 2000:
                broken.append(content)
        except Exception:
            traceback.print_exc()
            broken.append(content)
    return refused, broken


def main() -> int:
    """Run, print, return 1 if the reader broke."""
    parser = argparse.ArgumentParser(description="read mutated presets; nothing but PresetError may come out")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=5000)
    options = parser.parse_args()
    start = time.perf_counter()
    refused, broken = fuzz(options.seed, options.count)
    for content in broken:
        print(repr(content))
    taken_s = time.perf_counter() - start
    print(f"seed {options.seed}: {options.count} presets, {refused} refused, {len(broken)} broke it; {taken_s:.1f} s")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
