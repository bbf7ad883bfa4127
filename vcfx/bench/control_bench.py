"""`vcfx bench control`: a person (or a machine) who never stops changing things, and what that does to the sound."""

from __future__ import annotations

import contextlib
import math
import os
import random
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import Future

import numpy as np
import numpy.typing as npt

from vcfx.control import messages as m
from vcfx.control.live_control import LiveControl
from vcfx.control.live_state import ParameterState
from vcfx.control.preset_source import PresetSource
from vcfx.engine.fake_backend import FakeBackend, FakeDevice, Samples
from vcfx.engine.session import LiveSession, SessionRequest
from vcfx_dsp.parameters import Value

from .click_meter import ClickMeter

RATE_HZ, BLOCK = 48_000, 128
#: Presets without distortion: what they make of the programme stays below the click meter's cutoff.
BANK = ("plain", "podcast", "deep", "telephone", "bright", "helium")
BURST = 200
_MEAN_PAUSE_S = 0.02
_ANSWER_S = 60.0
_STEADY_S = 1.0
_FUNDAMENTAL_HZ, _HARMONICS = 150, 20
Figures = dict[str, object]


class _Forgetful(list[Samples]):
    """Keeps nothing of what is played: the click meter has heard it."""

    def append(self, _: Samples) -> None:
        """Forget a block."""


def programme() -> Samples:
    """Return a second of a voice-like tone without anything above 3 kHz; it repeats without a seam."""
    time_s = np.arange(RATE_HZ) / RATE_HZ
    waves = [np.sin(2 * np.pi * _FUNDAMENTAL_HZ * k * time_s + k * k) / k for k in range(1, _HARMONICS + 1)]
    tone: npt.NDArray[np.float64] = np.sum(waves, axis=0)
    return np.asarray(0.25 * tone / np.abs(tone).max(), np.float32)


@contextlib.contextmanager
def _running(voices: tuple[str, ...]) -> Iterator[LiveControl]:
    tone = np.tile(programme(), 2)
    device = FakeDevice(
        "bench", 1, 1, source=lambda first, n: tone[first % RATE_HZ :][:n], host_api="ASIO", real_time=True
    )
    device.played = _Forgetful()
    source = PresetSource({"voice": voices[0]} if voices else None)
    wanted = source.wanted(BANK[0])
    session = LiveSession(FakeBackend([device]), wanted.preset, SessionRequest("bench", "bench", block=BLOCK))
    with LiveControl(session, wanted, source, BANK) as control:
        session.start()
        try:
            _wait_for_bank(control)
            yield control
        finally:
            control.close()
            control.session.close()


def _wait_for_bank(control: LiveControl) -> None:
    limit_s = time.monotonic() + _ANSWER_S * 5
    while not all(control.actions.bank.is_ready(name) for name in BANK) and time.monotonic() < limit_s:
        time.sleep(0.05)


def bench_changes(changes: int, voices: tuple[str, ...] = ()) -> Figures:
    """Send random presets of a bank, parameters and (if given) voices at random moments while the engine runs.

    Clicks: the largest sample above 10 kHz, where the programme has nothing; beside it the same for each preset left
    alone. Times: from `submit` to the moment at which control knows that a block has begun with the change.
    """
    with _running(voices) as control:
        meter = ClickMeter(control.engine)
        steady_db = _steady(control, meter)
        before = control.engine.statistics()
        answers = _send_all(control, changes, voices)
        waited, kept = _collect(answers)
        clicks_db = meter.take_db()
        after = control.engine.statistics()
        burst = _burst(control)
        meter.close()
    return {
        "what": f"{changes} changes, a mean of {1e3 * _MEAN_PAUSE_S:.0f} ms apart, fake device, block {BLOCK}"
        f"{', neural voice in front' if voices else ''}; load {_load()}",
        **kept,
        "blocks": after.blocks - before.blocks,
        "late_blocks": after.late_blocks - before.late_blocks,
        "goal_late_blocks": 0,
        "concealed_blocks": after.concealed_blocks - before.concealed_blocks,
        "callback_p99_us": after.callback.p99_us,
        "click_dbfs": clicks_db,
        "goal_click_dbfs": -60.0,
        "without_changes_dbfs": steady_db,
        "unheard_frames": meter.lost_frames,
        **waited,
        "goal_p99_ms": 10.0 + 1e3 * BLOCK / RATE_HZ,
        **burst,
    }


def _steady(control: LiveControl, meter: ClickMeter) -> dict[str, float]:
    """Return what each preset has above the cutoff while nobody touches it."""
    found = {}
    for name in BANK:
        control.submit(m.SwitchPreset(name)).result(_ANSWER_S)
        time.sleep(_STEADY_S / 2)
        meter.take_db()
        time.sleep(_STEADY_S)
        found[name] = meter.take_db()
    return found


