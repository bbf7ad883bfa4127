"""The weights and voices that come with vcfx: complete papers, distinct voices, and a conversion that is one."""

from __future__ import annotations

from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import soundfile

from vcfx.hosts.neural_voice import NeuralVoice
from vcfx_dsp.f0_tracker import F0Tracker
from vcfx_dsp.node import ProcessSpec
from vcfx_dsp.resampler import resample_signal
from vcfx_models.converter import VoiceConverter
from vcfx_models.geometry import HOP_SAMPLES, SAMPLE_RATE
from vcfx_models.load_networks import load_networks
from vcfx_models.network_files import PARTS, read_networks, weights_folder
from vcfx_models.networks_protocol import Networks, Singles
from vcfx_models.reference import Clip, melody_of, voice_from_clips
from vcfx_models.speaker_encoder import FILE_NAME, SpeakerEncoder
from vcfx_models.speech_level import levelled
from vcfx_models.voice_file import Voice
from vcfx_models.voice_library import VOICES_FOLDER
from vcfx_models.voice_on_disk import load_voice

ROOT = Path(__file__).parents[1]
CLIPS = {"female": ROOT / "vcfx" / "data" / "clip.flac", "male": ROOT / "tests" / "data" / "male.flac"}
MAX_WEIGHTS_BYTES = 20_000_000
#: Converted in the tests below: two of each sex, from low to high.
CHOSEN = ("elm", "alder", "birch", "linden")
LIVE_RATE_HZ, LIVE_HOP = 48_000, 480


@cache
def shipped() -> dict[str, Voice]:
    return {path.stem: load_voice(path) for path in sorted(VOICES_FOLDER.glob("*.vcfxvoice"))}


@cache
def speech(sex: str) -> Singles:
    sound, rate_hz = soundfile.read(CLIPS[sex], dtype="float32")
    assert rate_hz == SAMPLE_RATE
    return np.ascontiguousarray(sound)


@cache
def networks() -> Networks:
    return load_networks("", "cpu")


@cache
def listener() -> SpeakerEncoder:
    return SpeakerEncoder()


@cache
def converted(name: str, sex: str) -> Singles:
    """A clip, spoken twice in a row and converted; the second time, when the speaker's range is known."""
    sound = speech(sex)
    spoken = VoiceConverter(networks(), shipped()[name]).convert_signal(np.tile(sound, 2))
    return np.ascontiguousarray(spoken[sound.size :])


def level_db(sound: Singles) -> float:
    return float(10.0 * np.log10(np.mean(np.square(sound, dtype=np.float64))))


def test_the_weights_say_what_they_are() -> None:
    files = read_networks(weights_folder())  # checks geometry, checksums, and that all are of one training
    assert set(files) == set(PARTS)
    for part, file in files.items():
        assert file.metadata["licence"] == "GPL-3.0-or-later", part
        assert len(file.metadata["checkpoint_sha256"]) == len(file.metadata["config_sha256"]) == 64
        assert int(file.metadata["training_step"]) > 0
    session = onnxruntime.InferenceSession(weights_folder() / FILE_NAME, providers=["CPUExecutionProvider"])
    papers = session.get_modelmeta().custom_metadata_map
    assert papers["licence"] == "GPL-3.0-or-later"
    assert len(papers["checkpoint_sha256"]) == 64


def test_the_weights_are_small() -> None:
    assert sum(path.stat().st_size for path in weights_folder().iterdir()) < MAX_WEIGHTS_BYTES


def test_every_voice_has_papers() -> None:
    assert len(shipped()) == 12
    for name, voice in shipped().items():
        assert voice.name == name
        assert voice.metadata["gender"] in ("female", "male"), name
        assert all(voice.metadata[key] for key in ("source", "licence", "made_from")), name
        assert float(voice.metadata["seconds"]) >= 3.0, name
    sexes = [voice.metadata["gender"] for voice in shipped().values()]
    assert min(sexes.count("female"), sexes.count("male")) >= 4
    medians_hz = {
        sex: np.mean([v.median_hz for v in shipped().values() if v.metadata["gender"] == sex]) for sex in CLIPS
    }
    assert medians_hz["female"] > 1.3 * medians_hz["male"]


def test_no_two_voices_are_alike() -> None:
    for one, other in combinations(shipped(), 2):
        alike = float(shipped()[one].embedding @ shipped()[other].embedding)
        assert alike < 0.93, f"{one} and {other}"


@pytest.mark.parametrize("sex", CLIPS)
@pytest.mark.parametrize("name", CHOSEN)
def test_the_level_stays_and_the_pitch_is_the_voices(name: str, sex: str) -> None:
    spoken, voice = converted(name, sex), shipped()[name]
    assert np.isfinite(spoken).all()
    assert abs(level_db(spoken) - level_db(speech(sex))) < 6.0
    assert melody_of([spoken], name).median_hz == pytest.approx(voice.median_hz, rel=0.08)


