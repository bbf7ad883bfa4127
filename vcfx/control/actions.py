"""What each message does to session, engine, bank and recordings."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Literal, Protocol

from vcfx.engine.cells import GAIN_RAMP_S
from vcfx.engine.engine import Engine
from vcfx.engine.session import LiveSession
from vcfx.errors import ControlError, VcfxError
from vcfx.presets import Preset, list_presets, save_preset, user_folder

from . import messages as m
from .acknowledgements import Acknowledgements
from .bank import Bank
from .device_change import changed_request, move_session
from .live_preset import check_keepable, checked_name, with_bypass
from .live_state import MidiState
from .loader import Loader
from .parameter_moves import ParameterMoves
from .preset_changes import PresetChanges
from .preset_source import PresetSource, Wanted
from .reply import Reply
from .state_building import Wishes
from .takes import Takes

#: Quicker than an ordinary mute (10 ms), yet no click.
PANIC_RAMP_S = 0.0025
_JOB_S = 15.0


class ControlThread(Protocol):
    """What actions need of the thread that they run on."""

    acknowledgements: Acknowledgements

    def call(self, function: Callable[[], None]) -> None:
        """Run a function on the control thread. Thread: any."""

    def engine_changed(self, engine: Engine) -> None:
        """Say that another engine runs."""


class Actions:
    """Carries out one message after the other. Thread: control."""

    def __init__(
        self,
        session: LiveSession,
        running: Wanted,
        source: PresetSource,
        bank: tuple[str, ...],
        loader: Loader,
        control: ControlThread,
    ) -> None:
        self.session, self.problem = session, ""
        self.midi: MidiState | None = None
        self._source, self._control = source, control
        self.bank = Bank(bank, source, session.engine, loader, control.call)
        self.changes = PresetChanges(running, session.engine, self.bank, loader, control.call)
        self._moves = ParameterMoves(self.changes, source, self.bank, control)
        self._takes = Takes(control.call)
        self._talk_mode: Literal["open", "push"] = "open"
        self._jobs: list[threading.Thread] = []
        self._travel: threading.Thread | None = None
        self._arrived: LiveSession | None = None

    @property
    def busy(self) -> bool:
        """Whether `poll` must be called soon."""
        return self.changes.busy

    def poll(self) -> bool:
        """Look after what goes on by itself; whether something has changed."""
        changed = [self.changes.poll(), self._takes.poll()]
        return any(changed)

    def wishes(self) -> Wishes:
        """Return what the state shows besides the engine's own."""
        return Wishes(self._talk_mode, self._takes.state(), self.problem or self.changes.problem, self.midi)

    def close(self) -> str:
        """Finish the recording and let go of plans that nobody hears; returns the recording's problem."""
        for job in self._jobs:
            job.join(_JOB_S)
        if self._arrived is not None:
            self.session.close()
            self.session = self._arrived
        self.changes.close()
        self._moves.close()
        self.bank.close()
        return self._takes.close()

    def carry_out(self, message: object, reply: Reply) -> None:
        """Begin what a message asks for; `reply` is answered when it has taken effect.

        Raises
        ------
        VcfxError
            If it cannot be done.
        """
        match message:
            case m.SwitchPreset(preset):
                self.changes.begin(self._source.wanted(preset), reply)
            case m.StepPreset(by):
                self._step(by, reply)
            case m.SwitchVoice(voice):
                self._moves.switch_voice(self.session.engine, voice, reply)
            case m.SetParameter(node, parameter, value):
                self._moves.set(self.session.engine, node, parameter, value, reply)
            case m.BypassNode(node, on):
                self._bypass_node(node, on, reply)
            case m.StartRecording(sides, path):
                self._takes.start(self.session.engine, sides, path, reply)
            case m.StopRecording():
                self._takes.stop(reply)
            case m.UseDevices():
                self._use_devices(message, reply)
            case m.SavePreset(name):
                self._save(name, reply)
            case _:
                self._switch(message, reply)

    def _switch(self, message: object, reply: Reply) -> None:
        """Carry out what only turns something on or off."""
        engine = self.session.engine
        match message:
            case m.Bypass(on):
                self._turn(reply, bypassed=not engine.bypassed if on is None else on)
            case m.Mute(on):
                self._turn(reply, unmuted=engine.muted if on is None else not on)
            case m.TalkMode(mode):
                self._talk_mode = mode
                self._turn(reply, talking=mode == "open")
            case m.PushToTalk(held):
                self._talk_mode = "push"
                self._turn(reply, talking=held)
            case m.Panic():
                talking = self._talk_mode == "open"
                self._turn(reply, PANIC_RAMP_S, unmuted=False, bypassed=False, talking=talking)
                self.changes.restart()
            case m.LearnMidi():
                raise ControlError("nothing listens to MIDI; start vcfx with --midi PORT")
            case _:
                raise ControlError(f"nothing here carries out '{type(message).__name__}'")

    def _turn(self, reply: Reply, ramp_s: float = GAIN_RAMP_S, **switches: bool) -> None:
        engine = self.session.engine
        ticket = engine.switch(ramp_s, **switches)
        self._control.acknowledgements.wait(lambda: engine.messages.applied_in(ticket), reply)

    def _step(self, by: int, reply: Reply) -> None:
        names = self.bank.names or tuple(info.name for info in list_presets() if not info.damaged)
        present = self.changes.wanted.name
        before_first = -1 if by > 0 else 0
        place = (names.index(present) if present in names else before_first) + by
        self.changes.begin(self._source.wanted(names[place % len(names)]), reply)

    def _bypass_node(self, node: str, on: bool | None, reply: Reply) -> None:
        wanted = self.changes.wanted
        preset = with_bypass(wanted.preset, node, on)
        if preset == wanted.preset:
            reply.applied(self.session.engine.blocks, "it is that way already")
            return
        self.changes.begin(Wanted(preset, wanted.base, wanted.name), reply)

    def _save(self, name: str, reply: Reply) -> None:
        path = user_folder() / f"{checked_name(name)}.toml"
        before = self.changes.wanted.preset
        check_keepable(before)
        kept = replace(before, name=name.strip())

        def write() -> None:
            try:
                save_preset(kept, path)
            except VcfxError as error:
                reason = str(error)
                self._control.call(lambda: reply.refused(reason))
            else:
                self._control.call(written)

        def written() -> None:
            self.changes.kept(before, Wanted(kept, kept, path.stem))
            reply.applied(None, str(path))

        self._beside(write)

    def _use_devices(self, message: m.UseDevices, reply: Reply) -> None:
        if self._travel is not None and self._travel.is_alive():
            reply.refused("the devices are being changed already; try again in a moment")
            return
        old, preset = self.session, self.changes.running.preset
        request, switches = changed_request(old, message), self._switches()
        if self._takes.running:
            self._takes.stop(problem="the recording has ended because the devices were changed")

        def travel() -> None:
            try:
                new = move_session(old, request, preset, switches)
            except VcfxError as error:
                reason = str(error)
                self._control.call(lambda: reply.refused(reason))
            else:
                self._arrived = new
                self._control.call(lambda: self._arrive(new, preset, reply))

        self._travel = self._beside(travel)

    def _arrive(self, new: LiveSession, preset: Preset, reply: Reply) -> None:
        """Go on with the session on other devices."""
        old, engine = self.session.engine, new.engine
        switches = self._switches()
        leaving, self.session, self._arrived = self.session, new, None
        terms = [(made.sample_rate, made.channels, made.block) for made in (old, engine)]
        self._control.engine_changed(engine)
        self.bank.use_engine(engine, terms[0] == terms[1])
        self.changes.use_engine(engine, preset)
        self._turn(reply, **switches)
        self._beside(leaving.close)

    def _switches(self) -> dict[str, bool]:
        engine = self.session.engine
        return {"unmuted": not engine.muted, "talking": engine.talking, "bypassed": engine.bypassed}

    def _beside(self, job: Callable[[], None]) -> threading.Thread:
        """Do what may wait for disks and devices on a thread of its own."""
        self._jobs = [thread for thread in self._jobs if thread.is_alive()]
        thread = threading.Thread(target=job, name="vcfx-beside", daemon=True)
        self._jobs.append(thread)
        thread.start()
        return thread
