from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hosted_plugins import ZAM, needs_zam, zam
from reference.hosted_plugin import render as reference
from vcfx.errors import ParameterError, PluginError, PresetError
from vcfx.graph.catalogue import create, node_kinds
from vcfx.graph.graph import Graph
from vcfx.graph.plan import PlanSpec, RenderPlan
from vcfx.hosts.plugins.description import PluginParameter
from vcfx.hosts.plugins.float_mode import kept_float_mode
from vcfx.hosts.plugins.hosted import layout
from vcfx.hosts.plugins.isolated import IsolatedPlugin
from vcfx.hosts.plugins.plugin_node import PluginNode, encoded_state
from vcfx.hosts.plugins.server import _as_text
from vcfx.offline import PresetRenderer
from vcfx.presets import Preset, load_preset, save_preset
from vcfx.presets.model import NodeEntry
from vcfx.presets.reader import read_preset
from vcfx_dsp.node import Block, Node, ProcessSpec

RATE_HZ, HOP = 48_000, 480
LOUD = {"threshold_db": -30.0, "ratio": 8.0, "makeup_db": 6.0}


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def signal(rng: np.random.Generator) -> Block:
    time_s = np.arange(HOP * 20) / RATE_HZ
    tone = np.sin(2 * np.pi * 180 * time_s) * (np.sin(2 * np.pi * 7 * time_s) > 0)
    return (0.3 * tone + 0.02 * rng.standard_normal((2, time_s.size))).astype(np.float32)


def prepared(name: str, *channels: int, **parameters: object) -> Node:
    node = create("plugin", plugin=str(ZAM / f"{name}.vst3"), **parameters)
    node.prepare(ProcessSpec(RATE_HZ, HOP, channels[0] if channels else 2))
    return node


def render(node: Node, signal: Block, hop: int = HOP) -> Block:
    out = np.full_like(signal, np.nan)
    for start in range(0, signal.shape[1], hop):
        block = np.ascontiguousarray(signal[:, start : start + hop])
        made = np.full_like(block, np.nan)
        node.process(block, made)
        out[:, start : start + hop] = made
    return out


@needs_zam
@pytest.mark.parametrize("isolated", ["yes", "no"])
@pytest.mark.parametrize(("name", "stereo"), [("ZamCompX2", True), ("ZamComp", False)])
@pytest.mark.parametrize("channels", [1, 2])
def test_it_sounds_as_pedalboard_alone(name: str, stereo: bool, channels: int, isolated: str, signal: Block) -> None:
    node = prepared(name, channels, isolated=isolated, **LOUD)
    expected = reference(ZAM / f"{name}.vst3", signal[:channels], RATE_HZ, HOP, stereo, LOUD)
    np.testing.assert_array_equal(render(node, signal[:channels]), expected)
    assert np.abs(expected - signal[:channels]).max() > 0.05  # it does something
    node.release()


@needs_zam
@pytest.mark.parametrize("isolated", ["yes", "no"])
def test_an_impulse_arrives_after_the_stated_latency(isolated: str) -> None:
    node = prepared("ZaMaximX2", isolated=isolated)
    impulse = np.zeros((2, HOP * 6), np.float32)
    impulse[:, 700] = 0.25
    assert node.latency_samples == 480
    assert np.abs(render(node, impulse)).argmax(axis=1).tolist() == [1_180, 1_180]
    node.release()


@needs_zam
def test_hops_of_latency_delay_by_just_that(signal: Block) -> None:
    plain, later = prepared("ZamCompX2", **LOUD), prepared("ZamCompX2", latency_hops=2, **LOUD)
    assert later.latency_samples == 2 * HOP
    np.testing.assert_array_equal(render(later, signal)[:, 2 * HOP :], render(plain, signal)[:, : -2 * HOP])
    later.reset()
    assert not render(later, signal)[:, : 2 * HOP].any()
    plain.release()
    later.release()


@needs_zam
@pytest.mark.parametrize("isolated", ["yes", "no"])
def test_reset_gives_the_same_bits_again_and_so_does_working_in_place(isolated: str, signal: Block) -> None:
    node = prepared("ZamCompX2", isolated=isolated, **LOUD)
    first = render(node, signal)
    node.reset()
    in_place = signal.copy()
    for start in range(0, signal.shape[1], HOP):
        block = np.ascontiguousarray(in_place[:, start : start + HOP])
        node.process(block, block)
        in_place[:, start : start + HOP] = block
    np.testing.assert_array_equal(in_place, first)
    node.release()


