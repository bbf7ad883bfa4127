"""What files say of themselves: disclosures, chunks, tags in every format, and that no file appears without."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from file_renderers import delayed_gain
from vcfx.errors import AudioFileError
from vcfx.files import conversion, target
from vcfx.files.formats import FORMATS
from vcfx.offline import renderer_factory, voiced_renderer_factory
from vcfx.presets import NodeEntry, Preset
from vcfx.provenance.chunks import append_chunks, find_chunks
from vcfx.provenance.disclosure import ALTERED, ARTIFICIAL, Disclosure, SpokenVoice, read_disclosure, read_sentence
from vcfx.provenance.tags import MAX_COMMENT, comment_with, read_tags, write_tags
from vcfx.provenance.xmp import xmp_packet

VOICE = SpokenVoice("Änne & Co", "0123456789abcdef", "fedcba9876543210", "1111222233334444")
SPOKEN = Disclosure((VOICE,), (), (2752 << 12) + 4025, "2026-11-22T18:00:00Z")
BENT = Disclosure((), ("pitch",), None, "2026-11-22T19:00:00Z")
PITCH = Preset("p", chain=(NodeEntry("pitch", "pitch", {"shift_semitones": 4.0}),))
WRITTEN = {
    "wav": ("WAV", "PCM_16"),
    "wavex": ("WAVEX", "PCM_24"),
    "rf64": ("RF64", "PCM_16"),
    "aiff": ("AIFF", "PCM_16"),
    "flac": ("FLAC", "PCM_24"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
    "ogg": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
}
TAGS = {"title": "Größe", "artist": "Me", "comment": comment_with(SPOKEN, "hello")}

voices = st.builds(
    SpokenVoice,
    st.text(st.characters(exclude_characters="'", categories=("L", "N", "Zs", "P", "S")), min_size=1, max_size=30),
    st.just(""),
    st.from_regex("[0-9a-f]{16}", fullmatch=True),
    st.from_regex("[0-9a-f]{16}", fullmatch=True),
)
kinds = st.lists(st.sampled_from(["pitch", "vocoder"]), unique=True).map(tuple)
disclosures = st.builds(
    Disclosure,
    voices=st.lists(voices, min_size=1, max_size=3).map(tuple),
    alterations=kinds,
    mark=st.none() | st.integers(0, (1 << 24) - 1),
    made_at=st.just("2026-11-22T18:00:00Z"),
)


def written(folder: Path, name: str, frames: int = 12_001) -> tuple[Path, np.ndarray]:
    """A file with tags, and its samples as they are read back before anything else is written into it."""
    container, subtype = WRITTEN[name]
    path = folder / f".made.{name}.part"
    sound = 0.1 * np.random.default_rng(1).standard_normal(frames)
    with soundfile.SoundFile(path, "w", 48_000, 1, format=container, subtype=subtype) as file:
        for tag, text in TAGS.items():
            setattr(file, tag, text)
        file.write(sound)
    return path, soundfile.read(path, dtype="float32")[0]


@given(disclosure=disclosures, earlier=st.none() | disclosures)
def test_json_reads_back(disclosure: Disclosure, earlier: Disclosure | None) -> None:
    said = replace(disclosure, earlier=earlier)
    assert read_disclosure(said.to_json()) == said


@given(disclosure=disclosures)
def test_the_sentence_alone_still_tells_who(disclosure: Disclosure) -> None:
    found = read_sentence(f"A song. {disclosure.sentence} And more.")
    assert found == replace(disclosure, voices=tuple(replace(voice, voice_id="") for voice in disclosure.voices))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@given(key=st.sampled_from(sorted(json.loads(SPOKEN.to_json()))), value=JSON)
def test_what_others_wrote_is_read_or_not_but_never_fails(key: str, value: object) -> None:
    table = json.loads(SPOKEN.to_json()) | {key: value}
    found = read_disclosure(json.dumps(table))
    assert found is None or isinstance(found.sentence, str)
    assert read_disclosure(json.dumps(value)) is None


def test_too_much_text_is_not_looked_at() -> None:
    assert read_disclosure("[" * 100_000) is None
    assert read_disclosure("[" * 50_000) is None
    assert read_sentence("Artificial voice " * 200_000) is None


@pytest.mark.parametrize("name", WRITTEN)
def test_every_format_holds_all_of_it_and_the_same_sound(tmp_path: Path, name: str) -> None:
    path, before = written(tmp_path, name)
    write_tags(path, WRITTEN[name][0], SPOKEN, TAGS)
    np.testing.assert_array_equal(soundfile.read(path, dtype="float32")[0], before)
    assert read_tags(path) == (SPOKEN, True)
    with soundfile.SoundFile(path) as file:
        assert file.title == "Größe"
        assert file.comment == f"hello {SPOKEN.sentence}"


@pytest.mark.skipif(shutil.which("ffprobe") is None, reason="the ffprobe command is not installed")
@pytest.mark.parametrize("name", WRITTEN)
def test_other_programs_see_it(tmp_path: Path, name: str) -> None:
    path, _ = written(tmp_path, name)
    write_tags(path, WRITTEN[name][0], SPOKEN, TAGS)
    argv = ["ffprobe", "-v", "error", "-show_entries", "format_tags:stream_tags", "-of", "json", str(path)]
    found = json.loads(subprocess.run(argv, capture_output=True, check=True).stdout)
    tags = found["format"].get("tags", {}) | found["streams"][0].get("tags", {})
    tags = {key.lower(): text for key, text in tags.items()}
    assert tags["comment"] == f"hello {SPOKEN.sentence}"
    assert tags["title"] == "Größe"
    assert ARTIFICIAL in " ".join(tags.values()), "in a field of its own, or in XMP"


def test_the_xmp_packet_names_the_source_type() -> None:
    text = xmp_packet(replace(SPOKEN, voices=(replace(VOICE, name='<b> & "x"'),))).decode()
    root = ET.fromstring(text[text.index("?>") + 2 : text.rindex("<?xpacket")])
    description = next(root.iter("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}Description"))
    assert description.attrib["{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType"] == ARTIFICIAL
    assert any('<b> & "x"' in str(item.text) for item in root.iter("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}li"))


def test_a_comment_gets_one_sentence_not_two() -> None:
    once = comment_with(SPOKEN, "mine")
    assert comment_with(BENT, once) == f"mine {BENT.sentence}"
    long = comment_with(SPOKEN, 5_000 * "x")
    assert long.endswith(SPOKEN.sentence)
    assert len(long) <= MAX_COMMENT


def test_only_a_comment_is_enough() -> None:
    found, is_whole = read_tags(Path("there-is-no-such-file"), f"hello {SPOKEN.sentence}")
    assert found is not None
    assert found.is_artificial
    assert not is_whole
    assert found.voices[0].consent == VOICE.consent
    assert read_tags(Path("there-is-no-such-file"), "hello") == (None, False)


SEEDS: dict[str, bytes] = {}


@pytest.mark.parametrize("name", WRITTEN)
@given(flips=st.lists(st.tuples(st.integers(0, 4_000), st.integers(0, 255)), max_size=12), cut=st.integers(0, 40_000))
def test_damaged_files_say_something_or_nothing(
    tmp_path_factory: pytest.TempPathFactory, name: str, flips: list[tuple[int, int]], cut: int
) -> None:
    if name not in SEEDS:
        path, _ = written(tmp_path_factory.mktemp("seed"), name)
        write_tags(path, WRITTEN[name][0], SPOKEN, TAGS)
        SEEDS[name] = path.read_bytes()
    content = bytearray(SEEDS[name])
    for at, value in flips:
        content[at % len(content)] = content[-1 - at % len(content)] = value
    path = tmp_path_factory.getbasetemp() / f"damaged.{name}"
    path.write_bytes(content[: max(0, len(content) - cut)])
    found, _ = read_tags(path)
    assert found is None or isinstance(found.sentence, str)


@pytest.mark.parametrize("name", ["wav", "rf64", "aiff"])
def test_chunks_are_added_and_found(tmp_path: Path, name: str) -> None:
    path, before = written(tmp_path, name, frames=4_801)
    append_chunks(path, [(b"odd ", b"12345"), (b"even", b"1234")])
    append_chunks(path, [(b"odd ", b"later")])
    with path.open("rb") as file:
        assert find_chunks(file, [b"odd ", b"even", b"none"]) == {b"odd ": b"later", b"even": b"1234"}
    np.testing.assert_array_equal(soundfile.read(path, dtype="float32")[0], before)


def test_a_file_that_cannot_take_chunks_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "x"
    head = b"RF64\xff\xff\xff\xffWAVEjunk\x04\x00\x00\x001234"
    for content in (b"", b"RIFF", b"RIFF\x04\x00\x00\x00AVI ", head):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"no RIFF|without ds64"):
            append_chunks(path, [(b"test", b"x")])
        assert path.read_bytes() == content


@given(content=st.binary(max_size=200))
def test_any_bytes_can_be_searched_for_chunks(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "chunks"
    for head in (b"", b"RIFF1234WAVE", b"FORM1234AIFF", b"RF641234WAVEds64"):
        path.write_bytes(head + content)
        with path.open("rb") as file:
            find_chunks(file, [b"test"])


def source(folder: Path, name: str = "in.wav", **tags: str) -> Path:
    path = folder / name
    with soundfile.SoundFile(path, "w", 48_000, 1) as file:
        for tag, text in tags.items():
            setattr(file, tag, text)
        file.write(0.1 * np.random.default_rng(2).standard_normal(9_600))
    return path


@pytest.mark.parametrize("name", FORMATS)
def test_a_disguise_is_told_with_the_tags_of_the_input(tmp_path: Path, name: str) -> None:
    out = tmp_path / f"out.{FORMATS[name].extension}"
    options = conversion.ConvertOptions(format=name)
    conversion.convert_file(source(tmp_path, title="Song", comment="mine"), out, renderer_factory(PITCH), options)
    found, is_whole = read_tags(out)
    assert found is not None
    assert is_whole
    assert (found.alterations, found.voices, found.source_type) == (("pitch",), (), ALTERED)
    assert not found.is_artificial
    with soundfile.SoundFile(out) as file:
        assert file.title == "Song"
        assert file.comment.startswith("mine Voice altered by signal processing (pitch), made with vcfx")


def test_what_only_colours_a_voice_needs_no_word(tmp_path: Path) -> None:
    out = tmp_path / "out.flac"
    conversion.convert_file(source(tmp_path), out, delayed_gain("0 1 0"))
    assert read_tags(out) == (None, False)
    with soundfile.SoundFile(out) as file:
        assert not file.comment


def test_an_artificial_voice_stays_artificial_whatever_comes_after(tmp_path: Path) -> None:
    first = source(tmp_path)
    write_tags(first, "WAV", SPOKEN, {})
    for step, make in enumerate([delayed_gain("0 1 0"), renderer_factory(PITCH), renderer_factory(PITCH)]):
        following = tmp_path / f"step{step}.ogg"
        conversion.convert_file(first, following, make)
        found, _ = read_tags(following)
        assert found is not None
        assert found.is_artificial
        assert "'Änne & Co'" in found.sentence
        assert found.source_type == ARTIFICIAL
        first = following


def test_a_neural_voice_is_named_with_its_papers(voice_model: Path, tmp_path: Path) -> None:
    from vcfx_models.voice_on_disk import load_voice

    file = voice_model / "anna.vcfxvoice"
    make = voiced_renderer_factory(
        json.dumps({"preset": None, "voice": {"voice": str(file), "model": str(voice_model)}})
    )
    conversion.convert_file(source(tmp_path), tmp_path / "out.flac", make)
    found, is_whole = read_tags(tmp_path / "out.flac")
    papers = load_voice(file).papers
    assert papers is not None
    assert found is not None
    assert is_whole
    expected = SpokenVoice("anna", papers.voice_id, papers.consent.consent_id, papers.issuer.fingerprint)
    assert found.voices == (expected,)
    assert found.source_type == ARTIFICIAL
    assert found.mark is not None, "the plan marks what it speaks"


def test_a_file_never_appears_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, rename = tmp_path / "out.flac", os.replace
    seen = []

    def replace_checked(part: Path, final: Path) -> None:
        seen.append(read_tags(part))
        rename(part, final)

    monkeypatch.setattr(os, "replace", replace_checked)
    conversion.convert_file(source(tmp_path), out, renderer_factory(PITCH))
    assert [is_whole for _, is_whole in seen] == [True]


def test_a_full_disk_while_it_is_written_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(target, "write_tags", refuse)
    made = source(tmp_path)
    with pytest.raises(AudioFileError, match=r"out.flac cannot be written: no space left on the disk"):
        conversion.convert_file(made, tmp_path / "out.flac", renderer_factory(PITCH))
    assert list(tmp_path.iterdir()) == [made]
