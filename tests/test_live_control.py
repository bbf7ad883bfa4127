"""The control surface in the engine's process: every kind of message against a running engine."""

from __future__ import annotations

import itertools
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from live_voice import BLOCK, RATE_HZ, running_voice, wait_until
from vcfx.control import messages as m
from vcfx.control.live_state import LiveState
from vcfx.engine.streams import Stream, StreamRequest
from vcfx.errors import DeviceError
from vcfx.presets import load_preset


def test_each_change_is_answered_with_its_block_and_shown_in_the_state() -> None:
    with running_voice() as voice:
        first = voice.done(m.SetParameter("level", "gain_db", -12.0)).block
        second = voice.done(m.SwitchPreset("soft")).block
        third = voice.done(m.Mute()).block
        fourth = voice.done(m.Bypass(True)).block
        assert None not in (first, second, third, fourth)
        assert first < second < third < fourth  # type: ignore[operator]
        state = voice.control.state()
        assert (state.preset, state.preset_name, state.muted, state.bypassed) == ("Soft", "soft", True, True)
        assert [node.id for node in state.chain] == ["level"]
        assert state.chain[0].parameters[0].value == -20.0
        assert (state.input, state.output, state.block_frames, state.output_rate_hz) == ("both", "both", BLOCK, RATE_HZ)


def test_what_cannot_be_done_is_refused_in_a_sentence_and_all_goes_on() -> None:
    with running_voice() as voice:
        assert "there is no preset 'nothing'" in voice.refusal(m.SwitchPreset("nothing"))
        assert "cutoff_hz is 1000000000" in voice.refusal(m.SwitchPreset("broken"))
        assert "has no node 'lefel'; did you mean 'level'?" in voice.refusal(m.SetParameter("lefel", "gain_db", 0.0))
        assert "has no parameter 'gain'" in voice.refusal(m.SetParameter("level", "gain", 0.0))
        assert "gain_db is 99" in voice.refusal(m.SetParameter("level", "gain_db", 99.0))
        assert "has no node 'echo'" in voice.refusal(m.BypassNode("echo"))
        assert "no recording" in voice.refusal(m.StopRecording())
        assert "there is no input device 'nowhere'" in voice.refusal(m.UseDevices(input="nowhere"))
        assert "there is no voice 'nobody'" in voice.refusal(m.SwitchVoice("nobody"))
        assert "--midi" in voice.refusal(m.LearnMidi("preset:deep"))
        assert "cannot be kept as '../x'" in voice.refusal(m.SavePreset("../x"))
        assert voice.control.state().preset == "Loud"
        before = voice.control.engine.blocks
        wait_until(lambda: voice.control.engine.blocks > before + 3)
        assert np.abs(voice.device.played[-1]).max() > 0.3


