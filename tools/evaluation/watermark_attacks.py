"""What marked sound goes through: codecs, rates, noise, rooms, speed, pitch. Each takes a sound and returns one."""

from __future__ import annotations

import io
from collections.abc import Callable
from fractions import Fraction
from typing import Any, Final

import numpy as np
import scipy.signal

from .packages import package
from .sound import Audio, Sound

Attack = Callable[[Sound, np.random.Generator], Sound]
SAMPLE_FORMATS: Final = {"libopus": "s16", "libmp3lame": "s16p", "aac": "fltp"}
CONTAINERS: Final = {"libopus": "ogg", "libmp3lame": "mp3", "aac": "mp4"}


def _through_codec(codec: str, bits_per_second: int, sample_rate: int) -> Attack:
    def attack(sound: Sound, rng: np.random.Generator) -> Sound:
        av = package("av")
        audio = sound.at(sample_rate).audio
        stored = io.BytesIO()
        with av.open(stored, "w", format=CONTAINERS[codec]) as container:
            stream = container.add_stream(codec, rate=sample_rate, layout="mono")
            stream.bit_rate = bits_per_second
            for packet in _packets(av, stream, audio, SAMPLE_FORMATS[codec]):
                container.mux(packet)
        stored.seek(0)
        return Sound(_decoded(av, stored, sample_rate), sample_rate)

    return attack


def _packets(av: Any, stream: Any, audio: Audio, sample_format: str) -> list[Any]:
    whole = np.clip(audio, -1.0, 1.0)[None]
    values = whole if sample_format == "fltp" else (whole * 32767).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(values), format=sample_format, layout="mono")
    frame.sample_rate = stream.rate
    queue = av.AudioFifo()
    queue.write(frame)
    packets = []
    while (piece := queue.read(stream.codec_context.frame_size or 960, partial=True)) is not None:
        packets += stream.encode(piece)
    return packets + list(stream.encode(None))


def _decoded(av: Any, stored: io.BytesIO, sample_rate: int) -> Audio:
    with av.open(stored) as container:
        resampler = av.AudioResampler(format="flt", layout="mono", rate=sample_rate)
        frames = [out for frame in container.decode(audio=0) for out in resampler.resample(frame)]
    return np.concatenate([frame.to_ndarray().ravel() for frame in frames]).astype(np.float32)


def _resampled(sample_rate: int) -> Attack:
    return lambda sound, rng: sound.at(sample_rate)


def noisy(snr_db: float, colour: float = 0.0) -> Attack:
    """Add white noise, or noise that falls with frequency where `colour` is near 1."""

    def attack(sound: Sound, rng: np.random.Generator) -> Sound:
        noise = scipy.signal.lfilter([1.0], [1.0, -colour], rng.standard_normal(sound.audio.size))
        level = np.sqrt(np.mean(sound.audio**2) / np.mean(noise**2)) * 10 ** (-snr_db / 20)
        return Sound((sound.audio + level * noise).astype(np.float32), sound.sample_rate)

    return attack


def _louder(gain_db: float) -> Attack:
    return lambda sound, rng: Sound(np.clip(sound.audio * 10 ** (gain_db / 20), -1, 1), sound.sample_rate)


def _equalised(sound: Sound, rng: np.random.Generator) -> Sound:
    """Treble 10 dB up, bass 10 dB down and a dip of 12 dB at 1.2 kHz."""
    spectrum = np.fft.rfft(sound.audio)
    hz = np.fft.rfftfreq(sound.audio.size, 1 / sound.sample_rate)
    tilt_db = np.clip(10 * np.log2((hz + 50) / 1_000) / 3, -10, 10)
    dip_db = -12 * np.exp(-(((hz - 1_200) / 300) ** 2))
    out = np.fft.irfft(spectrum * 10 ** ((tilt_db + dip_db) / 20), sound.audio.size)
    return Sound(out.astype(np.float32), sound.sample_rate)


def _in_room(decay_s: float, direct_db: float) -> Attack:
    """A room: noise that decays by 60 dB in `decay_s`; direct sound `direct_db` above all that follows it."""

    def attack(sound: Sound, rng: np.random.Generator) -> Sound:
        frames = round(decay_s * sound.sample_rate)
        tail = rng.standard_normal(frames) * 10 ** (-3 * np.arange(frames) / frames)
        tail[: round(0.003 * sound.sample_rate)] = 0.0
        tail *= 10 ** (-direct_db / 20) / np.sqrt(np.sum(tail**2))
        tail[0] = 1.0
        out = scipy.signal.fftconvolve(sound.audio, tail)[: sound.audio.size]
        return Sound(out.astype(np.float32), sound.sample_rate)

    return attack


def _faster(ratio: float) -> Attack:
    """Play faster: time and pitch together."""

    def attack(sound: Sound, rng: np.random.Generator) -> Sound:
        fraction = Fraction(ratio).limit_denominator(200)
        out = scipy.signal.resample_poly(sound.audio, fraction.denominator, fraction.numerator)
        return Sound(out.astype(np.float32), sound.sample_rate)

    return attack


