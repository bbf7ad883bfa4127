"""What a microphone gives is kept from `begin` to `end`, and what a person sees while it records."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile
from rich.console import Console

from sound_servers import needs_pulse, private_pulse, run_python
from vcfx.cli import recording_stages
from vcfx.cli.recording_stages import Stage, TerminalRecordist, wave_file
from vcfx.engine import microphone_capture
from vcfx.engine.fake_backend import FakeBackend, FakeDevice, Samples
from vcfx.engine.microphone_capture import MicrophoneCapture
from vcfx.errors import DeviceError, VcfxError
from vcfx_models.reference import Clip


def ramp(first: int, count: int) -> Samples:
    return (((first + np.arange(count)) % 1_000) / 2_000).astype(np.float32)


def wait_for(seconds: float, microphone: MicrophoneCapture) -> None:
    limit_s = time.monotonic() + 20.0
    while microphone.seconds < seconds:
        assert time.monotonic() < limit_s
        time.sleep(0.005)


def test_every_sample_from_begin_to_end_is_kept_in_order() -> None:
    device = FakeDevice("mic", source=ramp, blocks=(512, 64, 500), speed=4.0)
    microphone = MicrophoneCapture(FakeBackend([device]), "mic")
    assert (microphone.name, microphone.sample_rate, microphone.hears_programs) == ("mic", 48_000, False)
    time.sleep(0.05)
    assert microphone.seconds == 0.0, "nothing is kept before it begins"
    for _ in range(2):
        microphone.begin()
        wait_for(0.3, microphone)
        kept = microphone.end()
        assert kept.dtype == np.float32
        assert kept.shape[0] == 1
        assert kept.shape[1] >= 0.3 * 48_000
        steps = np.diff(np.round(kept[0] * 2_000).astype(int)) % 1_000
        assert (steps == 1).all(), "no sample is missing, twice there or out of place"
    assert 0.4 < microphone.peak <= 0.5
    microphone.close()


def test_what_is_no_number_becomes_silence() -> None:
    bad = FakeDevice("mic", source=lambda first, count: np.full(count, np.nan, np.float32), speed=8.0)
    microphone = MicrophoneCapture(FakeBackend([bad]))
    microphone.begin()
    wait_for(0.1, microphone)
    assert not microphone.end().any()
    microphone.close()


def test_no_more_than_two_minutes_are_kept() -> None:
    microphone = MicrophoneCapture(FakeBackend([FakeDevice("mic", speed=0, blocks=(8_192,))]))
    microphone.begin()
    wait_for(microphone_capture.MAX_SECONDS, microphone)
    time.sleep(0.05)
    assert microphone.end().shape[1] / 48_000 == pytest.approx(120.0, abs=0.2)
    microphone.close()


def test_rates_and_channels_are_those_that_the_device_takes() -> None:
    microphone = MicrophoneCapture(FakeBackend([FakeDevice("old", rates=(16_000,), inputs=2)]))
    assert microphone.sample_rate == 16_000
    microphone.close()


def test_a_device_that_is_missing_or_stops_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DeviceError, match="there is no input device 'x'"):
        MicrophoneCapture(FakeBackend([FakeDevice("mic")]), "x")
    device = FakeDevice("mic")
    microphone = MicrophoneCapture(FakeBackend([device]))
    microphone.begin()
    device.present = False
    with pytest.raises(DeviceError, match="the microphone 'mic' has stopped; nothing was enrolled"):
        microphone.end()
    microphone.close()
    monkeypatch.setattr(microphone_capture, "SILENT_DEVICE_S", 0.05)
    stuck = MicrophoneCapture(FakeBackend([FakeDevice("mic", speed=1e-3)]))
    time.sleep(0.2)
    with pytest.raises(DeviceError, match="has stopped"):
        stuck.check()
    stuck.close()


class Keys:
    """Enter at the given moments of the microphone's time; None stands for a person who waits for the end."""

    def __init__(self, *pauses_s: float) -> None:
        self.pauses_s = list(pauses_s)

    @contextmanager
    def opened(self) -> Iterator[Keys]:
        yield self

    def __call__(self, timeout_s: float) -> str | None:
        time.sleep(0.01)
        if not self.pauses_s:
            return None
        self.pauses_s[0] -= 0.01
        if self.pauses_s[0] > 0:
            return None
        self.pauses_s.pop(0)
        return "\n"


