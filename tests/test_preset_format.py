from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vcfx.errors import PresetError
from vcfx.presets import (
    BranchEntry,
    Entry,
    NodeEntry,
    ParallelEntry,
    Preset,
    SendEntry,
    load_preset,
    preset_toml,
    read_preset,
    save_preset,
)

HEAD = 'schema_version = 1\nname = "T"\n'
GAIN = '[[chain]]\nnode = "gain"\n'


def read(text: str) -> Preset:
    return read_preset(text.encode(), "t.toml")


WHOLE = """
schema_version = 1
name = "Wide"
description = "Two of you."
tags = ["fun", "wide"]
engine = { hop_frames = 256, on_overload = "silence", output_gain_db = -3, notice = "tone" }
[[chain]]
node = "gain"
gain_db = -6
[[chain]]
node = "parallel"
mix_ratio = 0.25
[[chain.branch]]
gain_db = 1.5
[[chain.branch.chain]]
node = "gain"
bypass = true
[[chain.branch.chain]]
node = "pedalboard.Reverb"
[[chain.branch]]
[[chain]]
node = "gain"
id = "last"
[[send]]
from = "gain"
to = "output"
gain_db = -12
[[send.chain]]
node = "gain"
"""


def test_a_whole_preset_is_read() -> None:
    preset = read(WHOLE)
    branches = (
        BranchEntry((NodeEntry("gain", "gain-2", bypass=True), NodeEntry("pedalboard.Reverb", "reverb")), 1.5),
        BranchEntry(),
    )
    assert preset == Preset(
        "Wide",
        "Two of you.",
        ("fun", "wide"),
        256,
        "silence",
        -3.0,
        (
            NodeEntry("gain", "gain", {"gain_db": -6.0}),
            ParallelEntry("parallel", branches, 0.25),
            NodeEntry("gain", "last"),
        ),
        (SendEntry("gain", "output", -12.0, (NodeEntry("gain", "gain-3"),)),),
        "tone",
    )
    assert [node.id for node in preset.nodes()] == ["gain", "gain-2", "reverb", "last", "gain-3"]


def test_defaults() -> None:
    assert read(HEAD) == Preset("T", "", (), 128, "conceal", 0.0, (), ())


def test_a_given_id_is_never_taken_by_a_default() -> None:
    preset = read(HEAD + GAIN + GAIN + 'id = "gain"\n')
    assert [entry.id for entry in preset.chain] == ["gain-2", "gain"]


