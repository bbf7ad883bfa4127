"""Lead the voice changer's output back to its own input on a JACK server and measure the round trip, twice.

Prints, for a preset with no delay and one with 333 samples, the bursts' delays in samples and the method.
"""

from __future__ import annotations

import json
import time

import jack

from vcfx.engine.portaudio_backend import PortAudioBackend
from vcfx.engine.round_trip import graph_with_probe, measured, probe_of
from vcfx.engine.session import LiveSession, SessionRequest
from vcfx.presets import Preset
from vcfx.presets.model import NodeEntry


def loop_back(client: jack.Client) -> None:
    out = client.get_ports("vcfx:.*", is_output=True)[0]
    into = client.get_ports("vcfx:.*", is_input=True)[0]
    for port in (out, into):
        for other in client.get_all_connections(port):
            client.disconnect(port, other) if port.is_output else client.disconnect(other, port)
    client.connect(out, into)


def round_trip(delay_samples: int) -> list[float | str]:
    chain = (NodeEntry("delay_line", "delay", {"delay_samples": float(delay_samples)}),)
    preset = Preset("loop", chain=chain)
    session = LiveSession(PortAudioBackend(), preset, SessionRequest(block=128), graph_with_probe)
    session.start()
    client = jack.Client("patcher", no_start_server=True)
    loop_back(client)
    client.set_freewheel(True)
    probe = probe_of(session)
    while probe.progress_ratio < 1.0:
        time.sleep(0.05)
    client.set_freewheel(False)
    result = measured(session, probe)
    client.close()
    session.close()
    return [*(round(48 * value, 3) for value in result.delays_ms), result.method]


if __name__ == "__main__":
    print(json.dumps({delay: round_trip(delay) for delay in (0, 333)}))
