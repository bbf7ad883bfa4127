from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from vcfx.__main__ import main


def test_without_devices_the_clip_becomes_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "demo.wav"
    assert main(["demo", "--file", "--preset", "plain", "--output", str(target)]) == 0
    assert main(["demo", "--file", "--preset", "plain", "--output", str(target)]) == 0, "a second demo replaces it"
    sound, rate = soundfile.read(target)
    clip, clip_rate = soundfile.read(Path(__file__).parents[1] / "vcfx" / "data" / "clip.flac")
    assert rate == clip_rate
    np.testing.assert_allclose(sound, clip, rtol=0, atol=1e-4)
    printed = capsys.readouterr().out
    assert "x real time" in printed
    assert "takes 0.0 ms (measured), 0.0 ms (stated)" in printed


def test_an_unknown_preset_is_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--file", "--preset", "nope", "--output", str(tmp_path / "x.wav")]) == 2
    assert "no preset 'nope'" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
