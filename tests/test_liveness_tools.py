"""The parts of making and judging the detector of live voices that need neither recordings nor training."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr
import torch
from scipy import signal

from tools.evaluation import liveness_report
from tools.evaluation.liveness_figures import equal_error, rate
from tools.train import liveness_channel as channel
from tools.train import liveness_clips
from tools.train.corpus_files import Clip, save_stream, write_clips, write_rows
from tools.train.liveness_batches import BatchMaker, only_pauses, only_speech, read_split
from tools.train.liveness_clips import write
from tools.train.liveness_kinds import KINDS, LIVE, Made
from tools.train.liveness_learned import COPIES, SHARD_CLIPS, LearnedTakes, shards
from tools.train.liveness_material import JUDGED_SETS, RATE_HZ, Mono, real_takes, split_of
from tools.train.liveness_network import LivenessNetwork
from tools.train.liveness_rooms import box_room, in_room, noise_room, other_loudspeaker, small_loudspeaker
from vcfx_models.liveness.speech_spectrum import FINE_BANDS, N_BANDS


def tone(frequency_hz: float, seconds: float = 1.0) -> Mono:
    cycles = frequency_hz / RATE_HZ * np.arange(int(seconds * RATE_HZ))
    return np.asarray(0.5 * np.sin(2 * np.pi * cycles), np.float32)


def corpus(folder: Path) -> Path:
    clips = [
        Clip(n, 0, 72_000, "real", name, f"speaker{n % 40}", "f", "train", 8_000, -1, "", "text", f"{name}/{n}")
        for n in range(120)
        for name in ("librispeech", "vctk_bits")
    ]
    write_clips(folder, clips)
    noise = np.random.default_rng(1).integers(-3_000, 3_000, 20 * 48_000).astype(np.int16)
    save_stream(folder / "noise.npy", [noise], np.int16)
    rows = [(48_000 * n, 48_000, "CC0", "hiss", f"noise{n}") for n in range(20)]
    write_rows(folder / "noise.tsv", ("start", "frames", "licence", "description", "source"), rows)
    return folder


def test_no_speaker_is_in_two_splits_and_judged_corpora_are_not_learned_from(tmp_path: Path) -> None:
    takes = real_takes(corpus(tmp_path), np.random.default_rng(1))
    assert len(takes) == 240
    splits: dict[tuple[str, str], set[str]] = {}
    for take in takes:
        splits.setdefault((take.clip.set, take.clip.speaker), set()).add(take.split)
    assert all(len(found) == 1 for found in splits.values())
    assert {take.split for take in takes if take.clip.set == "librispeech"} == {"train", "dev", "test"}
    assert {take.split for take in takes if take.clip.set in JUDGED_SETS} == {"test"}
    of_one_set = [take.clip.speaker for take in takes if take.clip.set == "librispeech"]
    assert len(set(of_one_set[:40])) == 40  # everybody once before anybody twice


def test_splits_have_their_shares() -> None:
    found = [split_of(f"speaker {n}") for n in range(2_000)]
    assert found.count("train") / 2_000 == pytest.approx(0.7, abs=0.04)
    assert found.count("dev") / 2_000 == pytest.approx(0.1, abs=0.03)


def test_some_kinds_are_never_learned_from() -> None:
    unseen = {kind.name for kind in KINDS if kind.counts[:2] == (0, 0)}
    assert unseen >= {"piper", "espeak", "pico", "replay_other", "pitch_shift"}
    assert all(kind.counts[0] or kind.counts[2] for kind in KINDS)


@pytest.mark.parametrize("room", [noise_room, box_room])
def test_rooms_start_with_the_direct_sound_and_die_away(room: Callable[[np.random.Generator], Mono]) -> None:
    for seed in range(5):
        response = room(np.random.default_rng(seed))
        assert response[0] == pytest.approx(1.0)
        energy = np.square(response, dtype=np.float64)
        assert energy[: response.size // 2].sum() > 10.0 * energy[response.size // 2 :].sum()
        assert in_room(tone(300.0), response).size == RATE_HZ


@pytest.mark.parametrize("loudspeaker", [small_loudspeaker, other_loudspeaker])
def test_loudspeakers_add_what_no_filter_adds(loudspeaker: Callable[[Mono, np.random.Generator], Mono]) -> None:
    added = []
    for seed in range(6):
        sound = loudspeaker(tone(700.0), np.random.default_rng(seed))
        assert np.isfinite(sound).all()
        assert sound.shape == (RATE_HZ,)
        spectrum = np.abs(np.fft.rfft(sound[RATE_HZ // 4 :][:8_000] * np.hanning(8_000)))
        added.append(20 * np.log10(max(spectrum[700::350][:5].max(), 1e-9) / spectrum[345:356].max()))
    assert np.median(added) > -45.0  # harmonics of a pure tone


@pytest.mark.parametrize("codec", ["none", "answer", *channel.CODECS])
def test_codecs_keep_length_and_place(codec: str) -> None:
    sound = tone(500.0) * np.hanning(RATE_HZ).astype(np.float32)
    heard = channel.coded(sound, codec, 0.6)
    assert heard.shape == sound.shape
    assert heard.dtype == np.float32
    assert np.corrcoef(sound, heard)[0, 1] > 0.98


@pytest.mark.parametrize("kind", [kind.name for kind in KINDS])
def test_every_kind_is_coded_as_often(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(liveness_clips, "answer_coded", lambda mono: mono + 1.0)
    before = np.float32(kind in liveness_clips.CODED_KINDS)  # the corpus is coded once
    found = liveness_clips._first([np.full(3, before, np.float32)] * 400, kind, np.random.default_rng(1))
    codings = np.array([mono[0] for mono in found])
    assert set(codings) == {1.0, 2.0}
    assert codings.mean() == pytest.approx(1.5, abs=0.1)


def test_the_channel_reaches_the_asked_signal_to_noise_ratio(tmp_path: Path) -> None:
    way = channel.Channel(corpus(tmp_path), "train", np.random.default_rng(3), (10.0, 10.0))
    sound = tone(1_000.0, 2.0)
    found = []
    for _ in range(20):
        noisy = way._noisy(sound)
        noise = noisy - sound
        found.append(10 * np.log10(np.mean(np.square(sound)) / np.mean(np.square(noise))))
    assert found == pytest.approx([10.0] * 20, abs=0.1)
    assert way(sound).shape == sound.shape


def shards_of_bursts(folder: Path) -> None:
    rng = np.random.default_rng(2)
    for kind, copied in ((LIVE, [4, 5]), ("other", [5, -1])):
        bursts = [rng.standard_normal(3 * RATE_HZ) * (np.arange(3 * RATE_HZ) % 16_000 < 8_000) for _ in range(2)]
        sounds = {"judged": [0.1 * burst.astype(np.float32) for burst in bursts]}
        write(
            folder / f"train-{kind}-000.npz",
            [Made(sounds["judged"][0], "a", "b")] * 2,
            sounds,
            {"copied": np.array(copied)},
        )


def test_shards_are_read_as_they_were_written(tmp_path: Path) -> None:
    shards_of_bursts(tmp_path)
    clips, pauses = read_split(tmp_path, "train"), read_split(tmp_path, "train", only_pauses)
    assert {kind: [clip.copied for clip in found] for kind, found in clips.items()} == {LIVE: [4, 5], "other": [5, -1]}
    assert 130 < clips[LIVE][0].levels_db.shape[0] < 180
    assert clips[LIVE][0].levels_db.mean() > pauses[LIVE][0].levels_db.mean() + 30.0  # dB


def test_batches_are_half_live_and_centred(tmp_path: Path) -> None:
    shards_of_bursts(tmp_path)
    spectra, live = BatchMaker(read_split(tmp_path, "train"), 8, 100, 0.5, np.random.default_rng(2)).batch()
    assert spectra.shape == (8, 100, N_BANDS)
    assert spectra.dtype == np.float32
    assert live.tolist() == [0.0, 1.0] * 4
    np.testing.assert_allclose(spectra[..., :FINE_BANDS].mean(axis=1), 0.0, atol=1e-4)


def test_copies_come_with_what_they_are_copies_of(tmp_path: Path) -> None:
    shards_of_bursts(tmp_path)
    maker = BatchMaker(read_split(tmp_path, "train"), 8, 100, 1.0, np.random.default_rng(2))
    maker._stretch = lambda clip: np.full((100, N_BANDS), float(clip.copied), np.float32)  # type: ignore[method-assign]
    maker._spoilt = lambda levels_db: levels_db  # type: ignore[method-assign]
    for _ in range(20):
        copied = maker.batch()[0][:, 0, 0]
        assert all(live == 5.0 for attack, live in zip(copied[::2], copied[1::2], strict=True) if attack == 5.0)


@pytest.mark.parametrize("split", ["train", "dev"])
def test_a_stop_leaves_all_kinds_alike(split: str) -> None:
    wanted = {kind.name: -(-kind.count(split) // SHARD_CLIPS) for kind in KINDS}
    order = shards(split)
    assert {name: sum(kind.name == name for kind, _ in order) for name in wanted} == wanted
    half = [kind.name for kind, _ in order[: len(order) // 2]]
    assert all(abs(half.count(name) - count / 2) <= 1.0 for name, count in wanted.items())


def test_takes_come_in_fixed_shares_and_again_in_other_parts(tmp_path: Path) -> None:
    takes = LearnedTakes(real_takes(corpus(tmp_path), np.random.default_rng(1)), "train")
    assert all(takes.take(number).split == "train" for number in range(100))
    assert takes.take(3) == takes.take(3)
    assert len({takes.take(number).clip.source for number in range(40)}) >= 20


@pytest.mark.parametrize("kind", ["lpc", "stretched", "mel", "smooth_world", "source_filter", "griffin_lim", "world"])
def test_copies_sound_alike_but_are_none(kind: str) -> None:
    speech, _ = soundfile.read(Path(__file__).parent / "data" / "male.flac", dtype="float32")
    speech = soxr.resample(speech, soundfile.info(Path(__file__).parent / "data" / "male.flac").samplerate, RATE_HZ)
    speech = speech[: 2 * RATE_HZ]
    rng = np.random.default_rng(3)
    for _ in range(3):
        copy = COPIES[kind](speech, rng)
        assert copy.dtype == np.float32
        assert np.isfinite(copy).all()
        assert 0.7 < copy.size / speech.size < 1.4
        assert 0.05 < np.std(copy) / np.std(speech) < 5.0
        if copy.size == speech.size:
            spectra = [np.log(long_spectrum(sound)) for sound in (speech, copy)]
            assert np.corrcoef(spectra[0], spectra[1])[0, 1] > 0.5
            assert np.std(copy / np.std(copy) - speech / np.std(speech)) > 0.1


def long_spectrum(sound: Mono) -> Mono:
    return np.asarray(signal.welch(sound, RATE_HZ, nperseg=256)[1][1:-1] + 1e-9, np.float32)


def test_choices_are_apart() -> None:
    levels = np.arange(20, dtype=np.float32)[:, None]
    speech = np.arange(20) < 10
    assert only_speech(levels, speech)[:, 0].tolist() == list(range(10))
    assert only_pauses(levels, speech).min() >= 10


def test_the_network_takes_any_length() -> None:
    network = LivenessNetwork().eval()
    with torch.inference_mode():
        assert [network(torch.zeros(2, frames, N_BANDS)).shape for frames in (8, 100, 333)] == [(2,)] * 3


def test_equal_error_of_two_normal_distributions() -> None:
    draw = np.random.default_rng(1).standard_normal((2, 20_000))
    assert equal_error(list(draw[0] + 2.0), list(draw[1])) == pytest.approx(0.1587, abs=0.01)  # of one sigma
    assert equal_error([3.0, 4.0], [1.0, 2.0]) == 0.0


def test_rates_draw_speakers() -> None:
    even = rate([True, False] * 50, [f"{n // 2}" for n in range(100)])
    assert (even.share, even.low, even.high, even.speakers) == (0.5, 0.5, 0.5, 50)
    lumpy = rate([True] * 50 + [False] * 50, [f"{n // 10}" for n in range(100)])
    assert lumpy.high - lumpy.low > 0.4
    none = rate([False] * 20, [f"{n}" for n in range(20)])
    assert (none.share, none.low) == (0.0, 0.0)
    assert none.high == pytest.approx(0.15)


def test_two_detectors_are_compared_on_clips_that_both_judged() -> None:
    def rows(scores: dict[str, list[float]]) -> list[dict[str, Any]]:
        return [
            {"kind": kind, "number": number, "speaker": f"{number}", "score": score}
            for kind, found in scores.items()
            for number, score in enumerate(found)
        ]

    kinds = list(liveness_report.TITLES)
    ours = rows({LIVE: [2.0, 3.0, 4.0, -90.0]} | {kind: [1.0, 9.0, 9.0] for kind in kinds})
    theirs = rows({LIVE: [20.0, 30.0, 40.0]} | {kind: [50.0] for kind in kinds})
    table = liveness_report._beside(ours, theirs)
    assert "of the same clips (3 live)" in table
    last = [cell.strip() for cell in table.splitlines()[-1].split("|")][2:-1]
    assert last[0] == f"{len(kinds)}"
    assert last[1].startswith("0 % ")
    assert last[3].startswith("100 % ")
