"""The sizes of ID3 frames are checked before anybody believes them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vcfx.provenance.credentials import read_credentials
from vcfx.provenance.id3_sizes import frames_fit

SOUND = b"\xff\xfb\x90\x64" + bytes(413)


def sevens(number: int) -> bytes:
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def tag(version: int, frames: bytes, padding: int = 0, flags: int = 0) -> bytes:
    return b"ID3" + bytes((version, 0, flags)) + sevens(len(frames) + padding) + frames + bytes(padding) + SOUND


def frame(version: int, content: bytes, claimed: int | None = None) -> bytes:
    size = len(content) if claimed is None else claimed
    return b"GEOB" + (size.to_bytes(4, "big") if version == 3 else sevens(size)) + bytes(2) + content


@pytest.mark.parametrize("version", [3, 4])
@pytest.mark.parametrize("padding", [0, 5, 300])
def test_whole_tags_fit(tmp_path: Path, version: int, padding: int) -> None:
    path = tmp_path / "x.mp3"
    path.write_bytes(tag(version, frame(version, b"a" * 200) + frame(version, b"b"), padding))
    assert frames_fit(path)


@pytest.mark.parametrize(("version", "claimed"), [(3, 0xAF000019), (3, 600), (4, 0x0FFFFFFF)])
def test_a_frame_that_claims_more_than_there_is_does_not_fit(tmp_path: Path, version: int, claimed: int) -> None:
    path = tmp_path / "x.mp3"
    path.write_bytes(tag(version, frame(version, b"a" * 200) + frame(version, b"jumb c2pa", claimed), 30))
    assert not frames_fit(path)
    found = read_credentials(path)
    assert found is not None
    assert (found.state, found.problem) == ("unread", "its ID3 tag claims more bytes than there are")


def test_no_claim_makes_verify_ask_for_gigabytes(tmp_path: Path) -> None:
    path = tmp_path / "x.mp3"
    path.write_bytes(tag(3, frame(3, b"jumb c2pa", 0xAF000019) + frame(3, bytes(3_000))) + 30 * SOUND)
    program = (
        "import resource, sys; from pathlib import Path; resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30));"
        "from vcfx.provenance.credentials import read_credentials; print(read_credentials(Path(sys.argv[1])).state)"
    )
    env = os.environ | {"OPENBLAS_NUM_THREADS": "1"}  # its threads take address space each
    command = [sys.executable, "-c", program, str(path)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120.0)
    assert (done.returncode, done.stdout.strip()) == (0, "unread"), done.stderr


@given(content=st.binary(max_size=64), head=st.sampled_from([b"", b"ID3", b"ID3\x03\x00\x00", b"ID3\x04\x00\x40"]))
def test_any_bytes_get_an_answer(tmp_path_factory: pytest.TempPathFactory, head: bytes, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.mp3"
    path.write_bytes(head + content)
    assert frames_fit(path) in (True, False)