WRONG = {
    "": "t.toml: schema_version is missing",
    "schema_version = 2": "made by a newer vcfx (schema_version 2; this one reads 1)",
    "schema_version = 0": "schema_version is 0; allowed: 1",
    "schema_version = true": "schema_version is True; allowed: 1",
    "schema_version = 1.0": "schema_version is 1.0; allowed: 1",
    "schema_version = 1": "name is missing",
    'schema_version = 1\nname = " "': "name is ' '",
    'schema_version = 1\nname = "a\\u001b[31m"': "name is 'a\\x1b[31m'",
    HEAD + "nmae = 1": "unknown key 'nmae' (= 1); did you mean 'name'?",
    HEAD + 'tags = "x"': "tags is 'x'; allowed: a list",
    HEAD + "tags = [1]": "tags is 1; allowed: one line",
    HEAD + "engine = 3": "engine is 3; allowed: a table",
    HEAD + "[engine]\nhop_frame = 2": "t.toml: engine: unknown key 'hop_frame' (= 2); did you mean 'hop_frames'?",
    HEAD + "[engine]\nnotice = 'loud'": "t.toml: engine: notice is 'loud'; allowed: none, tone, spoken",
    HEAD + "[engine]\nhop_frames = 1.5": "t.toml: engine: hop_frames is 1.5; allowed: a whole number from 16 to 8192",
    HEAD + '[engine]\non_overload = "loud"': "on_overload is 'loud'; allowed: conceal, silence, dry",
    HEAD + "[engine]\non_overload = 1": "on_overload is 1; allowed: conceal, silence, dry",
    HEAD + "chain = 1": "chain is 1; allowed: tables, each headed [[chain]]",
    HEAD + "chain = [1]": "chain is [1]; allowed: tables",
    HEAD + "[chain]": "chain is {}; allowed: tables",
    HEAD + "[[chain]]": "t.toml: chain 1: node is missing",
    HEAD + '[[chain]]\nnode = "gian"': "chain 1: there is no node 'gian'; did you mean 'gain'?",
    HEAD + GAIN + "gain_bd = 2": "t.toml: chain 1 (gain): unknown key 'gain_bd' (= 2); did you mean 'gain_db'?",
    HEAD + GAIN + "gain_db = 99": "t.toml: chain 1 (gain): gain_db is 99; allowed: a number from -120 to 36",
    HEAD + GAIN + 'gain_db = "0"': "gain_db is '0'; allowed: a number from -120 to 36",
    HEAD + GAIN + "gain_db = nan": "gain_db is nan; allowed: finite numbers",
    HEAD + GAIN + "gain_db = -inf": "gain_db is -inf; allowed: finite numbers",
    HEAD + GAIN + f"gain_db = {'9' * 400}": "gain_db is a number of more than 300 digits; allowed: finite numbers",
    HEAD + GAIN + f"gain_db = 0x{'F' * 4000}": "gain_db is a number of more than 300 digits; allowed: finite numbers",
    HEAD + GAIN + f"gain_db = {'9' * 4090}9": "line 5 has 4101 characters; allowed: 4096",
    HEAD + GAIN + "gain_db = true": "gain_db is True; allowed: one number",
    HEAD + GAIN + "gain_db = [1]": "gain_db is [1]; allowed: one number",
    HEAD + GAIN + "gain_db = 1979-05-27": "gain_db is datetime.date(1979, 5, 27); allowed: one number",
    HEAD + GAIN + "bypass = 1": "bypass is 1; allowed: true or false",
    HEAD + GAIN + 'id = "a b"': "id is 'a b'; allowed",
    HEAD + GAIN + 'id = "output"': "id is 'output'; allowed",
    HEAD + GAIN + 'id = "x"\n' + GAIN + 'id = "x"': "the id 'x' is given 2 times; ids must differ",
    HEAD + '[[chain]]\nnode = "parallel"': "chain 1 (parallel): has no [[chain.branch]]",
    HEAD
    + '[[chain]]\nnode = "parallel"\n[[chain.branch]]\ngain = 1': "chain 1 (parallel) > branch 1: unknown key 'gain'",
    HEAD
    + '[[chain]]\nnode = "parallel"\nmix_ratio = 2\n[[chain.branch]]': "mix_ratio is 2; allowed: a number from 0 to 1",
    HEAD
    + GAIN
    + '[[send]]\nfrom = "gian"\nto = "output"': "send 1: from is 'gian', no id of the main chain; did you mean",
    HEAD + GAIN + '[[send]]\nfrom = "gain"': "send 1: to is missing",
    HEAD + GAIN + '[[send]]\nfrom = "gain"\nto = "gain"': "goes from 'gain' back to 'gain'",
    HEAD + GAIN * 65: "chain has 65 tables; allowed: 64",
    HEAD + "a = [" + "[" * 3000: "is nested too deeply",
    HEAD + "[" + "chain." * 600 + "x]": "allowed: tables",
    HEAD + "x = ": "is not TOML: Invalid value (at",
    HEAD + 'name = "again"': "is not TOML: Cannot overwrite a value",
}


@pytest.mark.parametrize("text", WRONG, ids=range(len(WRONG)))
def test_what_is_wrong_is_named(text: str) -> None:
    with pytest.raises(PresetError) as caught:
        read(text)
    message = str(caught.value)
    assert WRONG[text] in message
    assert message.startswith("t.toml: ")
    assert "\n" not in message
    assert len(message) < 600


def test_parallel_sections_may_be_nested_four_deep() -> None:
    def nested(depth: int) -> str:
        path, text = "chain", HEAD
        for _ in range(depth):
            text += f'[[{path}]]\nnode = "parallel"\n[[{path}.branch]]\n'
            path += ".branch.chain"
        return text

    read(nested(4))
    with pytest.raises(PresetError, match="nested more than 4 deep"):
        read(nested(5))


def test_not_utf8_names_the_line() -> None:
    with pytest.raises(PresetError, match=r"t\.toml: line 2 is not UTF-8"):
        read_preset(b"schema_version = 1\nname = '\xff'", "t.toml")


def test_byte_order_mark_and_crlf_are_allowed() -> None:
    assert read_preset(b"\xef\xbb\xbf" + HEAD.replace("\n", "\r\n").encode(), "t.toml") == read(HEAD)


