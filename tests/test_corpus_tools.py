"""The parts of the corpus maker that need neither recordings nor torch."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tools.train.corpus_audio import as_pcm
from tools.train.corpus_content import PCA_COMPONENTS, save_pca
from tools.train.corpus_f0 import f0_frames, frame_count
from tools.train.corpus_files import RATE_HZ, Clip, CorpusError, read_clips, save_stream, write_clips
from tools.train.corpus_ge2e import MOST_PARTIALS, partials, spoken_frames
from tools.train.corpus_sources import read_records, tar_pieces
from vcfx_models.ge2e_geometry import PARTIAL_FRAMES
from vcfx_models.speech_level import active_level_dbfs, levelled


def _clip(number: int, text: str) -> Clip:
    return Clip(number, 7, 480, "real", "set", "who", "f", "train", 7900, -1, '{"af_sky": 1.0}', text, "set/who/1.opus")


def test_stream_is_one_array_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    pieces = [np.arange(5, dtype=np.int16), np.zeros(0, np.int16), np.full(3, -9, np.int16)]
    assert save_stream(tmp_path / "x.npy", iter(pieces), np.int16) == [5, 0, 3]
    np.testing.assert_array_equal(np.load(tmp_path / "x.npy", mmap_mode="r"), np.concatenate(pieces))
    assert [path.name for path in tmp_path.iterdir()] == ["x.npy"]


def test_an_interrupted_stream_leaves_no_array(tmp_path: Path) -> None:
    def pieces() -> object:
        yield np.zeros(4, np.int16)
        raise CorpusError("gone")

    with pytest.raises(CorpusError, match="gone"):
        save_stream(tmp_path / "x.npy", pieces(), np.int16)  # type: ignore[arg-type]
    assert not (tmp_path / "x.npy").exists()


def test_clips_come_back_as_they_were_but_for_tabs(tmp_path: Path) -> None:
    write_clips(tmp_path, [_clip(0, 'say "hello'), _clip(1, "a\tb\n")])
    assert read_clips(tmp_path) == [_clip(0, 'say "hello'), _clip(1, "a b")]


def test_an_unfinished_last_record_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "meta.jsonl"
    path.write_text(json.dumps({"id": "1"}) + '\n{"id": "2')
    assert read_records(path) == [{"id": "1"}]


def test_a_missing_tar_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"none\.tar is missing"):
        tar_pieces(tmp_path / "none.tar")


def test_speech_is_at_its_level_whatever_the_pauses() -> None:
    tone = np.sin(2 * np.pi * 200 / RATE_HZ * np.arange(RATE_HZ)).astype(np.float32)
    for gain, pause in ((0.01, 0), (0.9, RATE_HZ), (0.3, 5 * RATE_HZ)):
        made = levelled(np.concatenate([gain * tone, np.zeros(pause, np.float32)]))
        assert np.sqrt(2) * 10 ** (-24 / 20) == pytest.approx(np.abs(made).max(), rel=1e-3)
        assert active_level_dbfs(made) == pytest.approx(-24.0, abs=0.01)


def test_peaks_and_silence_bound_the_level() -> None:
    clicks = np.zeros(RATE_HZ, np.float32)
    clicks[::480] = 0.1
    assert np.abs(levelled(clicks)).max() == pytest.approx(0.99, rel=1e-5)
    assert not levelled(np.zeros(100, np.float32)).any()
    assert as_pcm(np.array([-1.5, -1.0, 0.0, 1.0], np.float32)).tolist() == [-32768, -32768, 0, 32767]


@pytest.mark.parametrize("size", [RATE_HZ, RATE_HZ + 119, 2 * RATE_HZ + 120])
def test_f0_frames_describe_the_voice_at_their_own_time(size: int) -> None:
    time_s = np.arange(size) / RATE_HZ
    octaves_a_second = 0.5
    glide_hz = 120 * 2 ** (octaves_a_second * time_s)
    phase = 2 * np.pi * np.cumsum(glide_hz) / RATE_HZ
    voice = 0.1 * np.sum([np.cos(harmonic * phase) / harmonic for harmonic in range(1, 15)], axis=0)
    f0_hz, strength = f0_frames(voice.astype(np.float32))
    assert f0_hz.size == strength.size == frame_count(size)
    inner = slice(20, frame_count(size) - 10)
    expected = 120 * 2 ** (octaves_a_second * np.arange(frame_count(size)) * 120 / RATE_HZ)
    late_ms = 1000 * np.log2(expected[inner] / f0_hz[inner]) / octaves_a_second
    assert abs(np.median(late_ms)) < 4.0  # half a frame of 5 ms, and what is left of the tracker's own spread
    assert (strength[inner] > 0.5).all()


def test_partials_cover_the_speech() -> None:
    bands = np.arange(1000, dtype=np.float32)[:, None] * np.ones(40, np.float32)
    many = partials(bands)
    assert many.shape == (MOST_PARTIALS, PARTIAL_FRAMES, 40)
    assert (many[0, 0, 0], many[-1, -1, 0]) == (0, 999)
    short = partials(bands[1:50])
    assert short.shape == (1, PARTIAL_FRAMES, 40)
    assert not short[0, 49:].any()


def test_long_silences_are_not_speech() -> None:
    bands = np.full((300, 40), 1e-9, np.float32)
    bands[100:150] = 1.0
    kept = np.flatnonzero(spoken_frames(bands))
    assert (kept[0], kept[-1]) == (90, 159)
    assert spoken_frames(np.zeros((5, 40), np.float32)).all()


def test_projected_content_has_unit_variance(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    features = (rng.standard_normal((2000, 140)) @ rng.standard_normal((140, 512)) + 3).astype(np.float16)
    explained = save_pca(tmp_path / "pca.npz", features, np.arange(2000, dtype=np.int32))
    pca = np.load(tmp_path / "pca.npz")
    projected = (features.astype(np.float32) - pca["mean"]) @ pca["components"].T / pca["scale"]
    assert projected.shape == (2000, PCA_COMPONENTS)
    np.testing.assert_allclose(projected.std(axis=0), 1.0, rtol=0.01)
    assert 0.9 < explained < 1.0
