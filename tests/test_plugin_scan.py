from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from hosted_plugins import ZAM, crashing_bundle, needs_compiler, needs_zam
from vcfx.errors import PluginError
from vcfx.hosts.plugins.description import PluginDescription
from vcfx.hosts.plugins.folders import find_bundles, standard_folders
from vcfx.hosts.plugins.inventory import Inventory, cache_file, find_plugin, known_plugin
from vcfx.hosts.plugins.scan import _descriptions, look_into, scan


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


@needs_zam
def test_a_plugin_is_described() -> None:
    (found,) = look_into(ZAM / "ZamCompX2.vst3")
    assert (found.name, found.format, found.channels, found.problem) == ("ZamCompX2", "VST3", (2,), "")
    parameters = {parameter.name: parameter for parameter in found.parameters}
    threshold = parameters["threshold_db"]
    assert (threshold.unit, threshold.minimum, threshold.maximum, threshold.default) == ("dB", -80.0, 0.0, 0.0)
    assert parameters["current_program"].choices == ("Zero", "PoppySnare", "VocalLeveller")
    assert "sample_rate_frames" not in parameters
    assert PluginDescription.from_json(json.loads(json.dumps(found.as_json()))) == found


@needs_zam
def test_reported_latency_is_described() -> None:
    (found,) = look_into(ZAM / "ZaMaximX2.vst3")
    assert found.latency_samples == 480


@needs_zam
def test_a_plugin_that_hangs_is_put_aside_in_time() -> None:
    start_s = time.monotonic()
    (found,) = look_into(ZAM / "ZamVerb.vst3", timeout_s=2.0)
    assert time.monotonic() - start_s < 15.0  # it would take for ever
    assert found.name == "ZamVerb"
    assert found.problem == "did not load within 2 s"


@needs_compiler
def test_a_plugin_that_crashes_is_put_aside(tmp_path: Path) -> None:
    (found,) = look_into(crashing_bundle(tmp_path))
    assert found.name == "Crash"
    assert found.problem == "crashed while it was loaded (SIGSEGV)"


def test_a_file_that_is_no_plugin_is_put_aside(tmp_path: Path) -> None:
    (tmp_path / "Text.vst3").write_text("not a plugin")
    (found,) = look_into(tmp_path / "Text.vst3")
    assert found.problem


def test_of_a_bundle_of_several_the_one_that_ended_the_child_is_named() -> None:
    good = PluginDescription("Good", "b.vst3", channels=(1,))
    begun = [PluginDescription(name, "b.vst3", problem="was being loaded") for name in ("Good", "Bad")]
    lines = [json.dumps(item.as_json()).encode() for item in (begun[0], good, begun[1])]
    found = _descriptions([*lines, b'{"name": "cut'], Path("b.vst3"), "did not load within 10 s")
    assert [(item.name, item.problem) for item in found] == [("Good", ""), ("Bad", "did not load within 10 s")]


def bundle(folder: Path, name: str) -> Path:
    path = folder / f"{name}.vst3" / "Contents"
    path.mkdir(parents=True)
    (path / "binary").write_bytes(b"1")
    return path.parent


def test_bundles_are_found_below_folders_and_not_inside_each_other(tmp_path: Path) -> None:
    first, second = bundle(tmp_path / "maker", "B"), bundle(tmp_path, "A")
    bundle(second / "Contents", "Inner")
    assert find_bundles([tmp_path, first, tmp_path / "none"]) == [second, first]


def test_each_system_has_its_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CommonProgramFiles", "C:/Common")
    assert Path("/usr/lib/vst3") in standard_folders("linux")
    assert Path.home() / ".vst3" == standard_folders("linux")[0]
    assert Path("/Library/Audio/Plug-Ins/Components") in standard_folders("darwin")
    assert Path("C:/Common/VST3") in standard_folders("win32")


def test_only_what_has_changed_is_looked_into_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[Path] = []

    def look(path: Path) -> list[PluginDescription]:
        looked.append(path)
        return [PluginDescription(path.stem, str(path), channels=(1,))]

    monkeypatch.setattr("vcfx.hosts.plugins.scan.look_into", look)
    bundles = [bundle(tmp_path, "A"), bundle(tmp_path, "B")]
    scan(bundles, Inventory.load(), lambda _: None)
    assert looked == bundles
    scan(bundles, Inventory.load(), lambda _: None)
    assert looked == bundles
    os.utime(bundles[1] / "Contents" / "binary", ns=(1, 10**18))
    scan(bundles, Inventory.load(), lambda _: None)
    assert looked == [*bundles, bundles[1]]
    scan(bundles, Inventory.load(), lambda _: None, again=True)
    assert len(looked) == 5


def test_an_interrupted_scan_keeps_what_it_has_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def look(path: Path) -> list[PluginDescription]:
        if path.stem == "B":
            raise KeyboardInterrupt
        return [PluginDescription(path.stem, str(path), channels=(1,))]

    monkeypatch.setattr("vcfx.hosts.plugins.scan.look_into", look)
    with pytest.raises(KeyboardInterrupt):
        scan([bundle(tmp_path, "A"), bundle(tmp_path, "B")], Inventory.load(), lambda _: None)
    assert [plugin.name for plugin in Inventory.load().plugins()] == ["A"]


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'{"format": 1, "host": "x", "bundles": 3}', b"\xff"])
def test_a_damaged_inventory_is_an_empty_one(content: bytes) -> None:
    cache_file().parent.mkdir(parents=True)
    cache_file().write_bytes(content)
    assert Inventory.load().plugins() == []


def test_a_plugin_is_found_by_name_path_and_both(tmp_path: Path) -> None:
    inventory, path = Inventory.load(), bundle(tmp_path, "Many")
    inventory.note(path, [PluginDescription(name, str(path), channels=(1,)) for name in ("One", "Two")])
    inventory.save()
    assert find_plugin("Two").name == "Two"
    assert find_plugin(f"{path}#Two").name == "Two"
    assert find_plugin(str(path)).name == "One"
    with pytest.raises(PluginError, match=r"there is no plugin 'Twoo' on this machine; did you mean 'Two'\?"):
        find_plugin("Twoo")
    assert "there is no plugin 'Gone'" in str(known_plugin("Gone"))


def test_a_plugin_put_aside_is_refused_with_the_reason(tmp_path: Path) -> None:
    inventory, path = Inventory.load(), bundle(tmp_path, "Bad")
    inventory.note(path, [PluginDescription("Bad", str(path), problem="did not load within 10 s")])
    inventory.save()
    with pytest.raises(PluginError, match="plugin 'Bad' was put aside: it did not load within 10 s"):
        find_plugin("Bad")


@needs_zam
def test_a_plugin_is_found_without_a_scan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vcfx.hosts.plugins.folders.standard_folders", lambda: [ZAM])
    assert find_plugin("ZamGateX2").channels == (2,)
    assert [plugin.name for plugin in Inventory.load().plugins()] == ["ZamGateX2"]
