"""Recordings and spectra of a running voice."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from live_voice import BLOCK, RATE_HZ, Voice, running_voice, wait_until
from vcfx.control import messages as m
from vcfx.control.live_state import SPECTRUM_BANDS
from vcfx.engine.engine import Engine
from vcfx.engine.recording import Recorder, target_paths
from vcfx.engine.spectra import HIGHEST_HZ, LOWEST_HZ, band_edges_hz, band_levels_db
from vcfx.errors import AudioFileError
from vcfx.presets import Preset


def noise(first: int, count: int) -> np.ndarray:
    return (0.2 * np.random.default_rng(first).standard_normal(count)).astype(np.float32)


def record(voice: Voice, sides: m.RecordSides, path: Path) -> tuple[int, list[Path]]:
    answer = voice.done(m.StartRecording(sides, str(path)))
    assert answer.block is not None
    wait_until(lambda: voice.control.engine.blocks > answer.block + 60)  # type: ignore[operator]
    stopped = voice.done(m.StopRecording())
    assert voice.control.state().recording is None
    return answer.block, [Path(name) for name in stopped.note.split(", ")]


@pytest.mark.parametrize("ending", [".flac", ".wav"])
def test_dry_and_wet_begin_with_the_same_sample(tmp_path: Path, ending: str) -> None:
    with running_voice("soft", source=noise) as voice:
        block, paths = record(voice, "both", tmp_path / f"take{ending}")
    assert [path.name for path in paths] == [f"take-dry{ending}", f"take-wet{ending}"]
    dry, wet = (soundfile.read(path, dtype="float32")[0] for path in paths)
    assert len(dry) == len(wet) >= 60 * BLOCK
    heard = np.concatenate([noise(first * BLOCK, BLOCK) for first in range(block, block + 60)])
    np.testing.assert_allclose(dry[: len(heard)], heard, atol=1e-6)
    np.testing.assert_allclose(wet[: len(heard)], 0.1 * heard, atol=1e-6)
    assert sorted(tmp_path.iterdir()) == sorted(paths)


def test_without_a_path_it_goes_to_the_music_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platformdirs.user_music_path", lambda: tmp_path)
    with running_voice() as voice:
        answer = voice.done(m.StartRecording())
        assert voice.control.state().recording is not None
        assert "is being made; stop it first" in voice.refusal(m.StartRecording())
        voice.done(m.StopRecording())
    path = Path(answer.note)
    assert path.parent == tmp_path / "vcfx"
    assert path.suffix == ".flac"
    assert soundfile.info(path).frames > 0


def test_the_end_of_the_run_is_the_end_of_the_recording(tmp_path: Path) -> None:
    path = tmp_path / "take.flac"
    with running_voice() as voice:
        voice.done(m.StartRecording("dry", str(path)))
        assert voice.control.close() == ""
    assert soundfile.info(path).frames > 0


def test_recording_and_spectra_listen_at_the_same_time(tmp_path: Path) -> None:
    with running_voice("soft") as voice:
        assert voice.control.meters().input_spectrum_db == ()
        voice.control.want_spectra(True)
        wait_until(lambda: max(voice.control.meters().output_spectrum_db or (-120.0,)) > -30.0)
        _, (path,) = record(voice, "wet", tmp_path / "take.wav")
        meters = voice.control.meters()
        voice.control.want_spectra(False)
        assert voice.control.meters().output_spectrum_db == ()
    assert soundfile.info(path).frames > 60 * BLOCK
    strongest = int(np.argmax(meters.input_spectrum_db))
    edges_hz = band_edges_hz(SPECTRUM_BANDS)
    assert edges_hz[strongest - 1] <= 440.0 <= edges_hz[strongest + 2]
    assert -7.5 <= meters.input_spectrum_db[strongest] <= -5.9  # amplitude 0.5 is -6.0 dB
    assert -27.5 <= meters.output_spectrum_db[strongest] <= -25.9


@pytest.mark.parametrize("frequency_hz", [60.0, 100.0, 440.0, 1_000.0, 5_000.0, 15_000.0])
@pytest.mark.parametrize("rate_hz", [44_100, 48_000, 96_000])
def test_a_tone_shows_in_its_band_at_its_level(frequency_hz: float, rate_hz: int) -> None:
    time_s = np.arange(2_048) / rate_hz
    levels = band_levels_db((0.1 * np.sin(2 * np.pi * frequency_hz * time_s)).astype(np.float32), rate_hz, 64)
    edges_hz = band_edges_hz(64)
    assert (edges_hz[0], edges_hz[-1]) == pytest.approx((LOWEST_HZ, HIGHEST_HZ))
    place = int(np.searchsorted(edges_hz, frequency_hz)) - 1
    spacing_hz = rate_hz / 2_048
    near = [
        band for band in range(64) if edges_hz[band] - spacing_hz <= frequency_hz <= edges_hz[band + 1] + spacing_hz
    ]
    assert int(np.argmax(levels)) in near
    assert place in near
    assert max(levels[near]) == pytest.approx(-20.0, abs=1.5)


def test_bands_above_half_the_rate_and_silence_are_at_the_floor() -> None:
    levels = band_levels_db(noise(1, 2_048), 16_000, 64)
    assert (levels[band_edges_hz(64)[:-1] > 8_100.0] == -120.0).all()
    assert (band_levels_db(np.zeros(2_048, np.float32), 48_000, 64) == -120.0).all()


def test_a_name_that_will_not_do_is_refused(tmp_path: Path) -> None:
    with Engine(Preset("empty"), RATE_HZ, BLOCK) as engine:
        with pytest.raises(AudioFileError, match=r"'take\.xyz'; allowed endings: \.wav, \.flac, \.ogg"):
            Recorder(engine, tmp_path / "take.xyz")
        with pytest.raises(AudioFileError, match="nowhere"):
            Recorder(engine, tmp_path / "nowhere" / "take.wav")
        (tmp_path / "old-wet.wav").write_bytes(b"precious")
        with pytest.raises(AudioFileError, match="exists already"):
            Recorder(engine, tmp_path / "old.wav", "both")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"precious"]
    assert target_paths(Path("a/b.flac"), "dry") == {"dry": Path("a/b.flac")}


FULL_DISK = """
import resource, sys
from live_voice import running_voice, wait_until
from vcfx.control import messages as m

