"""What the program says with another voice is found to be marked; what it does otherwise is not."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import numpy as np
import pytest
import soundfile

from vcfx.marking.setting import switch_mark
from vcfx.marking.tags import installation_tag, voice_tag
from vcfx.offline import PresetRenderer
from vcfx.presets import Preset, load_preset
from vcfx.presets.voice_chain import with_voice
from vcfx_dsp.watermark.detector import find_marks
from vcfx_dsp.watermark.payload import Payload
from vcfx_models.papers.keys import own_key
from vcfx_models.voice_library import find_voice


def converted(preset: Preset) -> tuple[np.ndarray, int]:
    sound, rate_hz = soundfile.read(str(resources.files("vcfx") / "data" / "clip.flac"), dtype="float32")
    renderer = PresetRenderer(preset, rate_hz, 1, rate_hz)
    blocks = [sound[None, start : start + rate_hz] for start in range(0, sound.size, rate_hz)]
    return np.concatenate([renderer.process(block).copy() for block in blocks], axis=1), rate_hz


def test_the_mark_names_who_spoke(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VCFX_DATA_DIR", str(tmp_path))
    preset = with_voice(load_preset("radio"), {"voice": "alder", "device": "cpu"})
    found = find_marks(*converted(preset))
    key, papers = own_key(), find_voice("alder", "files", notes_use=False).papers
    assert key is not None
    assert papers is not None
    assert found.found
    assert found.payload == Payload(installation_tag(key.public), voice_tag(papers.voice_id))
    switch_mark(False, "the test compares")
    assert not find_marks(*converted(preset)).found


def test_a_disguise_carries_no_mark() -> None:
    assert not find_marks(*converted(load_preset("deep"))).found