@pytest.mark.parametrize("name", CHOSEN)
def test_whoever_speaks_is_taken_for_the_voice(name: str) -> None:
    """By our own speaker network, which the training used as well: a check of the parts, not of the quality."""
    others = [voice.embedding for other, voice in shipped().items() if other != name]
    for sex in CLIPS:
        heard = listener().embed(levelled(converted(name, sex)))
        alike = float(heard @ shipped()[name].embedding)
        assert alike > 0.75
        assert alike > max(float(heard @ other) for other in others)


def test_voices_differ() -> None:
    for one, other in combinations(CHOSEN, 2):
        difference = converted(one, "female") - converted(other, "female")
        assert level_db(difference) > level_db(converted(one, "female")) - 6.0


@pytest.mark.parametrize("sex", CLIPS)
def test_a_recording_becomes_a_voice(sex: str) -> None:
    sound = speech(sex)
    halves = [listener().embed(levelled(half)) for half in np.array_split(sound, 2)]
    at_44100 = resample_signal(sound[None], SAMPLE_RATE, 44_100)
    voice = voice_from_clips([Clip(at_44100, 44_100)], sex, listener())
    assert float(halves[0] @ halves[1]) > 0.5
    assert min(float(voice.embedding @ half) for half in halves) > 0.5
    stranger = listener().embed(levelled(speech({"male": "female", "female": "male"}[sex])))
    assert float(voice.embedding @ stranger) < min(float(voice.embedding @ half) for half in halves)
    tracked = F0Tracker(SAMPLE_RATE, 55.0, 600.0, lookahead_hops=1).track(sound).f0_hz
    assert voice.median_hz == pytest.approx(np.median(tracked[tracked > 0.0]), rel=0.05)


def test_silence_stays_silence() -> None:
    converter = VoiceConverter(networks(), shipped()["elm"])
    assert not converter.convert_signal(np.zeros(SAMPLE_RATE, np.float32)).any()


def test_hop_by_hop_is_the_same_as_all_at_once() -> None:
    sound = speech("male")[: 200 * HOP_SAMPLES]
    converter = VoiceConverter(networks(), shipped()["birch"])
    whole = converter.convert_hops(sound)
    converter.reset()
    streamed = np.concatenate([converter.convert_hop(hop) for hop in sound.reshape(-1, HOP_SAMPLES)])
    assert np.abs(whole).max() > 0.05
    np.testing.assert_allclose(streamed, whole, rtol=0.0, atol=1e-4)


def live(sound: Singles, change_at_hop: int, **changes: object) -> Singles:
    """What the node says in hops of 10 ms, changed on the way."""
    node = NeuralVoice(voice=str(VOICES_FOLDER / "elm.vcfxvoice"), device="cpu")
    node.prepare(ProcessSpec(LIVE_RATE_HZ, LIVE_HOP, 1))
    hops = sound.reshape(-1, 1, LIVE_HOP)
    spoken = np.zeros_like(hops)
    for index in range(len(hops)):
        if index == change_at_hop and changes:
            node.update(**changes)
        node.process(hops[index], spoken[index])
    return spoken.reshape(-1)


def test_a_change_while_sound_runs_does_not_click() -> None:
    """A click bends the waveform more sharply than either voice does anywhere."""
    time_s = np.arange(LIVE_RATE_HZ) / LIVE_RATE_HZ
    vowel = np.sum([np.sin(2 * np.pi * 140 * k * time_s) / k for k in range(1, 12)], axis=0)
    sound, at = (0.1 * vowel).astype(np.float32), LIVE_RATE_HZ // 2
    before = live(sound, 0)
    changes: tuple[dict[str, object], ...] = (
        {"voice": str(VOICES_FOLDER / "birch.vcfxvoice")},
        {"pitch_semitones": 7.0},
        {"formant_semitones": -4.0},
        {"similarity": 0.0},
    )
    for change in changes:
        spoken = live(sound, at // LIVE_HOP, **change)
        np.testing.assert_array_equal(spoken[:at], before[:at])
        assert not np.array_equal(spoken[at : at + LIVE_HOP], before[at : at + LIVE_HOP]), change
        bend = np.abs(np.diff(spoken, 2))
        steady = max(bend[at // 2 : at - LIVE_HOP].max(), bend[at + 3 * LIVE_HOP :].max())
        assert bend[at - LIVE_HOP : at + 3 * LIVE_HOP].max() < 1.5 * steady, change