def test_panic_is_silence_within_two_blocks_and_forgets_echoes() -> None:
    def burst(first: int, count: int) -> np.ndarray:
        rising = np.random.default_rng(first).standard_normal(count).astype(np.float32)
        return 0.5 * rising if first < RATE_HZ // 4 else np.zeros(count, np.float32)

    with running_voice("echo", source=burst) as voice:
        voice.done(m.Bypass(True))
        wait_until(lambda: voice.control.engine.blocks > RATE_HZ // 4 // BLOCK + 20)
        voice.done(m.Bypass(False))
        assert np.abs(voice.played(voice.control.engine.blocks, 20)).max() > 0.01  # it still rings
        block = voice.done(m.Panic()).block
        assert block is not None
        assert not voice.played(block + 1, 20).any()
        assert voice.control.state().muted
        wait_until(lambda: not voice.control.actions.changes.busy and voice.control.actions.changes.settled)
        unmuted = voice.done(m.Mute(False)).block
        assert unmuted is not None
        assert not voice.played(unmuted, 60).any()
        assert voice.control.state().preset == "Echo"


def test_the_talk_key_lets_the_voice_through_only_while_it_is_held() -> None:
    with running_voice() as voice:
        block = voice.done(m.PushToTalk(False)).block
        assert block is not None
        assert not voice.played(block + 5, 5).any()
        assert (voice.control.state().talk_mode, voice.control.state().talking) == ("push", False)
        block = voice.done(m.PushToTalk(True)).block
        assert block is not None
        assert np.abs(voice.played(block + 5, 5)).max() > 0.4
        voice.done(m.PushToTalk(False))
        voice.done(m.TalkMode("open"))
        assert voice.control.state().talking
        voice.done(m.Mute(True))
        voice.done(m.PushToTalk(True))
        assert voice.control.state().muted  # independent of the talk key


def test_a_node_is_left_out_and_taken_in_with_what_was_set_meanwhile() -> None:
    with running_voice("late") as voice:
        voice.done(m.BypassNode("level"))
        assert [node.bypassed for node in voice.control.state().chain] == [False, True]
        assert voice.control.state().changed
        answer = voice.done(m.SetParameter("level", "gain_db", -40.0))
        assert answer.block is None
        assert "left out" in answer.note
        voice.done(m.BypassNode("level", on=False))
        block = voice.control.engine.blocks
        np.testing.assert_allclose(np.abs(voice.played(block + 20, 20)).max(), 0.005, rtol=0.02)
        voice.done(m.SetParameter("level", "gain_db", -6.0))
        assert not voice.control.state().changed


def test_presets_asked_for_too_fast_are_overtaken_and_the_last_is_heard() -> None:
    with running_voice(bank=("loud", "soft", "late")) as voice:
        names = ["soft", "late", "echo", "loud"] * 10 + ["late"]
        answers = [voice.control.submit(m.SwitchPreset(name)) for name in names]
        outcomes = [answer.result(60.0) for answer in answers]
        assert all(isinstance(outcome, m.Applied) for outcome in outcomes)
        assert sum("overtaken by" in outcome.note for outcome in outcomes) > 0  # type: ignore[union-attr]
        wait_until(lambda: voice.control.state().preset_name == "late")
        assert len(voice.control.engine._plans) <= 2


def test_parameters_set_while_a_preset_is_on_its_way_reach_it() -> None:
    with running_voice() as voice:
        switch = voice.control.submit(m.SwitchPreset("late"))
        move = voice.control.submit(m.SetParameter("level", "gain_db", -40.0))
        assert isinstance(switch.result(60.0), m.Applied)
        assert isinstance(move.result(60.0), m.Applied)
        block = voice.control.engine.blocks
        np.testing.assert_allclose(np.abs(voice.played(block + 20, 20)).max(), 0.005, rtol=0.02)
        assert voice.control.state().chain[1].parameters[0].value == -40.0


def test_other_devices_keep_preset_settings_and_switches() -> None:
    with running_voice("soft", ("loud",)) as voice:
        voice.done(m.SetParameter("level", "gain_db", 6.0))
        voice.done(m.Bypass(True))
        old = voice.control.session
        answer = voice.done(m.UseDevices(input="other", output="other", monitor=""))
        assert answer.block is not None
        assert voice.control.session is not old
        state = voice.control.state()
        assert (state.input, state.output, state.bypassed, state.preset) == ("other", "other", True, "Soft")
        voice.done(m.Bypass(False))
        wait_until(lambda: len(voice.other.played) > 60)
        np.testing.assert_allclose(np.abs(voice.other.played[-1]).max(), 0.5 * 10 ** (6 / 20), rtol=0.02)
        assert "there is no output device 'gone'" in voice.refusal(m.UseDevices(output="gone"))
        count = len(voice.other.played)
        wait_until(lambda: len(voice.other.played) > count + 5)
        voice.done(m.SwitchPreset("loud"))


def test_devices_that_refuse_leave_the_old_ones_running(monkeypatch: pytest.MonkeyPatch) -> None:
    with running_voice("soft") as voice:
        backend = voice.control.session.backend
        opened = backend.open

        def refuse(request: StreamRequest) -> Stream:
            assert request.output is not None
            if request.output.device.name == "other":
                raise DeviceError("'other' is busy")
            return opened(request)

        monkeypatch.setattr(backend, "open", refuse)
        old = voice.control.session
        assert voice.refusal(m.UseDevices(output="other")) == "'other' is busy"
        assert voice.control.session is old
        before = voice.control.engine.blocks
        wait_until(lambda: voice.control.engine.blocks > before + 5)
        assert voice.done(m.Mute(True)).block is not None


def test_what_runs_is_kept_and_loaded_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vcfx.control.actions.user_folder", lambda: tmp_path)
    with running_voice("late") as voice:
        voice.done(m.SetParameter("level", "gain_db", -3.0))
        voice.done(m.BypassNode("d", on=True))
        voice.done(m.SavePreset("My late One"))
        kept = load_preset(tmp_path / "my-late-one.toml")
        assert kept.name == "My late One"
        assert [entry.bypass for entry in kept.nodes()] == [True, False]
        assert [dict(entry.parameters) for entry in kept.nodes()][1] == {"gain_db": -3.0}
        state = voice.control.state()
        assert (state.preset, state.preset_name, state.changed) == ("My late One", "my-late-one", False)


def test_watchers_hear_of_changes_and_cannot_hold_anything_up() -> None:
    seen: list[LiveState] = []
    blocked = threading.Event()

    def bad(_: LiveState) -> None:
        raise RuntimeError("a watcher's own fault")

    def slow(_: LiveState) -> None:
        blocked.wait(30.0)

    with running_voice() as voice:
        voice.control.watch(bad)
        end = voice.control.watch(seen.append)
        voice.done(m.Mute(True))
        wait_until(lambda: bool(seen) and seen[-1].muted)
        assert seen[-1].revision > 0
        end()
        end()
        voice.control.watch(slow)
        for on in (False, True, False):
            voice.done(m.Mute(on))
        assert not voice.control.state().muted
        blocked.set()
        assert all(one.revision < other.revision for one, other in itertools.pairwise(seen))


def test_handlers_take_further_messages_and_their_failures_are_answers() -> None:
    class Odd:
        pass

    with running_voice() as voice:
        assert "nothing here carries out 'Odd'" in voice.refusal(Odd())  # type: ignore[arg-type]
        voice.control.handle(Odd, lambda message: m.Applied(None, 0.0, "done"))
        assert voice.done(Odd()).note == "done"  # type: ignore[arg-type]
        voice.control.handle(Odd, lambda message: 1 // 0)  # type: ignore[arg-type,return-value]
        assert "ZeroDivisionError" in voice.refusal(Odd())  # type: ignore[arg-type]


def test_without_sound_wishes_are_kept_and_answered() -> None:
    with running_voice(running=False) as voice:
        time.sleep(1.1)
        answer = voice.done(m.Mute(True))
        assert answer.block is None
        assert "no sound runs" in answer.note
        assert voice.control.state().muted


def test_after_the_end_every_message_is_still_answered() -> None:
    with running_voice() as voice:
        answers = [voice.control.submit(m.SwitchPreset("late")) for _ in range(5)]
        voice.control.close()
        assert all(answer.done() for answer in answers)
        assert "has ended" in voice.refusal(m.Mute(True))


def test_a_busy_loader_does_not_hold_up_the_mute_key(monkeypatch: pytest.MonkeyPatch) -> None:
    with running_voice() as voice:
        engine = voice.control.engine
        slow, go_on = engine.prepare, threading.Event()

        def prepare(preset: object) -> object:
            go_on.wait(30.0)
            return slow(preset)  # type: ignore[arg-type]

        monkeypatch.setattr(engine, "prepare", prepare)
        switch = voice.control.submit(m.SwitchPreset("late"))
        voice.done(m.Mute(True))
        assert not switch.done()
        go_on.set()
        assert isinstance(switch.result(30.0), m.Applied)
