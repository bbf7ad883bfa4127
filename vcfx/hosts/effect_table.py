"""Which pedalboard effects can run live, with their parameters; the others with the reason why not.

A class is live-capable if `process(..., reset=False)` returns every block whole from the first one on. Tried with
pedalboard 0.9.26 for blocks of 128 and 480 frames: the four refused ones hold back 9 ms to more than a second.
"""

from __future__ import annotations

from vcfx_dsp.parameters import Parameter


def _hz(name: str, default: float) -> Parameter:
    return Parameter(name, default, 10.0, 20_000.0)


def _part(name: str, default: float) -> Parameter:
    return Parameter(name, default, 0.0, 1.0)


_SHELF = (_hz("cutoff_frequency_hz", 440.0), Parameter("gain_db", 0.0, -36.0, 36.0), Parameter("q", 0.7071, 0.1, 20.0))
_DYNAMICS = (Parameter("attack_ms", 1.0, 0.05, 500.0), Parameter("release_ms", 100.0, 1.0, 5_000.0))
_LADDER_MODES = ("LPF12", "HPF12", "BPF12", "LPF24", "HPF24", "BPF24")

EFFECTS: dict[str, tuple[Parameter, ...]] = {
    "Bitcrush": (Parameter("bit_depth", 8.0, 1.0, 32.0),),
    "Chorus": (
        Parameter("rate_hz", 1.0, 0.01, 99.0),
        _part("depth", 0.25),
        Parameter("centre_delay_ms", 7.0, 1.0, 99.0),
        Parameter("feedback", 0.0, -0.95, 0.95),
        _part("mix", 0.5),
    ),
    "Clipping": (Parameter("threshold_db", -6.0, -60.0, 0.0),),
    "Compressor": (Parameter("threshold_db", 0.0, -80.0, 0.0), Parameter("ratio", 1.0, 1.0, 100.0), *_DYNAMICS),
    "Delay": (Parameter("delay_seconds", 0.5, 0.0, 10.0), Parameter("feedback", 0.0, 0.0, 0.95), _part("mix", 0.5)),
    "Distortion": (Parameter("drive_db", 25.0, 0.0, 60.0),),
    "Gain": (Parameter("gain_db", 1.0, -80.0, 36.0),),
    "HighShelfFilter": _SHELF,
    "HighpassFilter": (_hz("cutoff_frequency_hz", 50.0),),
    "Invert": (),
    "LadderFilter": (
        Parameter("mode", "LPF12", choices=_LADDER_MODES),
        _hz("cutoff_hz", 200.0),
        _part("resonance", 0.0),
        Parameter("drive", 1.0, 1.0, 20.0),
    ),
    "Limiter": (Parameter("threshold_db", -10.0, -60.0, 0.0), Parameter("release_ms", 100.0, 1.0, 5_000.0)),
    "LowShelfFilter": _SHELF,
    "LowpassFilter": (_hz("cutoff_frequency_hz", 50.0),),
    "NoiseGate": (Parameter("threshold_db", -100.0, -120.0, 0.0), Parameter("ratio", 10.0, 1.0, 100.0), *_DYNAMICS),
    "PeakFilter": _SHELF,
    "Phaser": (
        Parameter("rate_hz", 1.0, 0.01, 99.0),
        _part("depth", 0.5),
        _hz("centre_frequency_hz", 1_300.0),
        Parameter("feedback", 0.0, -0.95, 0.95),
        _part("mix", 0.5),
    ),
    "Reverb": (
        _part("room_size", 0.5),
        _part("damping", 0.5),
        _part("wet_level", 0.33),
        _part("dry_level", 0.4),
        _part("width", 1.0),
        Parameter("freeze_mode", 0.0, 0.0, 1.0),
    ),
}

REFUSED: dict[str, str] = {
    "PitchShift": "it holds back a second of sound and then falls silent; use the node 'pitch'",
    "GSMFullRateCompressor": "it holds back 20 to 40 ms of sound and loses it; use the preset 'telephone'",
    "MP3Compressor": "it holds back 70 ms of sound and loses it; use the node 'crush'",
    "Resample": "it holds back 9 ms of sound and loses it; use the node 'crush'",
}

#: Seconds until an effect has died away below -120 dB; the others have no memory worth waiting for.
TAILS_S: dict[str, float] = {"Reverb": 12.0, "Chorus": 0.5, "Phaser": 0.2}
