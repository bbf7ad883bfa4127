"""What the neural voice costs per hop, and whether its latency is the stated one."""

from __future__ import annotations

import time
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt

from vcfx.hosts.neural_voice import NeuralVoice
from vcfx_dsp.node import ProcessSpec
from vcfx_dsp.resampler import resample_signal

RATE_HZ = 48_000
HOP_MS = 10.0
_WARM_UP_HOPS = 50
#: Lags tried in the measurement of the latency, and its resolution.
_MOST_MS, _STEP_MS = 150, 1
Samples = npt.NDArray[np.float32]


def bench_voice_hops(seconds: float, parameters: dict[str, Any]) -> dict[str, object]:
    """Time every hop of the converter alone on speech of `seconds`: milliseconds on one thread."""
    from vcfx.hosts.hop_converter import make_converter
    from vcfx_models.geometry import HOP_SAMPLES, SAMPLE_RATE
    from vcfx_models.voice_library import find_voice

    voice = find_voice(parameters.get("voice", ""), "files")
    converter = make_converter(parameters.get("model", ""), parameters.get("device", "auto"), voice)
    hops = _speech(SAMPLE_RATE, seconds).reshape(-1, HOP_SAMPLES)
    for hop in hops[:_WARM_UP_HOPS]:
        converter.convert_hop(hop)
    converter.reset()
    spent_ms = np.empty(len(hops))
    for index, hop in enumerate(hops):
        start_s = time.perf_counter()
        converter.convert_hop(hop)
        spent_ms[index] = 1e3 * (time.perf_counter() - start_s)
    p50, p99, p999 = np.percentile(spent_ms, [50.0, 99.0, 99.9])
    times = {"p50": p50, "p99": p99, "p99.9": p999, "longest": spent_ms.max()}
    return {
        "what": f"converter, one thread, {len(hops)} hops of {HOP_MS:g} ms of speech, voice '{voice.name}'",
        "milliseconds": {name: round(float(value), 3) for name, value in times.items()},
        "real_time_factor": round(float(spent_ms.mean()) / HOP_MS, 4),
        "late_hops": int((spent_ms > HOP_MS).sum()),
    }


def bench_voice_latency(parameters: dict[str, Any], seconds: float = 12.0) -> dict[str, object]:
    """Find by how much the loudness of what the node says lags what it hears."""
    node = NeuralVoice(**parameters)
    hop = node.preferred_hop(RATE_HZ)
    node.prepare(ProcessSpec(RATE_HZ, hop, 1))
    heard = _bursts(hop, seconds)
    spoken = np.zeros_like(heard)
    for index in range(heard.shape[0]):
        node.process(heard[index : index + 1], spoken[index : index + 1])
    return {
        "what": f"latency of the node in hops of {hop} frames at {RATE_HZ} Hz, by the loudness of voiced bursts",
        "stated_ms": 1e3 * node.latency_samples / RATE_HZ,
        "measured_ms": float(loudness_lag_ms(heard.ravel(), spoken.ravel(), RATE_HZ)),
    }


def bench_voice_in_engine(parameters: dict[str, Any]) -> dict[str, object]:
    """Find by how much the plain chain around the voice is late in the engine."""
    from vcfx.bench.loopback import measure_added_latency
    from vcfx.presets.voice_chain import with_voice

    named = {**parameters, "voice": parameters.get("voice") or _first_voice()}
    found = measure_added_latency(with_voice(None, named))
    return {
        "what": f"latency of high-pass, gate, voice and limiter in the engine, blocks of 128 at {RATE_HZ} Hz",
        "stated_ms": found.stated_ms,
        "measured_ms": found.measured_ms,
        "method": found.method,
    }


def loudness_lag_ms(heard: Samples, spoken: Samples, sample_rate: int) -> int:
    """Return the lag in whole milliseconds at which the levels of two signals, in dB, move most alike."""
    step = sample_rate * _STEP_MS // 1_000
    levels = []
    for signal in (heard, spoken):
        power = np.square(signal[: signal.size // step * step], dtype=np.float64).reshape(-1, step).mean(axis=1)
        smooth = np.convolve(power, np.hanning(17) / np.hanning(17).sum(), "same")
        levels.append(10.0 * np.log10(np.maximum(smooth, 1e-3 * smooth.max())))
    lags = range(0, _MOST_MS + 1)
    alike = [float(np.corrcoef(levels[0][: levels[0].size - lag], levels[1][lag:])[0, 1]) for lag in lags]
    return lags[int(np.argmax(alike))] * _STEP_MS


def _first_voice() -> str:
    from vcfx_models.voice_library import list_voices

    return next((info.name for info in list_voices() if info.voice is not None), "")


def _bursts(hop: int, seconds: float) -> Samples:
    """Return rows of `hop` samples: a hoarse vowel that comes and goes at odd times."""
    rng = np.random.default_rng(11)
    frames = int(seconds * RATE_HZ) // hop * hop
    time_s = np.arange(frames) / RATE_HZ
    tone = np.sum([np.sin(2 * np.pi * 130 * k * time_s) / k for k in range(1, 30)], axis=0)
    gates, at = np.zeros(frames), 0
    while at < frames:
        on, off = (int(RATE_HZ * rng.uniform(0.12, 0.35)) for _ in range(2))
        gates[at : at + on] = 1.0
        at += on + off
    sound = gates * (0.1 * tone + 0.01 * rng.standard_normal(frames))
    return np.ascontiguousarray(sound.reshape(-1, hop), np.float32)


def _speech(sample_rate: int, seconds: float) -> Samples:
    """Return the bundled clip, mono, repeated to whole hops of `seconds`."""
    import soundfile

    with resources.as_file(resources.files("vcfx") / "data" / "clip.flac") as path:
        clip, clip_rate = soundfile.read(path, dtype="float32", always_2d=True)
    mono = np.ascontiguousarray(clip.mean(axis=1, dtype=np.float32)[None])
    speech = resample_signal(mono, clip_rate, sample_rate)[0]
    hop = sample_rate // 100
    return np.resize(speech, max(int(seconds * 100.0), 1) * hop)
