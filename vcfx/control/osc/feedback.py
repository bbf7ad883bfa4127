"""What OSC clients are told: state in the addresses that set it, so that faders and buttons follow; and meters."""

from __future__ import annotations

import math

from vcfx.control.live_state import LiveState, Meters

from .packet import Argument, write_message

Values = dict[str, tuple[Argument, ...]]


def state_values(state: LiveState) -> Values:
    """Return every value of the state by its address."""
    values: Values = {
        "/vcfx/preset": (state.preset_name or state.preset,),
        "/vcfx/voice": (state.voice,),
        "/vcfx/bypass": (state.bypassed,),
        "/vcfx/mute": (state.muted,),
        "/vcfx/talk_mode": (state.talk_mode,),
        "/vcfx/talk": (state.talking,),
        "/vcfx/record": (state.recording is not None,),
        "/vcfx/problem": (state.problem,),
    }
    for node in state.chain:
        values[f"/vcfx/node/{node.id}/bypass"] = (node.bypassed,)
        for parameter in node.parameters:
            values[f"/vcfx/node/{node.id}/{parameter.name}"] = (parameter.value,)
    return values


def meters_message(meters: Meters) -> bytes:
    """Return ``/vcfx/meters``: input peak, input RMS, output peak, output RMS (dBFS), load (0 to 1), late blocks."""
    return write_message(
        "/vcfx/meters",
        float(meters.input_peak_db),
        float(meters.input_rms_db),
        float(meters.output_peak_db),
        float(meters.output_rms_db),
        float(meters.load),
        meters.late_blocks,
    )


class Subscriber:
    """One client that asked to be told, until its lease ends."""

    def __init__(self, until_s: float, period_s: float, now_s: float) -> None:
        self.until_s = until_s
        self.next_meters_s = now_s if math.isfinite(period_s) else math.inf
        self._period_s = period_s
        self._told: Values = {}

    def meters_due(self, now_s: float) -> bool:
        """Whether it is time for meters; the next are due a period later."""
        if now_s < self.next_meters_s:
            return False
        self.next_meters_s = max(self.next_meters_s + self._period_s, now_s)
        return True

    def news(self, values: Values) -> list[bytes]:
        """Return a message for every value that this client does not know yet."""
        fresh = [(address, value) for address, value in values.items() if self._told.get(address) != value]
        self._told = values
        return [write_message(address, *value) for address, value in fresh]
