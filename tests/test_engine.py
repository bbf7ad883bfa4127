from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pytest

from vcfx.engine.engine import Engine
from vcfx.engine.fake_backend import FakeBackend, FakeDevice, tone
from vcfx.engine.session import LiveSession, SessionRequest
from vcfx.engine.statistics import percentiles_of_histogram
from vcfx.errors import DeviceError, VcfxError
from vcfx.graph import bridge
from vcfx.hosts.pedalboard_effect import PedalboardEffect
from vcfx.presets import Preset
from vcfx.presets.model import BranchEntry, NodeEntry, ParallelEntry

RATE_HZ = 48_000


def preset(*kinds: str, name: str = "test", on_overload: str = "conceal", **parameters: float) -> Preset:
    chain = tuple(
        NodeEntry(kind, f"{kind}-{index}", parameters if index == 0 else {}) for index, kind in enumerate(kinds)
    )
    return Preset(name=name, chain=chain, on_overload=on_overload)


QUIETER = preset("gain", gain_db=-6.0)
HOSTED = preset("pedalboard.Gain", gain_db=-6.0)


class Driver:
    """Calls an engine's callback by hand, in the test's own time."""

    def __init__(self, engine: Engine, channels_in: int = 1, channels_out: int = 2) -> None:
        device = FakeDevice("driver")
        side_free = FakeBackend([device])
        from vcfx.engine.streams import StreamRequest, StreamSide

        found = side_free.find("driver", "output")
        sides = StreamSide(found, channels_in), StreamSide(found, channels_out)
        request = StreamRequest(engine.output_callback, engine.address, RATE_HZ, 4_096, *sides)
        self._stream = side_free.open(request)
        self._device = device
        self.position = 0

    def run(self, signal: np.ndarray, block: int, flags: int = 0, pause_s: float = 0.0) -> np.ndarray:
        first = self.position
        self._device.source = lambda start, count: signal[start - first : start - first + count]
        self._device.played.clear()
        while self.position - first < len(signal):
            frames = min(block, len(signal) - (self.position - first))
            self._stream._call(self.position, frames, flags)  # type: ignore[attr-defined]
            self.position += frames
            if pause_s:
                time.sleep(pause_s)
        return np.concatenate(self._device.played, axis=1) if self._device.played else np.zeros((2, 0))