Key = tuple[str, str, str]
Answers = list[tuple[str, int, Future[m.Outcome]]]


def _send_all(control: LiveControl, changes: int, voices: tuple[str, ...]) -> Answers:
    dice = random.Random(5)
    answers: Answers = []
    own: dict[Key, Value] = {}
    for _ in range(changes):
        kind, message = _random_change(control, dice, voices, own)
        answers.append((kind, control.engine.blocks, control.submit(message)))
        time.sleep(min(dice.expovariate(1.0 / _MEAN_PAUSE_S), 10 * _MEAN_PAUSE_S))
    return answers


def _random_change(
    control: LiveControl, dice: random.Random, voices: tuple[str, ...], own: dict[Key, Value]
) -> tuple[str, m.Message]:
    state = control.state()
    kinds = ["parameter", "parameter", "preset"] + (["voice"] if voices else [])
    kind = dice.choice(kinds)
    movable = [
        (node.id, known) for node in state.chain if not node.bypassed for known in node.parameters if _moves(known)
    ]
    if kind == "voice":
        return kind, m.SwitchVoice(dice.choice(voices))
    if kind == "preset" or not movable:
        name = dice.choice([name for name in BANK if name != state.preset_name])
        return "preset" if control.actions.bank.is_ready(name) else "preset_built", m.SwitchPreset(name)
    node, known = dice.choice(movable)
    key = (state.preset_name, node, known.name)
    return kind, m.SetParameter(node, known.name, _near(dice, known, float(own.setdefault(key, known.value))))


def _near(dice: random.Random, known: ParameterState, own: float) -> float:
    """Return a value within a quarter of the range around the preset's own: further out, the sound itself is shrill."""
    assert known.minimum is not None
    assert known.maximum is not None
    reach = (known.maximum - known.minimum) / 4
    return dice.uniform(max(known.minimum, own - reach), min(known.maximum, own + reach))


def _moves(known: ParameterState) -> bool:
    return known.live and known.minimum is not None and known.maximum is not None and not known.integer


def _collect(answers: Answers) -> tuple[Figures, Figures]:
    """Return times by kind, and counts of what became of the messages."""
    waited, blocks = defaultdict(list), defaultdict(list)
    counts = {"applied": 0, "refused": 0, "overtaken": 0}
    for kind, block, answer in answers:
        outcome = answer.result(_ANSWER_S)
        if isinstance(outcome, m.Refused):
            counts["refused"] += 1  # a parameter of a node that the preset before had
        elif "overtaken" in outcome.note:
            counts["overtaken"] += 1
        else:
            counts["applied"] += 1
            waited[kind].append(outcome.waited_ms)
            if outcome.block is not None:
                blocks[kind].append(outcome.block - block)
    times: Figures = {kind: _percentiles(waited[kind], blocks[kind]) for kind in sorted(waited)}
    return times, dict(counts)


def _percentiles(waited_ms: list[float], blocks: list[int]) -> Figures:
    ordered = sorted(waited_ms)
    found: Figures = {"count": len(ordered), "p50_ms": _at(ordered, 0.5), "p99_ms": _at(ordered, 0.99)}
    in_blocks = sorted(map(float, blocks))
    return found | {"p50_blocks": _at(in_blocks, 0.5), "p99_blocks": _at(in_blocks, 0.99)} if in_blocks else found


def _at(ordered: list[float], ratio: float) -> float:
    return ordered[min(len(ordered) - 1, math.ceil(ratio * len(ordered)) - 1)] if ordered else math.nan


def _burst(control: LiveControl) -> Figures:
    """Send as many parameter changes at once as a controller that is thrown to and fro."""
    control.submit(m.SwitchPreset("deep")).result(_ANSWER_S)
    node, known = next((node.id, known) for node in control.state().chain for known in node.parameters if _moves(known))
    assert known.minimum is not None
    assert known.maximum is not None
    step = (known.maximum - known.minimum) / BURST
    answers = [control.submit(m.SetParameter(node, known.name, known.minimum + k * step)) for k in range(BURST)]
    outcomes = [answer.result(_ANSWER_S) for answer in answers]
    applied = sorted(outcome.waited_ms for outcome in outcomes if isinstance(outcome, m.Applied))
    return {
        "burst": {
            "sent": BURST,
            "lost": BURST - len(applied),
            "p50_ms": _at(applied, 0.5),
            "p99_ms": _at(applied, 0.99),
        },
        "goal_lost": 0,
    }


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
