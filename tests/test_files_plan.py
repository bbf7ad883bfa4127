"""Which files are converted, and what the outputs are called."""

from __future__ import annotations

from pathlib import Path

import pytest

from vcfx.errors import AudioFileError
from vcfx.files.plan import plan_jobs


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("a.wav", "b.MP3", "talk/c.flac", "talk/deep/d.m4a", "talk/notes.txt", "talk/.hidden.wav"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return tmp_path


def pairs(inputs: list[str], output: str | None = None, format_name: str | None = None) -> list[tuple[str, str]]:
    plan = plan_jobs(inputs, output, format_name, "deep")
    assert plan.refused == []
    return [(job.source.as_posix(), job.target.as_posix()) for job in plan.jobs]


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("inputs", "output", "format_name", "expected"),
    [
        (["a.wav"], None, None, [("a.wav", "a.deep.wav")]),
        (["b.MP3"], None, None, [("b.MP3", "b.deep.MP3")]),
        (["a.wav"], None, "opus", [("a.wav", "a.deep.opus")]),
        (["a.wav"], None, "rf64", [("a.wav", "a.deep.wav")]),
        (["talk/deep/d.m4a"], None, None, [("talk/deep/d.m4a", "talk/deep/d.deep.wav")]),
        (["a.wav"], "x.flac", None, [("a.wav", "x.flac")]),
        (["a.wav"], "talk", None, [("a.wav", "talk/a.wav")]),
        (["a.wav"], "new/", None, [("a.wav", "new/a.wav")]),
        (["a.wav", "b.MP3"], "new", None, [("a.wav", "new/a.wav"), ("b.MP3", "new/b.MP3")]),
        (["?.wav", "*.MP3"], None, None, [("a.wav", "a.deep.wav"), ("b.MP3", "b.deep.MP3")]),
        (["**/*.m4a"], None, None, [("talk/deep/d.m4a", "talk/deep/d.deep.wav")]),
        (
            ["talk"],
            "new",
            None,
            [("talk/c.flac", "new/c.flac"), ("talk/deep/d.m4a", "new/deep/d.wav")],
        ),
        (
            ["talk"],
            None,
            "ogg",
            [("talk/c.flac", "talk/c.deep.ogg"), ("talk/deep/d.m4a", "talk/deep/d.deep.ogg")],
        ),
        (
            ["talk"],
            "talk/deep",
            None,
            [("talk/c.flac", "talk/deep/c.flac")],
        ),
    ],
)
def test_outputs_are_named(
    inputs: list[str], output: str | None, format_name: str | None, expected: list[tuple[str, str]]
) -> None:
    assert pairs(inputs, output, format_name) == expected


def test_a_name_with_wildcards_that_exists_is_taken_as_it_is(here: Path) -> None:
    (here / "take[1].wav").write_bytes(b"x")
    assert pairs(["take[1].wav"]) == [("take[1].wav", "take[1].deep.wav")]


def test_a_second_run_over_a_folder_leaves_the_first_ones_outputs_alone(here: Path) -> None:
    (here / "talk" / "c.deep.flac").write_bytes(b"x")
    assert [source for source, _ in pairs(["talk"])] == ["talk/c.flac", "talk/deep/d.m4a"]


def test_links_that_go_round_in_a_circle_are_walked_once(here: Path) -> None:
    (here / "talk" / "deep" / "up").symlink_to(here / "talk")
    (here / "talk" / "self").symlink_to(here / "talk" / "self")
    assert [source for source, _ in pairs(["talk"], "new")] == ["talk/c.flac", "talk/deep/d.m4a"]


def test_a_linked_folder_is_entered(here: Path) -> None:
    (here / "more").mkdir()
    (here / "more" / "e.wav").write_bytes(b"x")
    (here / "talk" / "link").symlink_to(here / "more")
    assert ("talk/link/e.wav", "new/link/e.wav") in pairs(["talk"], "new")


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("output", ["a.wav", "new.flac"])
def test_several_inputs_need_a_folder(output: str) -> None:
    with pytest.raises(AudioFileError, match="several inputs need a folder"):
        plan_jobs(["a.wav", "b.MP3"], output, None, "deep")


@pytest.mark.usefixtures("here")
def test_what_leads_to_no_file_is_refused_and_the_rest_goes_on() -> None:
    Path("empty").mkdir()
    plan = plan_jobs(["empty", "*.nothing", "a.wav"], None, None, "deep")
    assert [job.source.name for job in plan.jobs] == ["a.wav"]
    assert [reason for _, reason in plan.refused] == ["no file matches '*.nothing'", "empty holds no sound files"]


def test_two_inputs_for_one_output_are_refused(here: Path) -> None:
    (here / "a.flac").write_bytes(b"x")
    plan = plan_jobs(["a.wav", "a.flac"], "new", "ogg", "deep")
    assert [job.source.name for job in plan.jobs] == ["a.wav"]
    assert "as a.wav does" in plan.refused[0][1]


@pytest.mark.usefixtures("here")
def test_an_output_that_is_an_input_is_refused() -> None:
    plan = plan_jobs(["talk"], "talk", None, "deep")
    assert [job.source.name for job in plan.jobs] == ["d.m4a"]
    assert "which is an input" in plan.refused[0][1]


def test_an_unknown_format_is_refused_with_the_known_ones() -> None:
    with pytest.raises(AudioFileError, match="'xyz' is not a format that can be written; known: aiff, flac"):
        plan_jobs(["a.wav"], None, "xyz", "deep")