@pytest.fixture
def signal() -> np.ndarray:
    return (0.3 * np.random.default_rng(5).standard_normal(RATE_HZ // 4)).astype(np.float32)


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine(QUIETER, RATE_HZ, 128) as made:
        yield made


GAIN = 10 ** (-6 / 20)


def test_the_callback_renders_the_preset_on_all_output_channels(engine: Engine, signal: np.ndarray) -> None:
    out = Driver(engine).run(signal, 128)
    np.testing.assert_allclose(out, np.stack([signal, signal]) * np.float32(GAIN), atol=1e-7)


@pytest.mark.parametrize("block", [1, 31, 128, 129, 1_000, 4_096])
def test_blocks_of_any_size_give_the_same_bits(engine: Engine, signal: np.ndarray, block: int) -> None:
    out = Driver(engine).run(signal, block)
    np.testing.assert_allclose(out[0], signal * np.float32(GAIN), atol=1e-7)
    assert engine.statistics().frames == len(signal)


def test_flags_and_bad_samples_are_counted_and_made_silent(engine: Engine, signal: np.ndarray) -> None:
    signal[100:110] = np.nan
    signal[200] = np.inf
    out = Driver(engine).run(signal, 128, flags=0b0101)
    stats = engine.statistics()
    assert np.isfinite(out).all()
    assert stats.nonfinite_samples == 11
    assert stats.input_underflows == stats.output_underflows == stats.blocks
    assert stats.input_overflows == stats.output_overflows == 0


def test_a_parameter_changes_between_two_blocks_and_says_in_which(engine: Engine, signal: np.ndarray) -> None:
    driver = Driver(engine)
    driver.run(signal[:1_280], 128)
    ticket = engine.set_parameters("gain-0", gain_db=0.0)
    assert ticket is not None
    assert engine.messages.applied_in(ticket) is None
    out = driver.run(signal[1_280:], 128)
    assert engine.messages.applied_in(ticket) == 10
    np.testing.assert_array_equal(out[0, 480:], signal[1_280 + 480 :])


def test_a_new_preset_is_crossfaded_in_without_a_click(engine: Engine) -> None:
    time_s = np.arange(RATE_HZ // 2) / RATE_HZ
    sine = (0.5 * np.sin(2 * np.pi * 200 * time_s)).astype(np.float32)
    driver = Driver(engine)
    first = driver.run(sine[:9_600], 128)
    engine.set_preset(preset("gain", gain_db=-20.0))
    second = driver.run(sine[9_600:], 128)
    out = np.concatenate([first, second], axis=1)[0]
    steepest = np.abs(np.diff(sine)).max() * GAIN
    assert np.abs(np.diff(out)).max() <= 1.01 * steepest
    np.testing.assert_allclose(second[0, 1_000:], sine[10_600:] * np.float32(0.1), atol=1e-6)
    assert engine.wait_until_swapped(1.0)
    assert len(engine._plans) == 1


def test_a_preset_with_latency_is_warmed_up_before_it_is_heard(signal: np.ndarray) -> None:
    with Engine(QUIETER, RATE_HZ, 128) as engine:
        driver = Driver(engine)
        driver.run(signal[:1_280], 128)
        delayed = Preset(name="late", chain=(NodeEntry("delay_line", "d", {"delay_samples": 2_000}),))
        engine.set_preset(delayed)
        out = driver.run(signal[1_280:], 128)[0]
        np.testing.assert_allclose(out[:1_900], signal[1_280:3_180] * np.float32(GAIN), atol=1e-7)
        np.testing.assert_array_equal(out[3_000:], signal[2_280 : len(signal) - 2_000])


def test_many_quick_preset_changes_leave_one_plan(engine: Engine, signal: np.ndarray) -> None:
    driver = Driver(engine)
    for number in range(30):
        engine.set_preset(preset("gain", gain_db=-float(number % 7)))
        driver.run(signal[: 128 * (number % 5)], 128)
    last = preset("gain", gain_db=0.0)
    engine.set_preset(last)
    for _ in range(20):
        driver.run(signal[:1_280], 128)
        engine.collect_retired()
    np.testing.assert_array_equal(driver.run(signal, 128)[0], signal)
    assert len(engine._plans) == 1


def test_mute_and_bypass_ramp_and_only_bypass_lets_the_dry_voice_through(engine: Engine, signal: np.ndarray) -> None:
    driver = Driver(engine)
    engine.muted = True
    out = driver.run(signal, 128)[0]
    assert np.abs(out[490:]).max() == 0.0
    engine.bypassed = True
    assert np.abs(driver.run(signal, 128)[0]).max() == 0.0
    engine.muted = False
    np.testing.assert_allclose(driver.run(signal, 128)[0, 490:], signal[490:], atol=1e-6)
    engine.bypassed = False
    np.testing.assert_allclose(driver.run(signal, 128)[0, 490:], signal[490:] * np.float32(GAIN), atol=1e-6)


def test_a_hosted_effect_arrives_after_the_stated_latency(signal: np.ndarray) -> None:
    with Engine(HOSTED, RATE_HZ, 128) as engine:
        engine.wait_for_worker(5.0)
        out = Driver(engine).run(signal, 128)[0]
        delay = engine.latency_samples
        assert delay == 128
        np.testing.assert_allclose(out[delay:], signal[:-delay] * np.float32(GAIN), atol=1e-6)
        assert engine.statistics().concealed_blocks == 0


@pytest.fixture
def stall(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """Lets a test hold up the hosted effect."""
    control = {"seconds": 0.0}
    process = PedalboardEffect.process

    def slow(self: PedalboardEffect, block_in: np.ndarray, block_out: np.ndarray) -> None:
        seconds, control["seconds"] = control["seconds"], 0.0
        if seconds:
            time.sleep(seconds)
        process(self, block_in, block_out)

    monkeypatch.setattr(PedalboardEffect, "process", slow)
    return control


@pytest.mark.parametrize("on_overload", ["conceal", "silence", "dry"])
def test_a_late_worker_is_concealed_and_the_dry_voice_never_leaks(stall: dict[str, float], on_overload: str) -> None:
    muting = Preset("test", chain=(NodeEntry("pedalboard.Gain", "g", {"gain_db": -6.0}),), on_overload=on_overload)
    constant = np.full(RATE_HZ // 2, 0.5, np.float32)
    with Engine(muting, RATE_HZ, 128) as engine:
        driver = Driver(engine)
        engine.wait_for_worker(5.0)
        before = driver.run(constant[:12_800], 128)[0]
        engine.wait_for_worker(0.0)
        stall["seconds"] = 1.0
        during = driver.run(constant[:24_000], 128)[0]  # faster than time: the worker sleeps all the while
        assert engine.statistics().concealed_blocks > 100
        time.sleep(1.1)
        driver.run(constant[:1_280], 128, pause_s=0.003)
        engine.wait_for_worker(5.0)
        after = driver.run(constant[:12_800], 128)[0]
    wet = 0.5 * GAIN
    assert before[-1] == pytest.approx(wet, abs=1e-5)
    assert after[-1] == pytest.approx(wet, abs=1e-5)
    assert np.abs(np.diff(during)).max() < 0.01, "no click when the sound runs out"
    if on_overload == "dry":
        assert during[-1] == pytest.approx(0.5)
    else:
        assert np.abs(during[3_000:]).max() == 0.0
        assert np.abs(during).max() <= wet + 1e-5
    assert engine.statistics().dropped_frames > 0, "what came in while the worker stalled is not played late"


def test_a_node_that_raises_gives_silence_and_a_sentence(monkeypatch: pytest.MonkeyPatch, signal: np.ndarray) -> None:
    def broken(self: PedalboardEffect, block_in: np.ndarray, block_out: np.ndarray) -> None:
        raise RuntimeError("out of order")

    with Engine(HOSTED, RATE_HZ, 128) as engine:
        monkeypatch.setattr(PedalboardEffect, "process", broken)
        engine.set_preset(HOSTED)
        engine.wait_for_worker(5.0)
        driver = Driver(engine)
        driver.run(signal, 128)
        assert np.abs(driver.run(signal, 128)).max() == 0.0
        assert engine.worker.errors > 0
        assert engine.worker.last_error == "RuntimeError: out of order"


def test_a_node_that_answers_with_nan_gives_silence_and_is_counted(
    monkeypatch: pytest.MonkeyPatch, signal: np.ndarray
) -> None:
    monkeypatch.setattr(PedalboardEffect, "process", lambda _self, _in, out: out.fill(np.nan))
    with Engine(HOSTED, RATE_HZ, 128) as engine:
        engine.wait_for_worker(5.0)
        assert np.abs(Driver(engine).run(signal, 128)).max() == 0.0
        assert engine.statistics().nonfinite_hops > 0


def test_a_preset_that_cannot_be_built_leaves_the_present_one(engine: Engine, signal: np.ndarray) -> None:
    broken = Preset("broken", chain=(NodeEntry("gain", "g", {"gain_db": 99.0}),))
    with pytest.raises(VcfxError, match="gain_db is 99"):
        engine.set_preset(broken)
    np.testing.assert_allclose(Driver(engine).run(signal, 128)[0], signal * np.float32(GAIN), atol=1e-7)


def test_dry_branch_waits_for_the_hosted_branch(signal: np.ndarray) -> None:
    branches = (BranchEntry((NodeEntry("pedalboard.Gain", "wet", {"gain_db": 0.0}),)),)
    half = Preset("half", chain=(ParallelEntry("p", branches, 0.5),))
    with Engine(half, RATE_HZ, 64) as engine:
        engine.wait_for_worker(5.0)
        out = Driver(engine).run(signal, 64)[0]
        delay = engine.latency_samples
        np.testing.assert_allclose(out[delay:], signal[:-delay], atol=1e-6)


def test_histogram_percentiles_are_within_a_bin() -> None:
    histogram = np.zeros(34 * 32, np.int64)
    histogram[10 * 32] = 990  # 2**10 ns
    histogram[20 * 32] = 10
    found = percentiles_of_histogram(histogram, 1 << 20)
    assert found.p50_us == pytest.approx(1.024, rel=0.03)
    assert found.p999_us == pytest.approx(1_048, rel=0.03)
    assert found.count == 1_000


def test_bridge_policies_are_the_presets_words() -> None:
    from vcfx.presets.model import ON_OVERLOAD

    assert set(bridge.POLICIES) == set(ON_OVERLOAD)


# -- sessions on devices that do not exist --


def run_session(devices: list[FakeDevice], seconds: float, request: SessionRequest) -> LiveSession:
    session = LiveSession(FakeBackend(devices), QUIETER, request)
    session.start()
    time.sleep(seconds)
    return session


def test_two_devices_with_two_rates_and_clocks_are_joined() -> None:
    mic = FakeDevice("mic", 1, 0, (44_100,), ppm=200.0, source=tone(1_000, 44_100), blocks=(441,))
    speaker = FakeDevice("speaker", 0, 2, (48_000,), blocks=(480,))
    session = run_session([mic, speaker], 2.5, SessionRequest("mic", "speaker", block=480))
    session.close()
    assert not session.one_clock
    heard = np.concatenate(speaker.played, axis=1)[0]
    tail = heard[-RATE_HZ // 2 :]
    spectrum = np.abs(np.fft.rfft(tail * np.hanning(len(tail))))
    assert np.argmax(spectrum) * RATE_HZ / len(tail) == pytest.approx(1_000, abs=4)
    assert session.engine.statistics().bridge_latency_ms is not None


def test_odd_block_sizes_from_the_driver_are_taken() -> None:
    both = FakeDevice(
        "both", 1, 2, blocks=(1, 500, 37, 128, 4_000), source=tone(440, RATE_HZ), speed=8.0, host_api="ASIO"
    )
    session = run_session([both], 0.5, SessionRequest("both", "both"))
    session.close()
    heard = np.concatenate(both.played, axis=1)[0]
    expected = tone(440, RATE_HZ)(0, len(heard)) * np.float32(GAIN)
    np.testing.assert_allclose(heard, expected, atol=1e-6)


def test_a_lost_device_leaves_the_engine_alive_and_comes_back() -> None:
    both = FakeDevice("both", 1, 2, source=tone(440, RATE_HZ), host_api="ASIO")
    session = run_session([both], 0.3, SessionRequest("both", "both"))
    both.present = False
    time.sleep(0.5)
    assert "both" in session.problem or "waiting" in session.problem
    before = session.engine.statistics().blocks
    both.present = True
    time.sleep(1.2)
    stats = session.engine.statistics()
    session.close()
    assert session.problem == ""
    assert stats.device_losses == 1
    assert stats.blocks > before + 50


def test_a_server_with_a_longer_period_sets_the_block() -> None:
    both = FakeDevice("both", 1, 2, host_api="JACK", period=256)
    session = LiveSession(FakeBackend([both]), QUIETER, SessionRequest("both", "both", block=128))
    assert session.block == session.engine.block == 256
    session.close()


def test_a_missing_device_is_named() -> None:
    backend = FakeBackend([FakeDevice("Speakers", 0, 2)])
    with pytest.raises(DeviceError, match="there is no input device 'usb'"):
        LiveSession(backend, QUIETER, SessionRequest("usb", "Speakers"))


def test_a_rate_that_a_device_refuses_is_named() -> None:
    backend = FakeBackend([FakeDevice("old", 1, 2, rates=(44_100,))])
    with pytest.raises(DeviceError, match="'old' takes no output at 96000 Hz"):
        LiveSession(backend, QUIETER, SessionRequest("old", "old", sample_rate=96_000))


def test_the_monitor_hears_what_goes_out() -> None:
    both = FakeDevice("both", 1, 2, source=tone(440, RATE_HZ), host_api="ASIO")
    phones = FakeDevice("phones", 0, 2, (44_100,))
    session = run_session([both, phones], 2.0, SessionRequest("both", "both", monitor="phones"))
    session.close()
    heard = np.concatenate(phones.played, axis=1)[0][-22_050:]
    assert np.abs(heard).max() == pytest.approx(0.5 * GAIN, rel=0.05)