def test_files_that_are_none(tmp_path: Path) -> None:
    large = tmp_path / "large.toml"
    large.write_bytes(b"#" * 1_000_001)
    with pytest.raises(PresetError, match="larger than 1000 kB"):
        load_preset(large)
    with pytest.raises(PresetError, match="no such preset file"):
        load_preset(tmp_path / "absent.toml")
    with pytest.raises(PresetError, match="not an ordinary file"):
        load_preset(tmp_path)
    with pytest.raises(PresetError, match=r"cannot be read|no such preset file"):
        load_preset("a\0.toml")


def test_a_preset_that_would_not_read_back_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    save_preset(Preset("old"), path)
    for bad in (Preset("x\ny"), Preset("x", chain=(NodeEntry("gain", "gain", {"gain_db": 99.0}),))):
        with pytest.raises(PresetError):
            save_preset(bad, path)
    assert load_preset(path) == Preset("old")
    assert [item.name for item in tmp_path.iterdir()] == ["p.toml"]


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PresetError, match="cannot be written"):
        save_preset(Preset("x"), tmp_path / "file" / "p.toml")


LINES = st.text(st.characters(exclude_categories=("C", "Z"), include_characters=" '\"\\#"), max_size=30)
GAINS_DB = st.floats(-120.0, 36.0)
PARAMETERS = st.fixed_dictionaries({}, optional={"gain_db": GAINS_DB})
NODES = st.builds(NodeEntry, st.just("gain"), st.just(""), PARAMETERS, st.booleans())


def parallel_of(chains: st.SearchStrategy[tuple[Entry, ...]]) -> st.SearchStrategy[ParallelEntry]:
    branches = st.lists(st.builds(BranchEntry, chains, GAINS_DB), min_size=1, max_size=3).map(tuple)
    return st.builds(ParallelEntry, st.just(""), branches, st.floats(0.0, 1.0), st.booleans())


def chains_of(entries: st.SearchStrategy[Entry]) -> st.SearchStrategy[tuple[Entry, ...]]:
    return st.lists(entries, max_size=3).map(tuple)


FLAT: st.SearchStrategy[tuple[Entry, ...]] = chains_of(NODES)
CHAINS = chains_of(NODES | parallel_of(chains_of(NODES | parallel_of(FLAT))))


def with_ids(chain: tuple[Entry, ...], prefix: str) -> tuple[Entry, ...]:
    """The same chain with ids that differ."""
    done: list[Entry] = []
    for number, entry in enumerate(chain):
        name = f"{prefix}-{number}"
        if isinstance(entry, ParallelEntry):
            branches = tuple(
                dataclasses.replace(branch, chain=with_ids(branch.chain, f"{name}-{index}"))
                for index, branch in enumerate(entry.branches)
            )
            entry = dataclasses.replace(entry, branches=branches)
        done.append(dataclasses.replace(entry, id=name))
    return tuple(done)


@st.composite
def presets(draw: st.DrawFn) -> Preset:
    chain = with_ids(draw(CHAINS), "n")
    order = ["input", *(entry.id for entry in chain), "output"]
    sends = []
    for number in range(draw(st.integers(0, 2))):
        start = draw(st.integers(0, len(order) - 2))
        stop = draw(st.integers(start + 1, len(order) - 1))
        sends.append(SendEntry(order[start], order[stop], draw(GAINS_DB), with_ids(draw(FLAT), f"s{number}")))
    return Preset(
        name="N" + draw(LINES),
        description=draw(LINES),
        tags=tuple(draw(st.lists(LINES, max_size=3))),
        hop_frames=draw(st.integers(16, 8192)),
        on_overload=draw(st.sampled_from(["conceal", "silence", "dry"])),
        output_gain_db=draw(st.floats(-60.0, 24.0)),
        chain=chain,
        sends=tuple(sends),
        notice=draw(st.sampled_from(["none", "tone", "spoken"])),
    )


@given(preset=presets())
def test_what_is_written_reads_back(preset: Preset) -> None:
    assert read(preset_toml(preset)) == preset


def test_saving_and_loading_a_file(tmp_path: Path) -> None:
    preset = Preset("Ärger", tags=("ü",), chain=(NodeEntry("gain", "gain", {"gain_db": -4.5}),))
    save_preset(preset, tmp_path / "folder" / "p.toml")
    assert load_preset(tmp_path / "folder" / "p.toml") == preset
    assert load_preset(str(tmp_path / "folder" / "p.toml")) == preset
