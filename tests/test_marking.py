"""The mark at the end of every plan that speaks with another voice, and the setting that leaves it out."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from live_voice import load, running_voice, wait_until
from vcfx.cli.live_program import LiveProgram
from vcfx.cli.run import report
from vcfx.control import messages as m
from vcfx.control.preset_source import PresetSource
from vcfx.engine.engine import Engine
from vcfx.errors import ControlError, GraphError, ParameterError
from vcfx.graph.build import build_graph
from vcfx.graph.catalogue import create
from vcfx.graph.graph import OUTPUT, Graph
from vcfx.graph.plan import PlanSpec, RenderPlan
from vcfx.hosts.neural_voice import NeuralVoice
from vcfx.marking.plan_mark import MARK, PlanMark, add_mark
from vcfx.marking.setting import TURNED_OFF, mark_setting, switch_mark
from vcfx.marking.tags import NAMELESS, installation_tag, voice_tag
from vcfx.offline import PresetRenderer
from vcfx.presets import BranchEntry, NodeEntry, ParallelEntry, Preset, SendEntry, list_presets, load_preset
from vcfx_dsp.node import Block, ProcessSpec
from vcfx_dsp.nodes.watermark import Watermark
from vcfx_dsp.watermark.payload import INSTALLATION_BITS, VOICE_BITS, Payload
from vcfx_models.errors import ConsentError
from vcfx_models.papers import audit
from vcfx_models.papers.keys import SigningKey, create_own_key, key_path, own_key
from vcfx_models.voice_library import peek_voice
from voice_models import random_voice, save_voice

RATE_HZ, BLOCK = 48_000, 4_800
OWN_KEY = "00112233445566778899aabbccddeeff"


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own for keys and log; empty."""
    monkeypatch.setenv("VCFX_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def own_model(installation: Path, voice_model: Path) -> Path:
    """The tiny model, with voices enrolled in that installation."""
    folder = installation.parent / "model"
    shutil.copytree(voice_model, folder)
    for name in ("anna", "bert"):
        save_voice(random_voice(name), folder / f"{name}.vcfxvoice")
    return folder


def voice_entry(model: Path, name: str = "anna", entry: str = "v") -> NodeEntry:
    parameters = {"voice": str(model / f"{name}.vcfxvoice"), "model": str(model), "device": "cpu"}
    return NodeEntry("voice", entry, parameters)


def presets_with_a_voice(model: Path) -> dict[str, Preset]:
    voice, gain = voice_entry(model), NodeEntry("gain", "g", {"gain_db": -6.0})
    branches = (BranchEntry((voice,)), BranchEntry((gain,)))
    sends = (SendEntry("input", "output", -3.0, (voice,)),)
    hosted = NodeEntry("pedalboard.Compressor", "last")
    return {
        "alone": Preset("p", chain=(voice,)),
        "before effects": Preset("p", chain=(voice, gain, NodeEntry("limiter", "l"))),
        "before a hosted effect": Preset("p", chain=(voice, hosted)),
        "level behind everything": Preset("p", chain=(voice,), output_gain_db=6.0),
        "in a branch": Preset("p", chain=(ParallelEntry("both", branches, 0.5),)),
        "on a side road": Preset("p", chain=(gain,), sends=sends),
        "twice": Preset("p", chain=(voice, voice_entry(model, "bert", "w"))),
        "with dry sound under load": Preset("p", chain=(voice,), on_overload="dry"),
    }


def speech(frames: int = 4 * BLOCK) -> Block:
    time_s = np.arange(frames) / RATE_HZ
    tone = np.sum([np.sin(2 * np.pi * 140 * k * time_s) / k for k in range(1, 12)], axis=0)
    return np.ascontiguousarray(0.1 * tone[None], np.float32)


def rendered(plan: RenderPlan, sound: Block) -> Block:
    out = np.empty_like(sound)
    for start in range(0, sound.shape[1], plan.spec.block):
        block = np.ascontiguousarray(sound[:, start : start + plan.spec.block])
        made = np.empty_like(block)
        plan.render(block, made)
        out[:, start : start + plan.spec.block] = made
    return out


def plan_of(preset: Preset, asynchronous: bool = False) -> RenderPlan:
    return RenderPlan(build_graph(preset), PlanSpec(RATE_HZ, 1, BLOCK, preset.hop_frames, asynchronous))


@pytest.mark.parametrize("shape", presets_with_a_voice(Path()))
def test_whatever_leaves_a_plan_that_converts_went_through_the_mark(own_model: Path, shape: str) -> None:
    """All sound with the mark is the sound without it, marked: nothing goes round, nothing comes behind."""
    preset, sound = presets_with_a_voice(own_model)[shape], speech()
    plan = plan_of(preset)
    assert [edge.source for edge in plan.graph.edges_into(OUTPUT)] == [MARK]
    marked = rendered(plan, sound)
    switch_mark(False, "the test compares")
    bare = plan_of(preset)
    assert MARK not in bare.graph.node_names()
    assert (bare.latency_samples, bare.tail_samples) <= (plan.latency_samples, plan.tail_samples)
    assert bare.latency_samples == plan.latency_samples
    node = plan.node(MARK)
    assert isinstance(node, PlanMark)
    twin = Watermark(payload=float(node.payload.number))
    twin.waits_samples = node.waits_samples
    twin.prepare(ProcessSpec(RATE_HZ, sound.shape[1], 1))
    unmarked, expected = rendered(bare, sound), np.empty_like(sound)
    twin.process(unmarked, expected)
    np.testing.assert_array_equal(marked, expected)
    assert np.abs(marked - unmarked).max() > 1e-3 * np.abs(unmarked).max() > 0


def test_a_graph_made_by_hand_is_marked_too(voice_model: Path) -> None:
    node = NeuralVoice(voice=str(voice_model / "anna.vcfxvoice"), model=str(voice_model), device="cpu")
    graph = Graph.of_chain([node, create("gain")])
    graph.connect("voice", OUTPUT, 0.5)
    plan = RenderPlan(graph, PlanSpec(RATE_HZ, 2, 480))
    assert [edge.source for edge in graph.edges_into(OUTPUT)] == [MARK]
    assert plan.node_latencies()[MARK] == 0
    with pytest.raises(GraphError, match="marks another plan"):
        RenderPlan(graph, PlanSpec(RATE_HZ, 2, 480))


def test_the_callback_marks_live_sound(voice_model: Path) -> None:
    """Behind the worker's rings, so that what stands in for late sound is marked as well."""
    plan = plan_of(presets_with_a_voice(voice_model)["before a hosted effect"], asynchronous=True)
    node = plan.node(MARK)
    assert isinstance(node, PlanMark)
    assert plan.bridge is not None
    assert [step.node for step in plan._schedule.steps[list(plan._schedule.steps)[-1]]][-1] is node
    assert node.waits_samples == plan.latency_samples


@pytest.mark.parametrize("name", [info.name for info in list_presets()])
def test_only_presets_that_speak_with_another_voice_are_marked(name: str) -> None:
    graph = build_graph(load_preset(name))
    add_mark(graph)
    assert (MARK in graph.node_names()) == any(entry.kind == "voice" for entry in load_preset(name).nodes())


def test_a_voice_that_is_left_out_is_not_marked(voice_model: Path) -> None:
    entry = voice_entry(voice_model)
    preset = Preset("p", chain=(NodeEntry(entry.kind, entry.id, entry.parameters, bypass=True),))
    assert MARK not in plan_of(preset).graph.node_names()


def test_the_mark_names_installation_and_voice_and_follows_it(own_model: Path) -> None:
    plan = plan_of(Preset("p", chain=(voice_entry(own_model),)))
    mark, node, key = plan.node(MARK), plan.node("v"), own_key()
    assert isinstance(mark, PlanMark)
    assert key is not None
    tags = [voice_tag(voice_id(own_model / f"{name}.vcfxvoice")) for name in ("anna", "bert")]
    assert mark.payload == Payload(installation_tag(key.public), tags[0])
    node.update(voice=str(own_model / "bert.vcfxvoice"))
    assert mark.payload == Payload(installation_tag(key.public), tags[1])
    twin = Watermark(payload=float(mark.payload.number))
    assert mark.state.settings.tolist() == twin.settings(mark.spec)
    plan.release()
    node.update(voice=str(own_model / "anna.vcfxvoice"))
    assert mark.payload.voice == tags[1]


def voice_id(path: Path) -> str:
    papers = peek_voice(path).papers
    assert papers is not None
    return papers.voice_id


def test_the_mark_follows_switches_of_voice_preset_and_bank(voice_model: Path) -> None:
    tags = {name: voice_tag(voice_id(voice_model / f"{name}.vcfxvoice")) for name in ("anna", "bert")}
    presets = {"own": Preset("Own", chain=(voice_entry(voice_model),)), "loud": load("loud")}
    presets["other"] = Preset("Other", chain=(voice_entry(voice_model, "bert"),))
    with running_voice("own", ("other",), presets=PresetSource({}, presets.__getitem__)) as voice:

        def said() -> int:
            mark = voice.control.engine.plan.node(MARK)
            assert isinstance(mark, PlanMark)
            return mark.payload.voice

        assert said() == tags["anna"]
        told = report(LiveProgram(voice.control))["watermark"]
        assert isinstance(told, dict)
        assert told["voice"] == tags["anna"]
        voice.done(m.SetParameter("v", "voice", str(voice_model / "bert.vcfxvoice")))
        assert said() == tags["bert"]
        voice.done(m.SetParameter("v", "voice", str(voice_model / "anna.vcfxvoice")))
        voice.wait_for_bank()
        voice.done(m.SwitchPreset("other"))
        assert said() == tags["bert"]
        assert [node.id for node in voice.control.state().chain] == ["v"]
        for wish in (m.BypassNode(MARK, True), m.SetParameter(MARK, "strength_db", 0.0)):
            assert "has no node '@mark'" in voice.refusal(wish)
        voice.done(m.SwitchPreset("loud"))
        wait_until(lambda: MARK not in voice.control.engine.plan.graph.node_names())
        assert report(LiveProgram(voice.control))["watermark"] is None


def test_nobody_moves_the_mark(voice_model: Path) -> None:
    with Engine(Preset("p", chain=(voice_entry(voice_model),)), RATE_HZ, 128) as engine:
        mark = engine.plan.node(MARK)
        with pytest.raises(ParameterError, match="the watermark at the end cannot be changed"):
            mark.update(strength_db=0.0)
        with pytest.raises(ParameterError, match="the watermark at the end cannot be changed"):
            engine.set_parameters(MARK, payload=0)


def test_a_watermark_named_by_hand_may_add_and_not_weaken(voice_model: Path) -> None:
    def preset(**parameters: float | str) -> Preset:
        return Preset("p", chain=(voice_entry(voice_model), NodeEntry("watermark", "mine", parameters)))

    for weak in ({}, {"strength_db": 0.0}, {"payload": 4_095.0}):
        with pytest.raises(ParameterError, match="'mine' has no key of its own"):
            plan_of(preset(**weak))
    plan = plan_of(preset(key=OWN_KEY))
    assert [edge.source for edge in plan.graph.edges_into(OUTPUT)] == [MARK]
    plan_of(Preset("p", chain=(NodeEntry("watermark", "mine", {"payload": 7.0}),)))


def test_tags_fit_and_none_means_nameless() -> None:
    found = {voice_tag(f"{number:016x}") for number in range(20_000)}
    assert min(found) == NAMELESS + 1
    assert max(found) == (1 << VOICE_BITS) - 1
    keys = [SigningKey.new().public for _ in range(50)]
    assert all(NAMELESS < installation_tag(key) < 1 << INSTALLATION_BITS for key in keys)


def test_a_folder_that_cannot_be_written_leaves_the_mark_without_a_name(
    installation: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation.write_text("a file where the folder should be")
    voice = NodeEntry("voice", "v", {"device": "cpu"})  # one that comes along: nobody's consent is needed
    mark = plan_of(Preset("p", chain=(voice,))).node(MARK)
    assert isinstance(mark, PlanMark)
    assert mark.payload.installation == NAMELESS
    assert mark.payload.voice != NAMELESS


def test_the_mark_is_on_until_the_log_says_otherwise(installation: Path) -> None:
    assert mark_setting().on
    for reason in ("", "  "):
        with pytest.raises(ControlError, match="needs a reason"):
            switch_mark(False, reason)
    with pytest.raises(ControlError, match="allowed: one line"):
        switch_mark(False, "two\nlines")
    assert mark_setting().on
    setting = switch_mark(False, "a listening test")
    assert (setting.on, setting.reason, setting.problem) == (False, "a listening test", "")
    assert [(entry.event, entry.detail) for entry in audit.entries()][-1] == (
        TURNED_OFF,
        {"reason": "a listening test"},
    )
    audit.append("used", {"voice": "anna"})
    assert not mark_setting().on
    assert switch_mark(True).on
    assert mark_setting().on


def change_log(trigger: str, statement: str) -> None:
    """Change what a trigger forbids, and put the trigger back."""
    with sqlite3.connect(audit.log_path()) as log:
        (guard,) = log.execute("SELECT sql FROM sqlite_master WHERE name = ?", (trigger,)).fetchone()
        log.execute(f"DROP TRIGGER {trigger}")
        log.execute(statement)
        log.execute(guard)


def change_an_entry() -> None:
    change_log("no_update", "UPDATE entries SET detail = '{}' WHERE number = 2")


def cut_the_end() -> None:
    change_log("no_delete", "DELETE FROM entries WHERE number = (SELECT max(number) FROM entries)")


def add_by_hand() -> None:
    with sqlite3.connect(audit.log_path()) as log:
        columns = [row[1] for row in log.execute("PRAGMA table_info(entries)")]
        last = log.execute("SELECT * FROM entries ORDER BY number DESC LIMIT 1").fetchone()
        row = dict(zip(columns, last, strict=True)) | {"event": TURNED_OFF, "number": last[0] + 1}
        log.execute(f"INSERT INTO entries VALUES ({', '.join('?' * len(columns))})", [row[name] for name in columns])


DAMAGES: dict[str, Callable[[], object]] = {
    "entry changed": change_an_entry,
    "end cut off": cut_the_end,
    "log gone": lambda: audit.log_path().unlink(),
    "log is rubbish": lambda: audit.log_path().write_bytes(b"rubbish" * 1_000),
    "key gone": lambda: key_path().unlink(),
    "key changed": lambda: key_path().write_bytes(SigningKey.new().secret),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_log_that_was_tampered_with_turns_the_mark_on(installation: Path, damage: str) -> None:
    switch_mark(False, "first")
    switch_mark(False, "second")
    assert not mark_setting().on
    DAMAGES[damage]()
    setting = mark_setting()
    assert setting.on
    assert "\n" not in setting.problem


def test_an_entry_added_by_hand_does_not_turn_it_off(installation: Path) -> None:
    create_own_key()
    switch_mark(True)
    add_by_hand()
    assert mark_setting().on


def test_the_mark_cannot_be_turned_off_where_it_cannot_be_logged(installation: Path) -> None:
    switch_mark(True)
    audit.log_path().unlink()
    audit.log_path().mkdir()
    with pytest.raises(ConsentError):
        switch_mark(False, "nobody shall know")
    assert mark_setting().on


def test_renderers_follow_the_setting(own_model: Path) -> None:
    preset, sound = Preset("p", chain=(voice_entry(own_model),)), speech()
    marked = PresetRenderer(preset, RATE_HZ, 1, sound.shape[1]).process(sound)
    switch_mark(False, "the test compares")
    bare = PresetRenderer(preset, RATE_HZ, 1, sound.shape[1]).process(sound)
    switch_mark(True)
    np.testing.assert_array_equal(PresetRenderer(preset, RATE_HZ, 1, sound.shape[1]).process(sound), marked)
    assert not np.array_equal(bare, marked)
