"""Feed a clip through the live engine on a JACK server in freewheel; print how it compares with the file path.

python jack_freewheel.py BLOCK PRESET_TOML_OR_NAME
"""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

import jack
import numpy as np
import soundfile

from vcfx.engine.portaudio_backend import PortAudioBackend
from vcfx.engine.session import LiveSession, SessionRequest
from vcfx.offline import PresetRenderer
from vcfx.presets import load_preset
from vcfx_dsp.resampler import Resampler

RATE_HZ = 48_000
LEAD_FRAMES = RATE_HZ // 2


def clip() -> np.ndarray:
    """Half a second of silence, the bundled voice at 48 kHz, a second of silence."""
    path = Path(__file__).parents[2] / "vcfx" / "data" / "clip.flac"
    audio, rate_hz = soundfile.read(path, dtype="float32")
    resampler = Resampler(rate_hz, RATE_HZ, 1, len(audio))
    voice = resampler.process(audio[None]).copy()[0]
    return np.concatenate([np.zeros(LEAD_FRAMES, np.float32), voice, np.zeros(RATE_HZ, np.float32)])


class Loop:
    """A JACK client that plays into the voice changer and records what comes back."""

    def __init__(self, signal: np.ndarray) -> None:
        self.signal, self.recorded, self.position = signal, np.zeros_like(signal), 0
        self.done, self.started = threading.Event(), False
        self.client = jack.Client("tester", no_start_server=True)
        self.source, self.sink = self.client.outports.register("o"), self.client.inports.register("i")
        self.client.set_process_callback(self._process)

    def _process(self, frames: int) -> None:
        out = self.source.get_array()
        out[:] = 0
        count = min(frames, len(self.signal) - self.position) if self.started else 0
        if count > 0:
            out[:count] = self.signal[self.position : self.position + count]
            self.recorded[self.position : self.position + count] = self.sink.get_array()[:count]
            self.position += count
        elif self.started:
            self.done.set()

    def connect(self) -> None:
        client = self.client
        for port in client.get_ports("vcfx:.*"):
            for other in client.get_all_connections(port):
                client.disconnect(port, other) if port.is_output else client.disconnect(other, port)
        client.connect(self.source, client.get_ports("vcfx:.*", is_input=True)[0])
        client.connect(client.get_ports("vcfx:.*", is_output=True)[0], self.sink)


def main() -> None:
    block, name = int(sys.argv[1]), sys.argv[2]
    preset = load_preset(name)
    signal = clip()
    session = LiveSession(PortAudioBackend(), preset, SessionRequest(block=block))
    session.engine.wait_for_worker(10.0)
    session.start()
    loop = Loop(signal)
    loop.client.activate()
    loop.connect()
    loop.client.set_freewheel(True)
    loop.started = True
    finished = loop.done.wait(60.0)
    loop.client.set_freewheel(False)
    statistics = session.engine.statistics()
    stated = session.engine.latency_samples
    loop.client.deactivate()
    loop.client.close()
    session.close()
    renderer = PresetRenderer(preset, RATE_HZ, 1, 4_096)
    parts = [renderer.process(signal[None, start : start + 4_096]) for start in range(0, len(signal), 4_096)]
    file_side = np.concatenate(parts, axis=1)[0][renderer.latency_samples :]
    lag = best_lag(loop.recorded, file_side)
    count = len(signal) - max(lag, 0) - RATE_HZ // 4
    count = min(count, len(file_side))
    error = float(np.abs(loop.recorded[lag : lag + count] - file_side[:count]).max())
    result = {
        "finished": finished,
        "lag_samples": lag,
        "stated_samples": stated,
        "max_error": error,
        "peak": float(np.abs(file_side).max()),
        "concealed_blocks": statistics.concealed_blocks,
        "blocks": statistics.blocks,
    }
    print(json.dumps(result))


def best_lag(recorded: np.ndarray, reference: np.ndarray) -> int:
    size = 1 << int(np.ceil(np.log2(2 * len(recorded))))
    spectrum = np.fft.rfft(recorded, size) * np.conj(np.fft.rfft(reference, size))
    return int(np.fft.irfft(spectrum, size)[: RATE_HZ // 2].argmax())


if __name__ == "__main__":
    main()
