"""`LiveControl`: the control surface in the engine's own process."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from dataclasses import replace
from types import TracebackType
from typing import Any

from vcfx.engine.engine import Engine
from vcfx.engine.session import LiveSession
from vcfx.errors import VcfxError
from vcfx.hosts.priority import CONTROL_PRIORITY, ask_for_real_time

from .acknowledgements import Acknowledgements
from .actions import Actions
from .catalogue import build_catalogue
from .live_state import SPECTRUM_BANDS, Catalogue, LiveState, Meters, MidiState
from .loader import Loader
from .messages import Message, Outcome, Refused
from .preset_source import PresetSource, Wanted
from .reply import Outbox, Reply
from .spectra_wish import SpectraWish
from .state_building import build_state
from .watchers import Watchers

_SOON_S, _IDLE_S, _STALLED_S = 0.001, 0.1, 0.05
_SILENT_S = 1.0
_BURST = 64
ENDED = "the voice changer has ended"
#: From a message of one kind to its outcome; runs on the control thread.
Handler = Callable[[Any], Outcome]


class LiveControl:
    """Carries out messages on one thread, in order; implements `vcfx.control.surface.ControlSurface`.

    What takes long (a plan to be built, a voice to be loaded, a file, a device) goes on beside it, so that the next
    message need not wait; the answer is given when it has been done. Of several presets that are asked for faster than
    they can begin, the last one is heard; the others are answered with it and the note that it overtook them.

    Parameters
    ----------
    session
        Running; control may put another in its place when devices change.
    running
        The preset that the session was made with.
    source
        Where presets come from.
    bank
        Names of presets to keep ready.

    Raises
    ------
    VcfxError
        If the bank names what is not there.
    """

    def __init__(
        self, session: LiveSession, running: Wanted, source: PresetSource | None = None, bank: tuple[str, ...] = ()
    ) -> None:
        self._queue: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._ended = self._ending = False
        self._handlers: dict[type[Any], Handler] = {}
        self._outbox = Outbox()
        self._loader = Loader()
        self._watchers = Watchers()
        self.acknowledgements = Acknowledgements()
        try:
            self.actions = Actions(session, running, source or PresetSource(), bank, self._loader, self)
        except VcfxError:
            self._loader.close()
            raise
        self._spectra = SpectraWish()
        self._revision, self._blocks, self._moved_s = 0, 0, time.monotonic()
        self._start_s = time.monotonic()
        self._state = self._built_state()
        self._thread = threading.Thread(target=self._run, name="vcfx-control", daemon=True)
        self._thread.start()

    def __enter__(self) -> LiveControl:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def session(self) -> LiveSession:
        """The session that runs by now."""
        return self.actions.session

    @property
    def engine(self) -> Engine:
        """The engine that runs by now."""
        return self.actions.session.engine

    def submit(self, message: Message) -> Future[Outcome]:
        """Queue a message; the future holds `Applied` or `Refused`, never an exception. Never blocks. Thread: any."""
        reply = Reply(self._outbox)
        self._queue.put(lambda: self._carry_out(message, reply))
        if self._ended and not reply.future.done():
            with contextlib.suppress(InvalidStateError):  # the control thread was quicker
                reply.future.set_result(Refused(ENDED))
        return reply.future

    def handle(self, message_type: type[Any], handler: Handler) -> None:
        """Let a function carry out messages of one more type, on the control thread; it must be quick."""
        self._handlers[message_type] = handler

    def show_midi(self, midi: MidiState | None) -> None:
        """Let the state show what the MIDI client does. Thread: any."""

        def show() -> None:
            self.actions.midi = midi

        self.call(show)

    def call(self, function: Callable[[], None]) -> None:
        """Run a function on the control thread. Thread: any."""
        self._queue.put(function)

    def state(self) -> LiveState:
        """Return the present state. Thread: any."""
        return self._state

    def meters(self) -> Meters:
        """Return the present levels and counters. Thread: any."""
        engine = self.engine
        levels, stats = engine.levels(), engine.statistics()
        block_us = 1e6 * engine.block / engine.sample_rate
        before, after = self._spectra.levels()
        return Meters(
            seconds=time.monotonic() - self._start_s,
            input_peak_db=levels.input_peak_db,
            input_rms_db=levels.input_rms_db,
            output_peak_db=levels.output_peak_db,
            output_rms_db=levels.output_rms_db,
            blocks=stats.blocks,
            late_blocks=stats.late_blocks,
            concealed_blocks=stats.concealed_blocks,
            callback_p99_us=stats.callback.p99_us,
            load=stats.callback.p99_us / block_us,
            input_spectrum_db=before,
            output_spectrum_db=after,
        )

    def catalogue(self) -> Catalogue:
        """Return what can be chosen; looks for it anew, which may take a second. Thread: any."""
        return build_catalogue(self.session.backend, self.actions.bank)

    def watch(self, changed: Callable[[LiveState], None]) -> Callable[[], None]:
        """Call back after changes, on a thread of its own; returns what ends it. Thread: any."""
        return self._watchers.add(changed)

    def want_spectra(self, wanted: bool) -> None:
        """Count one more (or one fewer) client that draws spectra. Thread: any."""
        self._spectra.count(wanted, self.engine, SPECTRUM_BANDS)

    def close(self) -> str:
        """Finish the recording, answer who still waits and end the thread; the session goes on.

        Returns
        -------
        str
            The problem that ended the last recording; empty if there was none.
        """
        if not self._thread.is_alive():
            return ""
        self._queue.put(None)
        self._thread.join(10.0)
        self._loader.close()
        self._refuse_the_rest()  # plans that were being built are handed over before all are let go
        problem = self.actions.close()
        self._refuse_the_rest()
        self._spectra.close()
        self._watchers.close()
        return problem

    def engine_changed(self, engine: Engine) -> None:
        """Let spectra be those of the new engine. Thread: control."""
        self._spectra.use_engine(engine, SPECTRUM_BANDS)

    def _run(self) -> None:
        ask_for_real_time(CONTROL_PRIORITY)
        while not self._ending:
            try:
                job = self._queue.get(timeout=self._patience_s())
            except queue.Empty:
                job = _nothing
            if job is None:
                break
            try:
                job()
                self._do_what_waits()
                self.acknowledgements.poll(self._is_moving())
                if self.actions.poll() or self._outbox or job is not _nothing or not self._is_waiting():
                    self._announce()
            except Exception as error:  # whatever happens, a person's next key must work
                self.actions.problem = f"control has failed: {type(error).__name__}: {error}"
            self._outbox.send()
        self._ended = True
        self._refuse_the_rest()

    def _do_what_waits(self) -> None:
        """Take a burst of messages in one go; looking after each would delay the last."""
        for _ in range(_BURST):
            if self._ending or self._queue.empty():
                return
            job = self._queue.get()
            if job is None:
                self._ending = True
            else:
                job()

    def _is_waiting(self) -> bool:
        return bool(self.acknowledgements) or self.actions.busy

    def _patience_s(self) -> float:
        if not self._is_waiting():
            return _IDLE_S
        return _SOON_S if self._is_moving() else _STALLED_S

    def _is_moving(self) -> bool:
        """Whether blocks have been rendered during the last second."""
        blocks, now_s = self.engine.blocks, time.monotonic()
        if blocks != self._blocks:
            self._blocks, self._moved_s = blocks, now_s
        return now_s - self._moved_s < _SILENT_S

    def _carry_out(self, message: object, reply: Reply) -> None:
        if self._ended:
            reply.refused(ENDED)
            return
        try:
            handler = self._handlers.get(type(message))
            if handler is not None:
                reply.give(handler(message))
            else:
                self.actions.carry_out(message, reply)
        except VcfxError as error:
            reply.refused(str(error))
        except Exception as error:  # a client's handler, a plugin
            reply.refused(f"{type(message).__name__} has failed: {type(error).__name__}: {error}")

    def _built_state(self) -> LiveState:
        actions = self.actions
        return build_state(self._revision, actions.session, actions.changes.running, actions.wishes())

    def _announce(self) -> None:
        """Publish the state if it is another one."""
        state = self._built_state()
        if state != self._state:
            self._revision += 1
            self._state = replace(state, revision=self._revision)
            self._watchers.tell(self._state)

    def _refuse_the_rest(self) -> None:
        """Answer what was asked after the end, and whoever still waits."""
        while not self._queue.empty():
            job = self._queue.get()
            if job is not None:
                job()
        self.acknowledgements.close()
        self._outbox.send()


def _nothing() -> None:
    """Stand in for a message where there is none."""
