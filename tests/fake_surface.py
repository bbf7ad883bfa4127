"""A control surface without an engine, for tests of its clients."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from concurrent.futures import Future

from vcfx.control import messages as m
from vcfx.control.live_state import Catalogue, CatalogueEntry, LiveState, Meters, NodeState, ParameterState

MIX = ParameterState("mix_ratio", 1.0, 1.0, 0.0, 1.0, (), False, False, True, "dry to wet")
SHIFT = ParameterState("semitones", -4.0, 0.0, -24.0, 24.0, (), False, False, True, "pitch")
KIND = ParameterState("type", "lowpass", "lowpass", None, None, ("lowpass", "highpass"), False, False, False, "")
CHAIN = (
    NodeState("pitch", "pitch", False, 12.0, (SHIFT,)),
    NodeState("low_cut", "filter", False, 0.0, (KIND,)),
    NodeState("echo", "echo", True, 0.0, (MIX,)),
)


def entry(name: str) -> CatalogueEntry:
    return CatalogueEntry(name, name.capitalize(), f"What {name} sounds like.", ("natural",))


class FakeSurface:
    """Keeps what was submitted in `received`; refuses the preset ``missing`` and the node ``nothing``."""

    def __init__(self) -> None:
        self.received: list[m.Message] = []
        self.spectra = 0
        self._lock = threading.Lock()
        self._watchers: list[Callable[[LiveState], None]] = []
        latency = {"input_device_ms": 5.3, "clock_bridge_ms": None, "preset_ms": 12.0, "output_device_ms": 5.3}
        self._state = LiveState(
            0, "Deep", "deep", "", False, CHAIN, False, False, "open", True, None, "Microphone", "Headphones", "",
            48_000, 48_000, 128, latency, "",
        )  # fmt: skip

    def submit(self, message: m.Message) -> Future[m.Outcome]:
        done: Future[m.Outcome] = Future()
        with self._lock:
            self.received.append(message)
            refusal = self._change(message)
        done.set_result(m.Refused(refusal) if refusal else m.Applied(len(self.received), 1.0))
        if not refusal:
            for watcher in list(self._watchers):
                watcher(self._state)
        return done

    def state(self) -> LiveState:
        return self._state

    def meters(self) -> Meters:
        bands = tuple(-60.0 + band / 4 for band in range(64)) if self.spectra else ()
        return Meters(1.0, -12.0, -20.0, -9.0, -18.0, 375, 0, 0, 40.0, 0.02, bands, bands)

    def catalogue(self) -> Catalogue:
        presets = tuple(entry(name) for name in ("deep", "robot", "voice-call"))
        voices = tuple(entry(name) for name in ("alder", "birch", "cedar"))
        return Catalogue(presets, voices, (entry("Microphone"),), (entry("Headphones"),), ("deep", "robot"))

    def watch(self, changed: Callable[[LiveState], None]) -> Callable[[], None]:
        self._watchers.append(changed)
        return lambda: self._watchers.remove(changed)

    def want_spectra(self, wanted: bool) -> None:
        self.spectra += 1 if wanted else -1

    def _change(self, message: m.Message) -> str:
        changes: dict[str, object] = {"revision": self._state.revision + 1}
        match message:
            case m.SwitchPreset("missing"):
                return "there is no preset 'missing'"
            case m.SwitchPreset(name):
                changes |= {"preset": name.capitalize(), "preset_name": name}
            case m.SwitchVoice(name):
                changes["voice"] = name
            case m.SetParameter("nothing", _, _):
                return "there is no node 'nothing'"
            case m.Bypass(on):
                changes["bypassed"] = not self._state.bypassed if on is None else on
            case m.Mute(on):
                changes["muted"] = not self._state.muted if on is None else on
            case m.PushToTalk(held):
                changes |= {"talk_mode": "push", "talking": held}
            case _:
                pass
        self._state = dataclasses.replace(self._state, **changes)  # type: ignore[arg-type]
        return ""
