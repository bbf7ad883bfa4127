from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from hosted_plugins import ZAM, needs_zam
from vcfx.__main__ import main
from vcfx.doctor.plugins import check_plugins
from vcfx.hosts.plugins.description import PluginDescription, PluginParameter
from vcfx.hosts.plugins.inventory import Inventory
from vcfx.presets import load_preset
from vcfx.presets.model import NodeEntry

RATE_HZ = 48_000


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)


@pytest.fixture
def known(tmp_path: Path) -> Path:
    """An inventory with one good plugin and one that was put aside; neither is ever loaded."""
    bundle = tmp_path / "Fake.vst3"
    bundle.write_text("not loaded in these tests")
    parameters = (
        PluginParameter("drive_db", "Drive", "dB", "number", 0.0, -6.0, 24.0),
        PluginParameter("bypass", "Bypass", "", "switch", "off", choices=("off", "on")),
    )
    good = PluginDescription("Fake", str(bundle), "VST3", "Maker", "1.0", "Fx", "x", (1, 2), 64, 0.1, parameters)
    inventory = Inventory.load()
    inventory.note(bundle, [good, PluginDescription("Broken", str(bundle), problem="did not load within 10 s")])
    inventory.save()
    return bundle


def test_list_names_good_ones_and_those_put_aside(known: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plugins", "list"]) == 0
    broken, fake = capsys.readouterr().out.splitlines()
    assert broken == "Broken  put aside: did not load within 10 s"
    assert fake == "Fake    VST3  mono and stereo  Fx, Maker, 64 samples latency"
    assert main(["plugins", "list", "--json"]) == 0
    assert [entry["name"] for entry in json.loads(capsys.readouterr().out)] == ["Broken", "Fake"]


def test_an_empty_list_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plugins", "list"]) == 0
    assert "`vcfx plugins scan` looks for them" in capsys.readouterr().out
    assert check_plugins()[0].mend == "vcfx plugins scan"


def test_show_tells_parameters_with_units(known: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plugins", "show", "Fake"]) == 0
    out = capsys.readouterr().out
    assert "drive_db       -6 to 24 dB, default 0" in out
    assert "plugin_bypass  off | on, default off" in out
    assert "64 samples latency" in out
    assert main(["plugins", "show", "Fake", "--json"]) == 0
    assert [entry["key"] for entry in json.loads(capsys.readouterr().out)["parameters"]] == [
        "drive_db",
        "plugin_bypass",
    ]


def test_add_copies_a_preset_of_vcfx_and_puts_the_plugin_before_the_limiter(known: Path, tmp_path: Path) -> None:
    before = load_preset("deep")
    assert main(["plugins", "add", "Fake", "deep", "--set", "drive_db=3", "--set", "plugin_bypass=on"]) == 0
    assert (tmp_path / "config" / "vcfx" / "presets" / "deep.toml").is_file()
    kinds = [entry.kind for entry in load_preset("deep").nodes()]
    assert kinds == [*[entry.kind for entry in before.nodes()][:-1], "plugin", "limiter"]
    added = load_preset("deep").chain[-2]
    assert isinstance(added, NodeEntry)
    assert (added.id, added.parameters) == ("fake", {"plugin": "Fake", "drive_db": 3.0, "plugin_bypass": "on"})
    assert main(["plugins", "add", "Fake", "deep"]) == 0
    assert [entry.id for entry in load_preset("deep").nodes()][-3:] == ["fake", "fake-2", "limiter"]


def test_add_changes_a_file_or_writes_another(known: Path, tmp_path: Path) -> None:
    mine, other = tmp_path / "mine.toml", tmp_path / "other.toml"
    assert main(["plugins", "add", "Fake", "plain", "--to", str(mine)]) == 0
    assert main(["plugins", "add", "Fake", str(mine), "--to", str(other)]) == 0
    counts = [sum(entry.kind == "plugin" for entry in load_preset(path).nodes()) for path in (mine, other)]
    assert counts == [1, 2]
    assert not (tmp_path / "config" / "vcfx" / "presets").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["show", "Fak"], "there is no plugin 'Fak' on this machine; did you mean 'Fake'?"),
        (["show", "Broken"], "plugin 'Broken' was put aside: it did not load within 10 s"),
        (["show", "Fake", "--window"], "there is no display to open a window on"),
        (["add", "Fake", "depe"], "did you mean 'deep'?"),
        (["add", "Fake", "deep", "--set", "driv_db=3"], "unknown parameter 'driv_db'; did you mean 'drive_db'?"),
        (["add", "Fake", "deep", "--set", "drive_db=99"], "drive_db is 99.0; allowed: a number from -6 to 24"),
        (["add", "Fake", "deep", "--set", "drive_db"], "--set is 'drive_db'; allowed: KEY=VALUE"),
        (["scan", "no/such/folder"], "no/such/folder: there is no such folder"),
    ],
)
def test_mistakes_are_one_sentence_and_exit_code_2(
    known: Path, arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["plugins", *arguments]) == 2
    told = capsys.readouterr()
    assert sentence in told.err
    assert len(told.err.splitlines()) == 1
    assert not (tmp_path / "config").exists()


def test_a_preset_whose_plugin_is_missing_is_good_and_the_check_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    preset = tmp_path / "p.toml"
    preset.write_text('schema_version = 1\nname = "P"\n[[chain]]\nnode = "plugin"\nplugin = "Gone"\n')
    assert main(["presets", "check", str(preset), "plain"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{preset}: good; but there is no plugin 'Gone' on this machine")
    assert second == "plain: good"


@needs_zam
def test_scan_finds_real_plugins_and_doctor_tells_of_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "plugins"
    folder.mkdir()
    for name in ("ZamCompX2", "ZamEQ2"):
        (folder / f"{name}.vst3").symlink_to(ZAM / f"{name}.vst3")
    (folder / "Text.vst3").write_text("not a plugin")
    assert main(["plugins", "scan", str(folder)]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first == "2 plugins found in 3 files, 1 put aside"
    assert second.startswith("  Text: ")
    (check,) = check_plugins()
    assert (check.status, check.detail) == ("ok", "2 found; put aside: Text")
    assert main(["plugins", "scan", str(folder), "--json"]) == 0
    assert [entry["name"] for entry in json.loads(capsys.readouterr().out)] == ["Text", "ZamCompX2", "ZamEQ2"]


@needs_zam
def test_convert_runs_a_preset_with_a_plugin_and_takes_its_latency_off(tmp_path: Path) -> None:
    impulse = np.zeros(RATE_HZ // 2, np.float32)
    impulse[5_000] = 0.25
    soundfile.write(tmp_path / "in.wav", impulse, RATE_HZ, subtype="FLOAT")
    preset = tmp_path / "p.toml"
    lines = ['schema_version = 1\nname = "P"\n[[chain]]\nnode = "plugin"', f'plugin = "{ZAM / "ZaMaximX2.vst3"}"\n']
    preset.write_text("\n".join(lines))
    command = ["convert", str(tmp_path / "in.wav"), "-o", str(tmp_path / "out.wav"), "--preset", str(preset)]
    assert main(command) == 0
    made, _ = soundfile.read(tmp_path / "out.wav", dtype="float32")
    assert int(np.abs(made).argmax()) == 5_000
    preset.write_text("\n".join(lines).replace("ZaMaximX2", "NotThere"))
    assert main([*command, "--force"]) == 2
