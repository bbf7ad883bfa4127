"""Read mutated voice bundles, locked bundles, revocation lists, lists of trusted keys and audit logs.

usage: python tools/fuzz_bundles.py [--seed N] [--count N] [--kinds KIND;...] [--keep FOLDER]

Bundles are changed byte by byte, and part by part with a signature that fits again, as a forger with a key of his own
would. Each is refused with one sentence or read. It is broken if anything else is raised, if it takes longer than 5 s,
or if what was changed without the key is taken for good. Exit code 1 if anything broke; --keep stores it.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import copy
import hashlib
import json
import os
import random
import signal
import sqlite3
import struct
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

from vcfx_models.errors import VoiceError
from vcfx_models.papers import audit, sealing
from vcfx_models.papers.admission import refusal
from vcfx_models.papers.bundle import MAGIC, read_bundle, write_bundle
from vcfx_models.papers.consent import USES, Consent, format_time, new_consent_id
from vcfx_models.papers.keys import PUBLIC_BYTES, SIGNATURE_BYTES, SigningKey
from vcfx_models.papers.revocation import read_notices, revoke, write_notices
from vcfx_models.papers.trust import trust_key, trusted_keys, trusted_path
from vcfx_models.voice_file import Voice, _digest, _parse

TIME_LIMIT_S = 5
KEY, FORGER = SigningKey.from_bytes(b"somebody" * 4), SigningKey.from_bytes(b"a forger" * 4)
PASSPHRASE = "open sesame"
EXTREMES = (0, 1, 2, 0x7F, 0xFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
ODD_VALUES: tuple[Any, ...] = (
    *(None, True, 0, -1, 1e308, 10**400, "", " ", "\0", "a\nb", "\x1b[2J", "\u202e", "\u200b", "\ud800", "\u3164"),
    *("x" * 1_001, "e" + "\u0301" * 9, [], {}, [[]], [None], {"a": {}}, ["live"] * 9, "0" * 16, "f" * 64, "0" * 63),
    *("2026-11-22T18:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "2026-1-2T3:4:5Z", "nan", "spoken"),
    *("synthetic", "licence", "passed", ["live", "files", "speech"], {"__proto__": 1}, "F32", "BF16", "I64", [0, 4]),
)
ODD_TEXTS = (
    b"NaN",
    b"Infinity",
    b"[" * 3_000,
    b"9" * 5_000,
    b'{"a":1,"a":2}',
    b"\xff",
    b"\xef\xbb\xbf",
    b"null",
    b'""',
)
ODD_SQL = (
    "UPDATE entries SET {column} = {value} WHERE number = {number}",
    "DELETE FROM entries WHERE number = {number}",
    "DELETE FROM entries WHERE number > {number}",
    "INSERT INTO entries SELECT {number} + 20, at, event, detail, hash FROM entries WHERE number = {number}",
    "UPDATE entries SET number = number + 50 WHERE number = {number}",
    "UPDATE head SET {head} = {value}",
    "DELETE FROM head",
    "DROP TABLE {table}",
    "DROP INDEX revocations",
    "CREATE TABLE more (a)",
    "PRAGMA user_version = {number}",
    "VACUUM",
)
SQL_VALUES = ("NULL", "''", "'x'", "x'00ff'", "0", "-1", "9223372036854775807", "1e300", "hash", "at", "detail", "'[]'")


@dataclass(slots=True)
class Tally:
    """What came of all mutations.

    Parameters
    ----------
    counts
        Kind and verdict -> how many; verdicts: "refused", "equal" (nothing that counts was changed), "read" (signed
        anew by the forger, and well formed), and what must stay 0: "forged", "crashed", "slow".
    bad
        What broke it: kind, verdict, content.
    longest_s
        The longest that one took.
    """

    counts: collections.Counter[tuple[str, str]] = field(default_factory=collections.Counter)
    bad: list[tuple[str, str, bytes]] = field(default_factory=list)
    longest_s: float = 0.0

    def add(self, kind: str, content: bytes, look: Callable[[bytes], str]) -> None:
        """Look at one, and count what came of it."""
        start_s = time.perf_counter()
        try:
            with _limited():
                verdict = look(content)
        except VoiceError as error:
            verdict = "refused" if str(error).isprintable() and len(str(error)) < 2_000 else "crashed"
        except TimeoutError:
            verdict = "slow"
        except Exception:
            traceback.print_exc()
            verdict = "crashed"
        self.longest_s = max(self.longest_s, time.perf_counter() - start_s)
        self.counts[kind, verdict] += 1
        if verdict in ("forged", "crashed", "slow"):
            self.bad.append((kind, verdict, content))


@contextlib.contextmanager
def _limited() -> Iterator[None]:
    """Let nothing take for ever, where the system has alarms."""

    def stop(*_: object) -> None:
        raise TimeoutError

    if not hasattr(signal, "SIGALRM"):
        yield
        return
    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(TIME_LIMIT_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def good_bundle(key: SigningKey = KEY) -> bytes:
    """Return a bundle that may be used for an hour."""
    rng, now = np.random.default_rng(1), datetime.now(UTC)
    embedding = rng.standard_normal(256)
    spectrum = rng.uniform(0.3, 0.7, 160).astype(np.float32)
    voice = Voice("zoe", (embedding / np.linalg.norm(embedding)).astype(np.float32), spectrum, 5.0, 0.2, 150.0)
    until, hashes = format_time(now + timedelta(hours=1)), ("0" * 64, "f" * 64)
    consent = Consent(
        new_consent_id(), "Zo\u00eb", "spoken", USES, "tests", format_time(now), until, "Yes.", hashes[0], hashes
    )
    return write_bundle(voice, consent, key, format_time(now), "Somebody's studio")


def mutated_bytes(chance: random.Random, content: bytes) -> bytes:
    """Flip bits, change, drop, double or insert bytes, cut, or write extreme lengths."""
    data = bytearray(content)
    for _ in range(chance.choice((1, 1, 1, 2, 8))):
        at, length = chance.randrange(len(data) + 1), chance.randint(1, 40)
        what = chance.randrange(6)
        if what == 0 and data:
            data[at % len(data)] ^= 1 << chance.randrange(8)
        elif what == 1:
            data[at : at + length] = chance.choice((b"", chance.randbytes(length), bytes(length), b"\xff" * length))
        elif what == 2:
            data[at:at] = data[chance.randrange(len(data) + 1) :][:length]
        elif what == 3 and len(data) > 8:
            struct.pack_into("<I", data, chance.randrange(len(data) - 4), chance.choice(EXTREMES))
        elif what == 4:
            data[at:at] = chance.choice(ODD_TEXTS)
        elif chance.random() < 0.3:
            del data[at:]
    return bytes(data)


def mutated_json(chance: random.Random, text: bytes) -> bytes:
    """Give some places of a JSON text other values, drop or add keys, or change its bytes."""
    document = json.loads(text)
    for _ in range(chance.choice((1, 1, 2))):
        tables = list(_tables(document))
        table = chance.choice(tables) if tables else None
        value = copy.deepcopy(chance.choice(ODD_VALUES))
        if isinstance(table, dict):
            keys = [*table, chance.choice(("also", "__metadata__", "name", ""))]
            key = chance.choice(keys)
            if chance.random() < 0.15:
                table.pop(key, None)
            else:
                table[key] = value
        elif isinstance(table, list):
            table.insert(chance.randint(0, len(table)), value)
    changed = json.dumps(document).encode()
    return mutated_bytes(chance, changed) if chance.random() < 0.2 else changed


def _tables(document: Any) -> Iterator[Any]:
    if isinstance(document, (dict, list)):
        yield document
        for value in document.values() if isinstance(document, dict) else document:
            yield from _tables(value)


def signed_again(chance: random.Random, bundle: bytes) -> bytes:
    """Change papers or voice, and sign the whole as somebody else."""
    (size,) = struct.unpack_from("<I", bundle, len(MAGIC))
    start = len(MAGIC) + 4
    papers, voice = bundle[start : start + size], bundle[start + size + 4 : -PUBLIC_BYTES - SIGNATURE_BYTES]
    if chance.random() < 0.5:
        voice = _mutated_voice(chance, voice)
        fitting = json.loads(papers) | {"voice_sha256": hashlib.sha256(voice).hexdigest()}
        papers = json.dumps(fitting).encode()
    else:
        papers = mutated_json(chance, papers)
    lengths = [len(papers), len(voice)]
    if chance.random() < 0.05:
        lengths[chance.randrange(2)] = chance.choice(EXTREMES)
    content = MAGIC + struct.pack("<I", lengths[0]) + papers + struct.pack("<I", lengths[1]) + voice + FORGER.public.raw
    return content + FORGER.sign(content)


def _mutated_voice(chance: random.Random, voice: bytes) -> bytes:
    """Change a safetensors file: its length, its header, its numbers."""
    (size,) = struct.unpack_from("<Q", voice)
    header, numbers = voice[8 : 8 + size], voice[8 + size :]
    what = chance.randrange(4)
    if what == 0:
        header = mutated_json(chance, header)
    elif what == 1:
        numbers = mutated_bytes(chance, numbers)
    elif what == 2:
        return _rewritten_voice(chance, voice)
    else:
        return mutated_bytes(chance, voice)
    length = chance.choice(EXTREMES) if chance.random() < 0.05 else len(header)
    return struct.pack("<Q", length) + header + numbers


def _rewritten_voice(chance: random.Random, voice: bytes) -> bytes:
    """Give a voice other numbers, shapes or texts, and the checksum that fits."""
    arrays, metadata = _parse(voice, "fuzz")
    name = chance.choice([*arrays, "also"])
    array = np.array(arrays.get(name, arrays["f0"]))
    what = chance.randrange(4)
    if what == 0:
        array.flat[chance.randrange(array.size)] = chance.choice((np.nan, np.inf, -1e30, 1e-40, 0.0, 0.1, 99.0))
    elif what == 1:
        array = array.astype(chance.choice((np.float16, np.float64, np.int8, np.uint64, np.bool_)))
    elif what == 2:
        array = chance.choice((array[:0], array[:-1], array.reshape(1, -1), np.zeros(()), np.tile(array, 2)))
    else:
        texts = [value for value in ODD_VALUES if isinstance(value, str) and value != "\ud800"]
        metadata[chance.choice(("name", "source", "gender", "vcfx_voice", "also"))] = chance.choice(texts)
    arrays = arrays | {name: np.ascontiguousarray(array)}
    metadata.pop("digest")
    return bytes(save(arrays, {**metadata, "digest": _digest(arrays, metadata)}))


class Stage:
    """The good files, in a folder of their own, and how each kind is changed and looked at."""

    def __init__(self, folder: Path) -> None:
        os.environ["VCFX_DATA_DIR"] = str(folder / "home")
        self.bundle = good_bundle()
        sealing.COST = 10
        self.locked = sealing.seal(self.bundle, PASSPHRASE)
        self.list = folder / "notices.json"
        notices = [revoke(f"{number:016x}", "2026-11-22T18:00:00Z", "", KEY) for number in range(4)]
        write_notices(self.list, notices)
        self.notices, self.notices_json = notices, self.list.read_bytes()
        for key in (KEY, FORGER):
            trust_key(key.public, "A friend")
        self.trusted, self.trusted_json = trusted_keys(), trusted_path().read_bytes()
        audit.append_all([("used", {"n": number}) for number in range(6)] + [("revoked", {"consent": "0" * 16})] * 2)
        self.log, self.entries = audit.log_path().read_bytes(), list(audit.entries())

    def kinds(self) -> dict[str, tuple[Callable[[random.Random], bytes], Callable[[bytes], str]]]:
        """Return each kind with what changes it and what looks at it."""
        return {
            "bundle, changed": (lambda chance: mutated_bytes(chance, self.bundle), self._look_at_changed),
            "bundle, signed again": (lambda chance: signed_again(chance, self.bundle), self._look_at_signed),
            "locked": (lambda chance: mutated_bytes(chance, self.locked), self._look_at_locked),
            "notices": (lambda chance: self._mutated_list(chance, self.notices_json), self._look_at_notices),
            "trusted": (lambda chance: self._mutated_list(chance, self.trusted_json), self._look_at_trusted),
            "log": (self._mutated_log, self._look_at_log),
        }

    def _mutated_list(self, chance: random.Random, text: bytes) -> bytes:
        return (mutated_bytes if chance.random() < 0.5 else mutated_json)(chance, text)

    def _mutated_log(self, chance: random.Random) -> bytes:
        """Change the file's bytes, or the entries by SQL with the triggers put back."""
        if chance.random() < 0.5:
            return mutated_bytes(chance, self.log)
        path = audit.log_path()
        path.write_bytes(self.log)
        names = {
            "column": chance.choice(("at", "event", "detail", "hash")),
            "head": chance.choice(("number", "hash", "revoked", "signature")),
            "table": chance.choice(("entries", "head")),
            "value": chance.choice(SQL_VALUES),
            "number": chance.randint(1, len(self.entries)),
        }
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as log:
            log.execute("PRAGMA synchronous = OFF")
            triggers = log.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
            for name, _ in triggers:
                log.execute(f"DROP TRIGGER {name}")
            with contextlib.suppress(sqlite3.Error):
                log.execute(chance.choice(ODD_SQL).format(**names))
            for _, sql in triggers:
                with contextlib.suppress(sqlite3.Error):
                    log.execute(sql)
        return path.read_bytes()

    def _look_at_changed(self, content: bytes) -> str:
        read_bundle(content, "fuzz")
        return "equal" if content == self.bundle else "forged"

    def _look_at_signed(self, content: bytes) -> str:
        papers = read_bundle(content, "fuzz").papers
        assert papers is not None
        if papers.issuer != FORGER.public:
            return "forged"
        for use in USES:
            reason = refusal(papers, use)
            assert reason.isprintable()
        return "read"

    def _look_at_locked(self, content: bytes) -> str:
        return "equal" if sealing.unseal(content, PASSPHRASE, "fuzz") == self.bundle else "forged"

    def _look_at_notices(self, content: bytes) -> str:
        self.list.write_bytes(content)
        return "equal" if set(read_notices(self.list)) <= set(self.notices) else "forged"

    def _look_at_trusted(self, content: bytes) -> str:
        trusted_path().write_bytes(content)
        found = trusted_keys()
        assert all(len(bytes.fromhex(key)) == PUBLIC_BYTES and name.isprintable() for key, name in found.items())
        return "equal" if found == self.trusted else "read"  # nobody signs this list: it is the user's own

    def _look_at_log(self, content: bytes) -> str:
        path = audit.log_path()
        path.with_name(f"{path.name}-journal").unlink(missing_ok=True)
        path.write_bytes(content)
        list(audit.entries())  # may say what it likes, in the way that it must
        audit.check_head()
        known = audit.knows_revoked("0" * 16)
        audit.check_chain()
        return "equal" if known and list(audit.entries()) == self.entries else "forged"


