"""Compare the ways to store the converter's networks: size, time for one hop, and how much the voice changes.

usage: python -m tools.train.measure_converter FOLDER VOICE.vcfxvoice SOUND...

FOLDER comes from export_converter. Times are of one thread, hop by hop as in a stream; say how busy the machine is.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import librosa
import numpy as np
import numpy.typing as npt

from vcfx_models import geometry as grid
from vcfx_models.converter import VoiceConverter
from vcfx_models.network_files import PARTS, STORAGES, file_name
from vcfx_models.runtime.onnx_networks import OnnxNetworks
from vcfx_models.voice_on_disk import load_voice

Singles = npt.NDArray[np.float32]
HEARD_DB = 60.0


def log_spectra_db(audio: Singles) -> npt.NDArray[np.float64]:
    """Return mel spectra in dB, 10 ms apart; what is 60 dB below the loudest counts as that."""
    power = librosa.feature.melspectrogram(y=audio, sr=grid.SAMPLE_RATE, n_fft=1_024, hop_length=240, n_mels=80)
    level_db = 10.0 * np.log10(power + 1e-12)
    return np.asarray(np.maximum(level_db, level_db.max() - HEARD_DB), np.float64)


def hop_times_ms(converter: VoiceConverter, audio: Singles) -> npt.NDArray[np.float64]:
    """Return wall time and processor time of each hop, shape (hops, 2), after a start of 50."""
    converter.reset()
    times = []
    for hop in audio[: audio.size // grid.HOP_SAMPLES * grid.HOP_SAMPLES].reshape(-1, grid.HOP_SAMPLES):
        began, worked = time.perf_counter(), time.thread_time()
        converter.convert_hop(hop)
        times.append((1e3 * (time.perf_counter() - began), 1e3 * (time.thread_time() - worked)))
    return np.array(times[50:])


def main() -> None:
    """Parse, measure, print one line of JSON for each storage."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("voice", type=Path)
    parser.add_argument("sounds", type=Path, nargs="+")
    chosen = parser.parse_args()
    voice = load_voice(chosen.voice)
    sounds = [librosa.load(path, sr=grid.SAMPLE_RATE, mono=True)[0].astype(np.float32) for path in chosen.sounds]
    exact: list[npt.NDArray[np.float64]] = []
    for storage in STORAGES[::-1]:
        converter = VoiceConverter(OnnxNetworks(chosen.folder, storage), voice)
        spectra = [log_spectra_db(converter.convert_signal(sound)) for sound in sounds]
        exact = exact or spectra
        away_db = np.concatenate([(one - other).ravel() for one, other in zip(spectra, exact, strict=True)])
        times_ms = hop_times_ms(converter, np.concatenate(sounds))
        megabytes = sum((chosen.folder / file_name(part, storage)).stat().st_size for part in PARTS) / 1e6
        line = {
            "storage": storage,
            "megabytes": round(megabytes, 2),
            "rms_away_db": round(float(np.sqrt(np.mean(away_db**2))), 3),
            "p99_away_db": round(float(np.percentile(np.abs(away_db), 99)), 2),
            "hop_ms_p50_p99": np.percentile(times_ms[:, 0], (50, 99)).round(2).tolist(),
            "hop_cpu_ms_p50_p99": np.percentile(times_ms[:, 1], (50, 99)).round(2).tolist(),
        }
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