def _shifted(cents: float) -> Attack:
    """Move the pitch, not the time, by Rubber Band."""

    def attack(sound: Sound, rng: np.random.Generator) -> Sound:
        effect = package("pedalboard").PitchShift(semitones=cents / 100)
        return Sound(np.asarray(effect(sound.audio[None], sound.sample_rate)[0], np.float32), sound.sample_rate)

    return attack


def _stretched(ratio: float) -> Attack:
    """Play faster at the same pitch, by Rubber Band."""

    def attack(sound: Sound, rng: np.random.Generator) -> Sound:
        stretch = package("pedalboard").time_stretch
        out = stretch(sound.audio[None], sound.sample_rate, stretch_factor=ratio)
        return Sound(np.asarray(out[0], np.float32), sound.sample_rate)

    return attack


def _denoised(sound: Sound, rng: np.random.Generator) -> Sound:
    """Spectral subtraction, a noise floor from each bin's quietest tenth, 2 times over-subtracted."""
    spectra = scipy.signal.stft(sound.audio, sound.sample_rate, nperseg=round(0.032 * sound.sample_rate))[2]
    magnitude = np.abs(spectra)
    floor = 2 * np.quantile(magnitude, 0.1, axis=1, keepdims=True)
    kept = np.maximum(magnitude - floor, 0.05 * magnitude) / np.maximum(magnitude, 1e-12)
    _, out = scipy.signal.istft(spectra * kept, sound.sample_rate, nperseg=round(0.032 * sound.sample_rate))
    return Sound(out[: sound.audio.size].astype(np.float32), sound.sample_rate)


def _unharmed(sound: Sound, rng: np.random.Generator) -> Sound:
    return sound


#: In the order of the report's table. Every attack is followed by a crop at random places.
ATTACKS: Final[dict[str, Attack]] = {
    "nothing": _unharmed,
    "Opus 32 kbit/s": _through_codec("libopus", 32_000, 48_000),
    "Opus 24 kbit/s": _through_codec("libopus", 24_000, 48_000),
    "Opus 16 kbit/s": _through_codec("libopus", 16_000, 16_000),
    "MP3 128 kbit/s": _through_codec("libmp3lame", 128_000, 44_100),
    "MP3 64 kbit/s": _through_codec("libmp3lame", 64_000, 44_100),
    "AAC 64 kbit/s": _through_codec("aac", 64_000, 44_100),
    "8 kHz": _resampled(8_000),
    "16 kHz": _resampled(16_000),
    "44.1 kHz": _resampled(44_100),
    "white noise, 20 dB": noisy(20.0),
    "white noise, 10 dB": noisy(10.0),
    "falling noise, 10 dB": noisy(10.0, 0.9),
    "gain -20 dB": _louder(-20.0),
    "gain +12 dB, clipped": _louder(12.0),
    "equaliser": _equalised,
    "room, 0.3 s": _in_room(0.3, 6.0),
    "room, 0.6 s": _in_room(0.6, 3.0),
    "speed +5 %": _faster(1.05),
    "speed -5 %": _faster(0.95),
    "pitch +50 cents": _shifted(50.0),
    "pitch -50 cents": _shifted(-50.0),
    "time +4 %": _stretched(1.04),
    "time +15 %": _stretched(1.15),
    "speed +10 %": _faster(1.10),
    "spectral subtraction": _denoised,
}


def harmed(sound: Sound, rng: np.random.Generator) -> Sound:
    """What the detector's network is trained on: of 16 times 2 nothing, 7 noise, 4 rooms, 3 codecs, some under noise.

    Rooms and noise are drawn up to worse ones than those of `ATTACKS`.
    """
    white, falling = (noisy(float(rng.uniform(0.0, 22.0)), colour) for colour in (0.0, float(rng.uniform(0.4, 0.97))))
    little = noisy(float(rng.uniform(10.0, 30.0)), float(rng.uniform(0.0, 0.95)))
    room = _in_room(float(rng.uniform(0.2, 0.9)), float(rng.uniform(-1.0, 8.0)))
    codec = "libopus" if rng.random() < 0.67 else "libmp3lame"
    bits_per_second = int(rng.choice([12_000, 16_000, 24_000] if codec == "libopus" else [32_000, 64_000]))
    coded = _through_codec(codec, bits_per_second, 16_000 if codec == "libopus" else 24_000)
    chains: list[tuple[Attack, ...]] = [
        (),
        (),
        *[(white,)] * 3,
        *[(falling,)] * 4,
        (_resampled(8_000),),
        *[(room,)] * 2,
        *[(room, little)] * 2,
        *[(coded,)] * 2,
        (little, coded),
    ]
    for attack in chains[int(rng.integers(len(chains)))]:
        sound = attack(sound, rng)
    return sound