with running_voice("soft") as voice:
    voice.done(m.StartRecording("both", sys.argv[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
    wait_until(lambda: voice.control.state().recording.problem != "")
    problem = voice.control.state().recording.problem
    before = voice.control.engine.blocks
    wait_until(lambda: voice.control.engine.blocks > before + 20)
    assert abs(voice.device.played[-1]).max() > 0.04
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert voice.control.close() == problem
print(problem)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on a file's size")
@pytest.mark.parametrize("ending", [".wav", ".flac"])
def test_a_full_disk_ends_the_recording_keeps_what_is_there_and_not_the_voice(tmp_path: Path, ending: str) -> None:
    assert signal.getsignal(signal.SIGXFSZ) == signal.SIG_IGN  # Python's own choice: writing fails instead
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] == resource.RLIM_INFINITY
    program = FULL_DISK
    path = tmp_path / f"take{ending}"
    folder = str(Path(__file__).parent)
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {folder!r})\n{program}", str(path)],
        capture_output=True, text=True, timeout=240.0,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"the recording to '{tmp_path / ('take-dry' + ending)}' has stopped: ")
    kept = sorted(tmp_path.iterdir())
    assert [path.name for path in kept] in ([f"take-dry{ending}", f"take-wet{ending}"], [f"take-wet{ending}"], [])
    for path in kept:
        assert soundfile.info(path).frames > 0