@needs_zam
@given(sizes=st.lists(st.integers(0, HOP // 4).map(lambda quads: 4 * quads), max_size=12))
def test_a_plugin_without_blocks_of_its_own_gives_the_same_bits_for_any_split(sizes: list[int]) -> None:
    node = _shared_node()
    signal = (0.2 * np.random.default_rng(4).standard_normal((2, HOP * 4))).astype(np.float32)
    node.reset()
    whole = render(node, signal)
    node.reset()
    out, start = np.empty_like(signal), 0
    for size in [*sizes, *[HOP] * 4]:
        block = np.ascontiguousarray(signal[:, start : start + size])
        made = np.full_like(block, np.nan)
        node.process(block, made)
        out[:, start : start + block.shape[1]] = made
        start += block.shape[1]
    np.testing.assert_array_equal(out, whole)


_shared: list[Node] = []


def _shared_node() -> Node:
    if not _shared:
        _shared.append(prepared("ZamCompX2", **LOUD))
    return _shared[0]


@needs_zam
@pytest.mark.parametrize("isolated", ["yes", "no"])
def test_parameters_change_from_the_next_hop_on(isolated: str, signal: Block) -> None:
    changed, fresh = prepared("ZamEQ2", isolated=isolated), prepared("ZamEQ2", isolated=isolated)
    changed.update(master_gain_db=-12.0)
    assert changed.parameters["master_gain_db"] == -12.0
    before, after = render(fresh, signal)[:, -HOP:], render(changed, signal)[:, -HOP:]
    difference_db = 20 * np.log10(np.sqrt(np.mean(after**2)) / np.sqrt(np.mean(before**2)))
    assert difference_db == pytest.approx(-12.0, abs=0.3)
    changed.release()
    fresh.release()


@needs_zam
@pytest.mark.parametrize("sound", ["noise", "square", "dc", "denormal"])
def test_output_is_finite_and_complete(sound: str, rng: np.random.Generator) -> None:
    noise = rng.uniform(-1, 1, (2, HOP * 4)).astype(np.float32)
    signals = {
        "noise": noise,
        "square": np.sign(noise),
        "dc": np.ones_like(noise),
        "denormal": np.full_like(noise, 1e-41),
    }
    node = prepared("ZamTube", isolated="no")
    assert np.isfinite(render(node, signals[sound])).all()


@needs_zam
def test_files_and_live_get_the_same_bits(signal: Block) -> None:
    rendered, latencies = [], []
    for asynchronous in (False, True):
        node = create("plugin", plugin=str(ZAM / "ZaMultiCompX2.vst3"))
        spec = PlanSpec(RATE_HZ, 2, 4_800, 4_800, asynchronous)  # hops so long that no machine is late
        plan = RenderPlan(Graph.of_chain([node]), spec)
        padded = np.concatenate([signal, np.zeros((2, 4 * 4_800), np.float32)], axis=1)
        out = np.empty_like(padded)
        for start in range(0, padded.shape[1], 4_800):
            block = np.empty((2, 4_800), np.float32)
            plan.render(np.ascontiguousarray(padded[:, start : start + 4_800]), block)
            out[:, start : start + 4_800] = block
        assert isinstance(node, PluginNode)
        assert isinstance(node.host, IsolatedPlugin)
        assert node.host.missed_blocks == 0
        rendered.append(out[:, plan.latency_samples :][:, : signal.shape[1]])
        latencies.append(plan.latency_samples)
        plan.release()
    np.testing.assert_array_equal(rendered[0], rendered[1])
    assert latencies == [4_799, 4_800]


@pytest.mark.parametrize(
    ("channels", "taken", "rows"),
    [
        (1, (1,), [[0]]),
        (1, (2,), [[0, 0]]),
        (2, (1,), [[0], [1]]),
        (2, (1, 2), [[0, 1]]),
        (1, (1, 2), [[0]]),
        (3, (2,), [[0, 1], [2, 2]]),
        (3, (1, 2), [[0, 1], [2]]),
    ],
)
def test_channels_are_adapted(channels: int, taken: tuple[int, ...], rows: list[list[int]]) -> None:
    assert layout(channels, taken) == rows


PRESET = """
schema_version = 1
name = "With a plugin"
[[chain]]
node = "plugin"
plugin = "{plugin}"
{rest}
"""


def preset_of(plugin: str, rest: str) -> Preset:
    return read_preset(PRESET.format(plugin=plugin, rest=rest).encode(), "p.toml")


@needs_zam
@pytest.mark.parametrize(
    ("rest", "sentence"),
    [
        ("treshold_db = -20", "unknown key 'treshold_db' .* did you mean 'threshold_db'?"),
        ("ratio = 400", "ratio is 400; allowed: a number from 1 to 20"),
        ('current_program = "None"', "allowed: Zero, PoppySnare, VocalLeveller"),
        ('raw_state = "?"', "raw_state is '\\?'...; allowed: base64"),
        ('isolated = "no"\nlatency_hops = 1', "latency_hops is of use only with isolated = 'yes'"),
    ],
)
def test_a_preset_is_checked_against_the_plugin(rest: str, sentence: str) -> None:
    with pytest.raises(PresetError, match=sentence):
        preset_of(str(ZAM / "ZamCompX2.vst3"), rest)


def test_a_preset_whose_plugin_is_missing_loads_and_keeps_everything(tmp_path: Path) -> None:
    read = preset_of("Not There", 'amount_db = -3.5\nmode = "soft"\nraw_state = "AAEC"')
    save_preset(read, tmp_path / "kept.toml")
    assert load_preset(tmp_path / "kept.toml") == read
    (entry,) = read.nodes()
    assert entry.parameters == {"plugin": "Not There", "amount_db": -3.5, "mode": "soft", "raw_state": "AAEC"}


def test_a_missing_plugin_refuses_to_run() -> None:
    with pytest.raises(PluginError, match="there is no plugin 'Not There' on this machine"):
        PresetRenderer(preset_of("Not There", ""), RATE_HZ, 1, HOP)


def test_a_missing_plugin_passes_sound_only_if_the_preset_says_so(signal: Block) -> None:
    renderer = PresetRenderer(preset_of("Not There", 'when_missing = "pass"\namount_db = 3'), RATE_HZ, 2, HOP)
    out = renderer.process(signal[:, :HOP])
    delay = renderer.latency_samples
    np.testing.assert_array_equal(out[:, delay:], signal[:, : HOP - delay])
    (problem,) = renderer.plan.problems()
    assert problem.startswith("there is no plugin 'Not There' on this machine")
    assert problem.endswith("; the sound passes unchanged")


@needs_zam
def test_the_plugins_own_state_is_kept_in_presets(tmp_path: Path, signal: Block) -> None:
    import pedalboard

    with kept_float_mode():
        plugin = pedalboard.VST3Plugin(str(ZAM / "ZamCompX2.vst3"))
    for name, value in LOUD.items():
        setattr(plugin, name, value)
    plugin.process(signal[:, :HOP], RATE_HZ, buffer_size=HOP, reset=False)  # only then does it notice
    state = {"plugin": str(ZAM / "ZamCompX2.vst3"), "raw_state": encoded_state(plugin.raw_state)}
    preset = Preset("state", chain=(NodeEntry("plugin", "comp", state),))
    save_preset(preset, tmp_path / "state.toml")
    loaded = load_preset(tmp_path / "state.toml")
    assert loaded == preset
    (entry,) = loaded.nodes()
    assert base64.b64decode(str(entry.parameters["raw_state"])) == plugin.raw_state
    node = create("plugin", **entry.parameters)
    node.prepare(ProcessSpec(RATE_HZ, HOP, 2))
    named = prepared("ZamCompX2", **LOUD)
    np.testing.assert_array_equal(render(node, signal), render(named, signal))
    node.release()
    named.release()


def test_a_large_state_fits_into_a_preset(tmp_path: Path, rng: np.random.Generator) -> None:
    state = rng.bytes(500_000)
    preset = Preset("x", chain=(NodeEntry("plugin", "p", {"plugin": "Not There", "raw_state": encoded_state(state)}),))
    save_preset(preset, tmp_path / "large.toml")
    (entry,) = load_preset(tmp_path / "large.toml").nodes()
    assert base64.b64decode(str(entry.parameters["raw_state"])) == state
    assert _as_text(b"\0\1") == "AAE="


def test_words_that_presets_need_themselves_get_a_prefix() -> None:
    assert PluginParameter("bypass", "Bypass", "", "switch", "off", choices=("off", "on")).key == "plugin_bypass"
    assert PluginParameter("mix", "Mix", "%", "number", 50.0, 0.0, 100.0).key == "mix"


def test_it_is_a_kind_of_node() -> None:
    assert "plugin" in node_kinds()
    node = create("plugin")
    with pytest.raises(PluginError, match="names no plugin; give it as plugin = NAME"):
        node.prepare(ProcessSpec(RATE_HZ, HOP, 1))


@needs_zam
def test_what_shapes_the_plan_cannot_change_while_sound_runs() -> None:
    node = prepared("ZamCompX2", isolated="no")
    with pytest.raises(ParameterError, match="tail_ms cannot change while sound runs"):
        node.update(tail_ms=5.0)
    assert zam("ZamCompX2").name == "ZamCompX2"


@needs_zam
def test_a_plugin_in_this_process_leaves_python_its_denormals() -> None:
    node = create("plugin", plugin=str(ZAM / "ZamCompX2.vst3"), isolated="no")
    node.prepare(ProcessSpec(RATE_HZ, HOP, 2))
    block = np.zeros((2, HOP), np.float32)
    node.process(block, block)
    assert float("1e-310") / 2.0 > 0.0
    node.release()