def recorded(monkeypatch: pytest.MonkeyPatch, stage: Stage, *pauses_s: float, **device: object) -> tuple[Clip, str]:
    shown = io.StringIO()
    monkeypatch.setattr(recording_stages, "key_reader", Keys(*pauses_s).opened)
    microphone = MicrophoneCapture(FakeBackend([FakeDevice("mic", **device)]))  # type: ignore[arg-type]
    try:
        terminal = Console(file=shown, force_terminal=True, width=80, color_system=None)
        return TerminalRecordist(microphone, terminal).record(stage), shown.getvalue()
    finally:
        microphone.close()


def test_enter_begins_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    clip, shown = recorded(monkeypatch, Stage("statement", "I am \x1b[31mAnna."), 0.2, 0.3, source=ramp)
    assert 0.05 < clip.audio.shape[1] / clip.sample_rate < 5.0, "only what came between the two presses"
    assert clip.file == "the statement"
    assert "I am \\x1b[31mAnna." in shown, "what a name holds does not reach the terminal"
    assert "Enter begins" in shown
    assert "Enter ends it" in shown


def test_a_phrase_begins_at_once_and_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    clip, shown = recorded(monkeypatch, Stage("phrase", "garden monday", 0.4, waits=False), source=ramp)
    assert 0.2 < clip.audio.shape[1] / clip.sample_rate < 3.0
    assert "Enter begins" not in shown


def test_without_a_terminal_it_says_what_else_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def none() -> Iterator[None]:
        yield None

    monkeypatch.setattr(recording_stages, "key_reader", none)
    microphone = MicrophoneCapture(FakeBackend([FakeDevice("mic")]))
    with pytest.raises(VcfxError, match="needs a terminal; give recordings with --from"):
        TerminalRecordist(microphone, Console(file=io.StringIO())).record(Stage("a", "b"))
    microphone.close()


def test_recordings_are_kept_as_wav() -> None:
    sound = np.array([[0.0, 0.5, -0.25]], np.float32)
    back, rate_hz = soundfile.read(io.BytesIO(wave_file(Clip(sound, 44_100))), dtype="float32")
    assert rate_hz == 44_100
    np.testing.assert_allclose(back, sound[0], atol=1e-4)


LISTEN = """
import subprocess, sys, time
import numpy as np
from vcfx.engine.microphone_capture import MicrophoneCapture
from vcfx.engine.portaudio_backend import PortAudioBackend
microphone = MicrophoneCapture(PortAudioBackend(), "speakers.monitor")
assert microphone.hears_programs
player = subprocess.Popen(["paplay", sys.argv[1]])
time.sleep(0.5)
microphone.begin()
limit_s = time.monotonic() + 30
while microphone.seconds < 1.0 and time.monotonic() < limit_s:
    time.sleep(0.02)
sound = microphone.end()[0]
microphone.close()
player.terminate()
power = np.abs(np.fft.rfft(sound * np.hanning(sound.size)))
print(microphone.sample_rate, sound.size / microphone.sample_rate, power.argmax() * microphone.sample_rate / sound.size)
"""


@pytest.mark.pulse
@needs_pulse
def test_a_real_driver_is_heard(tmp_path: Path) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 1_000 * np.arange(480_000) / 48_000)
    soundfile.write(tmp_path / "tone.wav", tone, 48_000)
    with private_pulse() as server:
        answer = run_python(LISTEN, server.env, str(tmp_path / "tone.wav")).stdout.split()
    assert int(answer[0]) == 48_000
    assert float(answer[1]) >= 1.0
    assert float(answer[2]) == pytest.approx(1_000.0, abs=5.0)
