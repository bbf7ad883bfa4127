"""Voices of a running voice changer: switched within the model, or put in front of a preset that has none."""

from __future__ import annotations

from pathlib import Path

from live_voice import load, running_voice, wait_until
from vcfx.control import messages as m
from vcfx.control.preset_source import PresetSource
from vcfx.hosts.neural_voice import NeuralVoice


def test_voices_are_switched_within_the_plan_and_stay_in_front_of_presets(voice_model: Path) -> None:
    anna, bert = (str(voice_model / f"{name}.vcfxvoice") for name in ("anna", "bert"))
    source = PresetSource({"voice": anna, "model": str(voice_model), "device": "cpu"}, load)
    with running_voice("loud", ("soft",), presets=source) as voice:
        control = voice.control
        assert [node.kind for node in control.state().chain] == ["voice", "gain"]
        assert control.state().voice == anna
        plan = control.engine.plan
        assert voice.done(m.SwitchVoice(bert)).block is not None
        assert control.engine.plan is plan
        node = plan.node("voice")
        assert isinstance(node, NeuralVoice)
        assert control.state().voice == bert
        wait_until(lambda: node._applied is not None and node._applied.voice.name == "bert")
        assert voice.done(m.SetParameter("voice", "pitch_semitones", 3.0)).block is not None
        assert "there is no voice 'carl'" in voice.refusal(m.SwitchVoice("carl"))
        assert control.state().voice == bert
        voice.done(m.SwitchPreset("soft"))
        assert control.state().voice == bert
        voice.done(m.SetParameter("voice", "voice", anna))
        assert control.state().voice == anna


def test_a_preset_without_a_voice_gets_one_until_it_is_given_up(voice_model: Path) -> None:
    source = PresetSource({"model": str(voice_model), "device": "cpu"}, load)
    bert = str(voice_model / "bert.vcfxvoice")
    source.voice, given = {}, source.voice
    with running_voice("loud", ("soft",), presets=source) as voice:
        assert voice.control.state().voice == ""
        source.voice = given
        voice.done(m.SwitchVoice(bert))
        source.voice |= given
        assert [node.kind for node in voice.control.state().chain] == ["voice", "gain"]
        voice.done(m.SwitchPreset("soft"))
        assert voice.control.state().voice == bert
        voice.done(m.SwitchVoice(""))
        assert [node.kind for node in voice.control.state().chain] == ["gain"]
        voice.done(m.SwitchPreset("loud"))
        assert voice.control.state().voice == ""
