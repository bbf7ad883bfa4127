from __future__ import annotations

import json
from pathlib import Path

import pytest

from vcfx.__main__ import main
from vcfx.errors import PresetError
from vcfx.presets import list_presets, load_preset, preset_root, save_preset, user_folder

HEAD = b'schema_version = 1\nname = "Mine"\ndescription = "My own."\n'


@pytest.fixture(autouse=True)
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for the user's presets."""
    monkeypatch.setattr("platformdirs.user_config_path", lambda name: tmp_path / name)
    user_folder().mkdir(parents=True)
    return user_folder()


def test_the_users_preset_hides_ours(user: Path) -> None:
    assert load_preset("plain").name == "Plain"
    (user / "plain.toml").write_bytes(HEAD)
    assert load_preset("plain").name == "Mine"
    info = next(info for info in list_presets() if info.name == "plain")
    assert (info.title, info.description, info.origin, info.damaged) == ("Mine", "My own.", "user", False)


def test_a_damaged_preset_is_listed_as_such(user: Path) -> None:
    (user / "bad.toml").write_bytes(b"\xff")
    (user / "folder.toml").mkdir()
    damaged = {info.name: info.description for info in list_presets() if info.damaged}
    assert set(damaged) == {"bad", "folder"}
    assert "not UTF-8" in damaged["bad"]


def test_without_a_users_folder_ours_are_there(user: Path) -> None:
    user.rmdir()
    ours = {item.name.removesuffix(".toml") for item in preset_root().iterdir() if item.name.endswith(".toml")}
    assert {info.name for info in list_presets()} == ours


def test_an_unknown_name_brings_the_nearest() -> None:
    with pytest.raises(PresetError, match="no preset 'plane'; did you mean 'plain'"):
        load_preset("plane")


def test_new_list_show_check(user: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["presets", "new", "my-voice", "--from", "plain"]) == 0
    assert load_preset("my-voice").name == "My voice"
    assert main(["presets", "new", "my-voice"]) == 2
    capsys.readouterr()
    assert main(["presets", "list", "--json"]) == 0
    listed = {info["name"]: info for info in json.loads(capsys.readouterr().out)}
    assert listed["my-voice"]["origin"] == "user"
    assert main(["presets", "list"]) == 0
    assert "(yours)" in capsys.readouterr().out
    assert main(["presets", "show", "my-voice"]) == 0
    assert capsys.readouterr().out.startswith("My voice: ")
    assert main(["presets", "show", "my-voice", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["schema_version"] == 1


def test_check_says_which_file_is_damaged(user: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = user / "good.toml", user / "bad.toml"
    save_preset(load_preset("plain"), good)
    bad.write_text('schema_version = 1\nname = "x"\ncolour = 3\n')
    assert main(["presets", "check", str(good)]) == 0
    assert capsys.readouterr().out == f"{good}: good\n"
    assert main(["presets", "check", str(good), str(bad)]) == 2
    assert f"{bad}: unknown key 'colour' (= 3)" in capsys.readouterr().out
    assert main(["presets", "check", "--json", str(bad)]) == 2
    assert json.loads(capsys.readouterr().out)[0]["file"] == str(bad)


@pytest.mark.parametrize("name", ["../x", "A", "", "a b", "x" * 65])
def test_names_that_are_no_file_names_are_refused(name: str) -> None:
    assert main(["presets", "new", name]) == 2


def test_show_draws_branches_and_sends(user: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (user / "wide.toml").write_bytes(
        HEAD + b'[[chain]]\nnode="parallel"\n[[chain.branch]]\ngain_db=-3\n[[chain.branch.chain]]\nnode="gain"\n'
        b'gain_db=-6.5\nbypass=true\n[[send]]\nfrom="input"\nto="output"\n[[send.chain]]\nnode="gain"\nid="side"\n'
    )
    assert main(["presets", "show", "wide"]) == 0
    assert capsys.readouterr().out.splitlines()[3:] == [
        "input",
        "  parallel  mix_ratio 1",
        "    branch 1, -3 dB",
        "      gain (bypassed)  gain_db -6.5",
        "output",
        "",
        "send from input to output, +0 dB",
        "    side: gain",
    ]


def test_nodes_lists_kinds_and_parameters(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["presets", "nodes"]) == 0
    assert {"gain", "pitch", "pedalboard.Reverb"} <= set(capsys.readouterr().out.split("\n"))
    assert main(["presets", "nodes", "gain"]) == 0
    assert capsys.readouterr().out == "gain_db  -120 to 36, default 0; level change; -120 is silence\n"
    for kind in ("vocoder", "pedalboard.Chorus"):
        assert main(["presets", "nodes", kind, "--json"]) == 0
        facts = {fact["name"]: fact for fact in json.loads(capsys.readouterr().out)}
        assert all(
            "choices" in fact or fact["minimum"] <= fact["default"] <= fact["maximum"] for fact in facts.values()
        )
    assert main(["presets", "nodes", "gian"]) == 2
