"""`vcfx verify`: the scan of long files, what a report concludes, and the command."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

from vcfx.__main__ import main
from vcfx.cli.verify import lines
from vcfx.marking.tags import installation_tag, voice_tag
from vcfx.provenance import marks
from vcfx.provenance.credentials import Credentials
from vcfx.provenance.disclosure import Disclosure, SpokenVoice
from vcfx.provenance.marks import KeyedSegment, MarkReport, MarkScan
from vcfx.provenance.names import KnownNames, known_names
from vcfx.provenance.tags import write_tags
from vcfx.provenance.verification import FileReport, verify_file
from vcfx_dsp.node import ProcessSpec
from vcfx_dsp.nodes.watermark import Watermark
from vcfx_dsp.watermark.detector import Detection, Segment
from vcfx_dsp.watermark.key import WatermarkKey
from vcfx_dsp.watermark.payload import Payload
from vcfx_models.papers.keys import own_key
from voice_models import random_voice, save_voice

MALE = Path(__file__).parent / "data" / "male.flac"
PAYLOAD = Payload(2752, 4025)
SPOKEN = Disclosure((SpokenVoice("anna"),), made_at="2026-11-22T18:00:00Z")


def marked(sound: np.ndarray, rate_hz: int, payload: Payload = PAYLOAD) -> np.ndarray:
    node = Watermark(payload=payload.number)
    node.prepare(ProcessSpec(rate_hz, sound.shape[1], sound.shape[0]))
    out = np.empty_like(sound)
    node.process(sound, out)
    return out


@pytest.fixture(scope="module")
def speech() -> tuple[np.ndarray, int]:
    sound, rate_hz = soundfile.read(MALE, dtype="float32")
    return np.ascontiguousarray(np.tile(sound, 3)[None, : 8 * rate_hz]), rate_hz


@pytest.fixture(scope="module")
def marked_file(speech: tuple[np.ndarray, int], tmp_path_factory: pytest.TempPathFactory) -> Path:
    sound, rate_hz = speech
    path = tmp_path_factory.mktemp("marked") / "marked.flac"
    soundfile.write(path, marked(sound, rate_hz).T, rate_hz)
    return path


@pytest.fixture
def plain_file(speech: tuple[np.ndarray, int], tmp_path: Path) -> Path:
    sound, rate_hz = speech
    soundfile.write(tmp_path / "plain.flac", sound.T, rate_hz)
    return tmp_path / "plain.flac"


def scanned(sound: np.ndarray, rate_hz: int, block: int = 5_000) -> MarkReport:
    scan = MarkScan(rate_hz, sound.shape[0])
    for start in range(0, sound.shape[1], block):
        scan.add(sound[:, start : start + block])
    return scan.finish()


def test_a_mark_is_found_and_read(speech: tuple[np.ndarray, int]) -> None:
    sound, rate_hz = speech
    report = scanned(marked(sound, rate_hz), rate_hz)
    assert [segment.payload for segment in report.segments] == [PAYLOAD]
    assert report.confidence > 0.9999
    assert report.seconds == pytest.approx(8.0, abs=0.01)
    assert not scanned(sound, rate_hz).found


@pytest.mark.parametrize(("seconds", "pieces"), [(0.5, 1), (60.0, 1), (68.0, 1), (69.0, 2), (200.0, 4)])
def test_every_moment_of_a_long_file_is_looked_at(monkeypatch: pytest.MonkeyPatch, seconds: float, pieces: int) -> None:
    rate_hz, looked_at = 8_000, []

    def look(held: np.ndarray, rate: int, key: WatermarkKey) -> Detection:
        assert rate == rate_hz
        looked_at.append((round(float(held[0, 0])), round(float(held[0, -1]))))
        return Detection(False, 0.0, None, ())

    monkeypatch.setattr(marks, "find_marks", look)
    frames = round(seconds * rate_hz)
    report = scanned(np.arange(frames, dtype=np.float32)[None], rate_hz)
    assert len(looked_at) == pieces
    assert looked_at[0][0] == 0
    assert looked_at[-1][1] == frames - 1
    assert all(after[0] == before[1] + 1 - 8 * rate_hz for before, after in pairwise(looked_at))
    assert report.seconds == pytest.approx(seconds)
    assert report.sound_seconds == pytest.approx(seconds, abs=max(0.1, 0.02 * seconds))
    assert not report.found


def test_finds_in_pieces_become_one_stretch_and_are_less_sure_than_one_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    other = Payload(1, 2)
    found = iter(
        [
            (Segment(50.0, 68.0, 1.0 - 1e-9, PAYLOAD),),
            (Segment(0.0, 30.0, 1.0 - 2e-9, PAYLOAD), Segment(40.0, 44.0, 1.0 - 9e-5, other)),
            (Segment(10.0, 12.0, 1.0 - 2e-5, other),),
        ]
    )

    def look(held: np.ndarray, rate: int, key: WatermarkKey) -> Detection:
        segments = next(found)
        return Detection(True, max(each.confidence for each in segments), segments[0].payload, segments)

    monkeypatch.setattr(marks, "find_marks", look)
    report = scanned(np.zeros((1, 180 * 8_000), np.float32), 8_000)
    assert [(each.start_s, each.end_s, each.payload) for each in report.segments] == [
        (50.0, 90.0, PAYLOAD),
        (130.0, 132.0, other),
    ], "in three pieces, a find must be three times as sure"
    assert 1.0 - report.confidence == pytest.approx(3e-9, rel=1e-3)


@pytest.mark.parametrize("frames", [0, 1, 100, 7_999])
def test_next_to_nothing_is_too_short_to_tell(frames: int) -> None:
    report = scanned(np.full((2, frames), 0.1, np.float32), 8_000)
    assert report.is_too_short


def test_silence_does_not_count_as_sound() -> None:
    sound = np.zeros((1, 5 * 48_000), np.float32)
    assert scanned(sound, 48_000).sound_seconds == 0.0
    sound[0, 48_000:96_000] = 0.1
    sound[0, 96_000:144_000] = 0.0005
    assert scanned(sound, 48_000).sound_seconds == pytest.approx(1.0, abs=0.03)


def report_of(segments: tuple[KeyedSegment, ...] = (), seconds: float = 14.2, **others: object) -> FileReport:
    fields: dict[str, object] = {"says": None, "says_all": False, "credentials": None} | others
    return FileReport(MarkReport(segments, 0.5, seconds, seconds), **fields)  # type: ignore[arg-type]


FOUND = (KeyedSegment(0.0, 4.5, 0.99991, PAYLOAD, 0.9), KeyedSegment(8.0, 12.4, 1.0, PAYLOAD, 0.995))
INTACT = Credentials("intact", "One vcfx installation", False, "vcfx 1", disclosure=SPOKEN)
CONCLUSIONS = [
    (report_of(FOUND), "carries the mark of vcfx: a converted voice, from 0.0 to 4.5 s, from 8.0 to 12.4 s"),
    (report_of(FOUND * 5), "from 8.0 to 12.4 s and in 2 more places"),
    (report_of(), "no mark found in 14.2 s of sound"),
    (report_of(seconds=1.5), "too short to tell (1.5 s of sound)"),
    (report_of(says=SPOKEN), "sound, but its metadata say that its voice is artificial"),
    (report_of(says=Disclosure(alterations=("pitch",))), "no mark found in 14.2 s of sound"),
    (report_of(credentials=INTACT), "sound, but its content credentials say that its voice is artificial"),
    (report_of(credentials=Credentials("broken", disclosure=SPOKEN)), "no mark found in 14.2 s of sound"),
    (report_of(says=SPOKEN, credentials=INTACT), "metadata say and its content credentials say that its voice"),
]


@pytest.mark.parametrize(("report", "sentence"), CONCLUSIONS)
def test_conclusions_are_plain(report: FileReport, sentence: str) -> None:
    assert sentence in report.conclusion
    if sentence.startswith(("no", "too", "carries")):
        assert report.conclusion == sentence
    assert report.as_json(KnownNames())["conclusion"] == report.conclusion


def test_people_see_what_it_rests_on() -> None:
    names = KnownNames({PAYLOAD.installation: ["this installation"]}, {PAYLOAD.voice: ["anna", "bert"]})
    told = lines("-", report_of(FOUND, says=SPOKEN, credentials=INTACT), names)
    assert told[0].startswith("standard input: carries the mark of vcfx")
    assert told[1] == (
        "  mark         0.0-4.5 s, confidence above 0.9999: "
        "probably installation 2752 (this installation), voice 4025 (anna or bert)"
    )
    assert "above 0.9999: installation 2752" in told[2], "there the payload is sure"
    assert told[3].startswith("  metadata     Artificial voice 'anna', made with vcfx")
    assert told[3].endswith("(only this sentence is left of them)")
    assert told[4].startswith(
        "  credentials  intact, signed by 'One vcfx installation'; nobody vouches for that signer"
    )
    other = replace(SPOKEN, mark=PAYLOAD.number + 1)
    assert lines("x", report_of(FOUND, says=other), names)[-1].startswith(
        "  beware       the metadata name another mark"
    )
    assert report_of(FOUND, says=replace(SPOKEN, mark=PAYLOAD.number)).contradiction == ""
    assert report_of(says=other).contradiction == ""
    nameless = lines("x", report_of((KeyedSegment(0.0, 1.0, 0.99995, Payload(0, 0)),)), names)
    assert nameless[1].endswith("installation 0 (not named), voice 0 (not named)")


def test_tags_are_resolved_to_what_is_known_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VCFX_DATA_DIR", str(tmp_path))
    assert known_names().installations == {}
    save_voice(random_voice("mine"), tmp_path / "voices" / "mine.vcfxvoice")
    (tmp_path / "voices" / "damaged.vcfxvoice").write_bytes(b"x")
    from vcfx_models.voice_library import peek_voice

    names, key, papers = known_names(), own_key(), peek_voice("mine").papers
    assert key is not None
    assert papers is not None
    assert names.installation(installation_tag(key.public)) == "this installation"
    assert "mine" in names.voice(voice_tag(papers.voice_id))


def test_a_marked_file_is_told_from_a_plain_one(
    marked_file: Path, plain_file: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(marked_file), str(plain_file)]) == 0
    told = capfd.readouterr()
    assert f"{marked_file}: carries the mark of vcfx: a converted voice, from 0.0 to 8.0 s\n" in told.out
    assert f"{plain_file}: no mark found in " in told.out
    assert told.err == ""
    assert main(["verify", "--require-mark", str(marked_file)]) == 0
    assert main(["verify", "--require-mark", str(marked_file), str(plain_file)]) == 1


def test_json_tells_the_same(marked_file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "--json", str(marked_file)]) == 0
    found = json.loads(capfd.readouterr().out)
    assert found["file"] == str(marked_file)
    assert found["error"] is None
    assert found["mark"]["found"]
    assert [(each["installation"], each["voice"]) for each in found["mark"]["segments"]] == [(2752, 4025)]
    assert found["metadata"] is None
    assert found["credentials"] is None


def test_folders_are_searched_and_what_cannot_be_read_does_not_stop_it(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a" / "deep").mkdir(parents=True)
    (tmp_path / "empty").mkdir()
    soundfile.write(tmp_path / "a" / "deep" / "short.wav", np.zeros(4_000), 8_000)
    (tmp_path / "a" / "bad.wav").write_bytes(b"RIFF")
    (tmp_path / "a" / "text.txt").write_text("not asked for")
    asked = [str(tmp_path / name) for name in ("a", "empty", "missing.wav")]
    assert main(["verify", "--require-mark", *asked]) == 2
    told = capfd.readouterr()
    assert told.out == f"{tmp_path}/a/deep/short.wav: too short to tell (0.0 s of sound)\n"
    errors = told.err.splitlines()
    assert len(errors) == 3
    assert errors[0].startswith(f"vcfx: {tmp_path}/a/bad.wav ")
    assert errors[1] == f"vcfx: {tmp_path}/empty holds no sound files"
    assert "missing.wav" in errors[2]
    assert main(["verify", "--json", str(tmp_path / "a")]) == 2
    rows = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [row["error"] is None for row in rows] == [False, True]


def test_standard_input_is_read(tmp_path: Path) -> None:
    content = io.BytesIO()
    soundfile.write(content, np.zeros(4_000), 8_000, format="WAV")
    path = tmp_path / "said.wav"
    path.write_bytes(content.getvalue())
    write_tags(path, "WAV", SPOKEN, {})
    argv = [sys.executable, "-m", "vcfx", "verify", "-"]
    done = subprocess.run(argv, input=path.read_bytes(), capture_output=True, timeout=120, check=False)
    assert done.returncode == 0
    first, second = done.stdout.decode().splitlines()
    assert first.startswith("standard input: too short to tell (0.0 s of sound), but its metadata say")
    assert second.startswith("  metadata     Artificial voice 'anna'")


@pytest.mark.parametrize("arguments", [["-", "-"], [""]])
def test_bad_arguments_end_with_2(arguments: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", *arguments]) == 2
    told = capfd.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1


def test_what_is_not_a_number_is_no_obstacle(tmp_path: Path) -> None:
    sound = np.full(4_000, 0.1, np.float32)
    sound[::7], sound[1::7] = np.nan, np.inf
    soundfile.write(tmp_path / "odd.wav", sound, 8_000, subtype="FLOAT")
    steps: list[float] = []
    report = verify_file(tmp_path / "odd.wav", lambda done, in_all: steps.append(done))
    assert report.mark.is_too_short
    assert steps == [0.5]


def test_decoders_do_not_chat_on_the_terminal(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "damaged.mp3"
    rng = np.random.default_rng(4)
    soundfile.write(path, 0.3 * rng.standard_normal(20_000), 8_000, format="MP3")
    content = bytearray(path.read_bytes())
    for at in rng.integers(len(content) // 4, len(content), 60):
        content[at] ^= 0xFF
    path.write_bytes(content)
    with soundfile.SoundFile(path) as file:
        file.read()
    assert "mpg123" in capfd.readouterr().err, "without care it does"
    main(["verify", str(path)])
    assert "mpg123" not in capfd.readouterr().err
    print("still there", file=sys.stderr)
    assert capfd.readouterr().err == "still there\n"