def fuzz(seed: int, count: int, kinds: list[str] | None = None) -> Tally:
    """Read `count` mutations of each kind; of locked bundles and logs, which take longer, a twentieth."""
    tally, before = Tally(), os.environ.get("VCFX_DATA_DIR")
    try:
        with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
            chance, stage = random.Random(seed), Stage(Path(name))
            for kind, (change, look) in stage.kinds().items():
                if kinds and kind not in kinds:
                    continue
                (Path(name) / "home" / "papers" / "audit.sqlite").write_bytes(stage.log)
                trusted_path().write_bytes(stage.trusted_json)
                for _ in range(count if kind not in ("locked", "log") else max(1, count // 20)):
                    tally.add(kind, change(chance), look)
    finally:
        os.environ.pop("VCFX_DATA_DIR")
        if before is not None:
            os.environ["VCFX_DATA_DIR"] = before
    return tally


def main() -> int:
    """Run, print, return 1 if anything broke."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=10_000, help="of each kind")
    parser.add_argument("--kinds", help="some of 'bundle, changed;bundle, signed again;locked;notices;trusted;log'")
    parser.add_argument("--keep", type=Path, help="write what broke it into this folder")
    options = parser.parse_args()
    start_s = time.perf_counter()
    tally = fuzz(options.seed, options.count, options.kinds.split(";") if options.kinds else None)
    for (kind, verdict), number in sorted(tally.counts.items()):
        print(f"{kind:22}{verdict:10}{number:8}")
    for number, (kind, verdict, content) in enumerate(tally.bad):
        print(f"{kind}: {verdict}: {content[:200]!r}")
        if options.keep is not None:
            options.keep.mkdir(parents=True, exist_ok=True)
            (options.keep / f"{number:04}").write_bytes(content)
    taken_s, total = time.perf_counter() - start_s, tally.counts.total()
    times = f"longest {tally.longest_s:.2f} s; {taken_s:.0f} s"
    print(f"seed {options.seed}: {total} tried, {len(tally.bad)} broke it; {times}")
    return 1 if tally.bad else 0


if __name__ == "__main__":
    sys.exit(main())
