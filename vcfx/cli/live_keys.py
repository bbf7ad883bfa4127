"""What the keys of `vcfx run` do: each sends one message."""

from __future__ import annotations

from concurrent.futures import Future

from vcfx.control import messages as m
from vcfx.control.live_state import LiveState
from vcfx.control.surface import ControlSurface


class LiveKeys:
    """Turns key presses into messages. A terminal tells no key's release, so the talk key toggles.

    Parameters
    ----------
    bank
        Names of the presets that the digits choose.
    """

    def __init__(self, surface: ControlSurface, bank: tuple[str, ...] = ()) -> None:
        self.quit = False
        self.notice = ""
        self._surface, self._bank = surface, bank

    def press(self, key: str) -> None:
        """Act on one key; unknown keys do nothing."""
        if key.lower() in ("q", "\x1b"):
            self.quit = True
            return
        message = self._message(key.lower(), self._surface.state())
        if message is not None:
            self._surface.submit(message).add_done_callback(self._note)

    def _message(self, key: str, state: LiveState) -> m.Message | None:
        simple: dict[str, m.Message] = {
            "b": m.Bypass(),
            "m": m.Mute(),
            "n": m.StepPreset(1),
            "p": m.StepPreset(-1),
            "x": m.Panic(),
        }
        if key in simple:
            return simple[key]
        if key == "r":
            running = state.recording is not None and not state.recording.problem
            return m.StopRecording() if running else m.StartRecording("wet")
        if key == " " and state.talk_mode == "push":
            return m.PushToTalk(not state.talking)
        if key.isdecimal() and 0 < int(key) <= len(self._bank):
            return m.SwitchPreset(self._bank[int(key) - 1])
        return None

    def _note(self, done: Future[m.Outcome]) -> None:
        outcome = done.result()
        self.notice = outcome.reason if isinstance(outcome, m.Refused) else ""


def key_help(state: LiveState, bank: tuple[str, ...] = ()) -> str:
    """Return the line that names the keys; it fits a terminal of 80 columns."""
    keys = ["[b]ypass", "[m]ute", "[p]rev", "[n]ext"]
    keys += [f"[1-{min(9, len(bank))}]"] if bank else []
    keys += ["[r]ecord", "[x] panic"]
    keys += ["[space] talk"] if state.talk_mode == "push" else []
    return " ".join([*keys, "[q] quit"])
