"""Private keys of the mark: made, kept, chosen and given on; what a verifier sees with and without them."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from vcfx.__main__ import main
from vcfx.errors import ControlError
from vcfx.graph.build import build_graph
from vcfx.graph.plan import PlanSpec, RenderPlan
from vcfx.marking.keys import kept_key, kept_keys, key_file, read_key, write_key
from vcfx.marking.plan_mark import MARK, PlanMark
from vcfx.marking.setting import KEY_CHANGED, PUBLIC, mark_setting, switch_mark, use_key
from vcfx.presets import NodeEntry, Preset
from vcfx.provenance import marks
from vcfx.provenance.disclosure import Disclosure, SpokenVoice, read_disclosure, read_sentence
from vcfx.provenance.marks import MarkReport, MarkScan
from vcfx.provenance.of_graph import disclosure_of
from vcfx.provenance.tags import write_tags
from vcfx_dsp.node import ProcessSpec
from vcfx_dsp.nodes.watermark import Watermark
from vcfx_dsp.watermark.detector import FALSE_FINDS, Detection, Segment
from vcfx_dsp.watermark.key import DEFAULT_KEY, WatermarkKey
from vcfx_dsp.watermark.payload import Payload
from vcfx_models.errors import ConsentError
from vcfx_models.papers import audit

MALE = Path(__file__).parent / "data" / "male.flac"
KEY = WatermarkKey(bytes(range(32)))
OTHER = WatermarkKey(bytes(range(1, 33)))
PAYLOAD = Payload(2752, 4025)


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation of its own; empty."""
    monkeypatch.setenv("VCFX_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture(scope="module")
def speech() -> tuple[np.ndarray, int]:
    sound, rate_hz = soundfile.read(MALE, dtype="float32")
    return np.ascontiguousarray(np.tile(sound, 2)[None, : 5 * rate_hz]), rate_hz


def marked(sound: np.ndarray, rate_hz: int, key: WatermarkKey) -> np.ndarray:
    node = Watermark(payload=PAYLOAD.number, key=key.secret.hex())
    node.prepare(ProcessSpec(rate_hz, sound.shape[1], 1))
    out = np.empty_like(sound)
    node.process(sound, out)
    return out


def scanned(sound: np.ndarray, rate_hz: int, *keys: WatermarkKey) -> MarkReport:
    scan = MarkScan(rate_hz, 1, keys)
    scan.add(sound)
    return scan.finish()


def plan_with_a_voice() -> RenderPlan:
    preset = Preset("p", chain=(NodeEntry("voice", "v", {"device": "cpu"}),))  # one that comes along
    return RenderPlan(build_graph(preset), PlanSpec(48_000, 1, 480, preset.hop_frames))


def test_a_key_is_kept_for_its_owner_alone_and_the_log_tells() -> None:
    assert use_key(KEY).key == KEY.fingerprint
    assert stat.S_IMODE(key_file(KEY.fingerprint).stat().st_mode) == 0o600
    assert kept_keys() == [KEY]
    assert use_key(None).key == ""
    told = [(entry.event, entry.detail) for entry in audit.entries()]
    assert told[1:] == [(KEY_CHANGED, {"key": KEY.fingerprint}), (KEY_CHANGED, {"key": PUBLIC})]
    assert KEY.secret.hex() not in str(told)
    assert kept_keys() == [KEY], "what was marked under it must stay verifiable"


def test_fingerprints_tell_keys_apart_and_are_no_key() -> None:
    fingerprints = {key.fingerprint for key in (KEY, OTHER, DEFAULT_KEY, WatermarkKey.new(), WatermarkKey.new())}
    assert len(fingerprints) == 5
    assert all(len(fingerprint) == 16 for fingerprint in fingerprints)


def test_plans_mark_under_the_key_and_show_it_to_nobody() -> None:
    use_key(KEY)
    mark = plan_with_a_voice().node(MARK)
    assert isinstance(mark, PlanMark)
    twin = Watermark(payload=float(mark.payload.number), key=KEY.secret.hex())
    twin.waits_samples = mark.waits_samples
    twin.prepare(mark.spec)
    np.testing.assert_array_equal(mark.state.memory, twin.state.memory)
    np.testing.assert_array_equal(mark.state.counters, twin.state.counters)
    assert mark.private_key == KEY.fingerprint
    assert mark.parameters["key"] == "", "parameters are shown to clients and kept in presets"
    use_key(None)
    public = plan_with_a_voice().node(MARK)
    assert isinstance(public, PlanMark)
    assert public.private_key == ""
    assert not np.array_equal(public.state.memory, twin.state.memory)


def test_files_say_which_key_marks_them() -> None:
    use_key(KEY)
    said = disclosure_of(plan_with_a_voice().graph)
    assert said.mark is not None
    assert said.mark_key == KEY.fingerprint
    assert f" under private key {KEY.fingerprint}." in said.sentence
    from_sentence = read_sentence(said.sentence)
    assert from_sentence is not None
    assert (from_sentence.mark, from_sentence.mark_key) == (said.mark, KEY.fingerprint)
    assert read_disclosure(said.to_json()) == said


def test_disclosures_without_a_key_mean_the_public_one() -> None:
    table = json.loads(Disclosure(mark=7).to_json())
    del table["mark_key"]
    before = read_disclosure(json.dumps(table))
    assert before is not None
    assert before.mark_key == ""
    for wrong in (5, None, "x" * 16, "0" * 15):
        assert read_disclosure(json.dumps(table | {"mark_key": wrong})) is None
    joined = Disclosure(mark=7, mark_key=KEY.fingerprint).joined(Disclosure(mark=8))
    assert (joined.mark, joined.mark_key) == (8, "")


def test_a_private_mark_is_found_under_its_key_alone(speech: tuple[np.ndarray, int]) -> None:
    sound, rate_hz = speech
    hidden = marked(sound, rate_hz, KEY)
    assert not scanned(hidden, rate_hz).found
    assert not scanned(hidden, rate_hz, OTHER).found
    found = scanned(hidden, rate_hz, OTHER, KEY)
    assert [(each.key, each.payload) for each in found.segments] == [(KEY.fingerprint, PAYLOAD)]
    again = scanned(marked(sound, rate_hz, DEFAULT_KEY), rate_hz, KEY, DEFAULT_KEY)
    assert [(each.key, each.payload) for each in again.segments] == [("", PAYLOAD)]


def test_two_keys_are_two_chances_of_a_false_find(monkeypatch: pytest.MonkeyPatch) -> None:
    rate_hz = 8_000
    found = Segment(0.0, 2.0, 1.0 - 0.6 * FALSE_FINDS, PAYLOAD)

    def look(held: np.ndarray, rate: int, key: WatermarkKey) -> Detection:
        return Detection(key == KEY, found.confidence if key == KEY else 0.0, PAYLOAD, (found,) if key == KEY else ())

    monkeypatch.setattr(marks, "find_marks", look)
    silence = np.zeros((1, 2 * rate_hz), np.float32)
    with_a_second = scanned(silence, rate_hz, KEY)
    assert not with_a_second.found, "0.6 of what is allowed, twice"
    assert 1.0 - with_a_second.confidence == pytest.approx(1.2 * FALSE_FINDS)


def test_a_verifier_without_the_key_is_told_plainly(
    speech: tuple[np.ndarray, int], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    sound, rate_hz = speech
    path, key_at = tmp_path / "hidden.wav", tmp_path / "given.key"
    soundfile.write(path, marked(sound, rate_hz, KEY).T, rate_hz)
    said = Disclosure((SpokenVoice("anna"),), mark=PAYLOAD.number, mark_key=KEY.fingerprint)
    write_tags(path, "WAV", said, {})
    write_key(KEY, key_at)
    assert main(["verify", "--require-mark", str(path)]) == 1
    told = capfd.readouterr().out
    assert "no mark found" in told
    assert "its metadata say that its voice is artificial, and marked under a private key\n" in told
    assert f"  mark         one under the private key {KEY.fingerprint}, it says of itself; not found" in told
    assert main(["verify", "--require-mark", "--key", str(key_at), str(path)]) == 0
    told = capfd.readouterr().out
    assert "carries the mark of vcfx" in told
    assert f", under the private key {KEY.fingerprint}\n" in told
    assert "it says of itself" not in told
    assert "beware" not in told
    use_key(KEY)
    assert main(["verify", "--json", str(path)]) == 0, "the keys that are kept here are looked under anyway"
    mark = json.loads(capfd.readouterr().out)["mark"]
    assert [each["private_key"] for each in mark["segments"]] == [KEY.fingerprint]
    assert mark["says_private_key"] is None


def test_keys_on_the_command_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["watermark", "key"]) == 0
    assert capfd.readouterr().out == "it is under the public key: everybody can find it\n"
    assert main(["watermark", "key", "new", "--json"]) == 0
    made = json.loads(capfd.readouterr().out)["key"]
    assert main(["watermark", "key", "export", str(tmp_path / "mine.key")]) == 0
    assert stat.S_IMODE((tmp_path / "mine.key").stat().st_mode) == 0o600
    assert read_key(tmp_path / "mine.key").fingerprint == made
    assert main(["watermark", "status"]) == 0
    assert f"it is under the private key {made}: nobody finds it without that key" in capfd.readouterr().out
    assert main(["watermark", "key", "public"]) == 0
    assert mark_setting().key == ""
    assert main(["watermark", "key", "use", made]) == 0
    assert mark_setting().key == made
    write_key(KEY, tmp_path / "other.key")
    assert main(["watermark", "key", "use", str(tmp_path / "other.key")]) == 0
    assert mark_setting().key == KEY.fingerprint
    assert {key.fingerprint for key in kept_keys()} == {made, KEY.fingerprint}
    capfd.readouterr()
    assert main(["watermark", "key", "show"]) == 0
    told = capfd.readouterr().out
    assert KEY.secret.hex() not in told
    assert told.count("kept here: ") == 2


def test_every_run_says_that_a_private_key_marks(capfd: pytest.CaptureFixture[str]) -> None:
    from vcfx.cli.watermark import say_if_hidden

    say_if_hidden()
    assert capfd.readouterr().err == ""
    use_key(KEY)
    say_if_hidden()
    assert f"under the private key {KEY.fingerprint}: nobody finds it without" in capfd.readouterr().err
    switch_mark(False, "test")
    say_if_hidden()
    assert "the watermark is off" in capfd.readouterr().err


BAD_FILES: dict[str, bytes | None] = {
    "missing": None,
    "empty": b"",
    "no digits": b"keep this secret\n",
    "too short": b"00112233\n",
    "too long": b"00" * 65,
    "endless": b"00" * 5_000,
    "binary": bytes(range(256)),
    "public": DEFAULT_KEY.secret.hex().encode(),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_what_is_no_private_key_is_refused(name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path, content = tmp_path / "a.key", BAD_FILES[name]
    if content is not None:
        path.write_bytes(content)
    assert main(["watermark", "key", "use", str(path)]) == 2
    assert main(["verify", "--key", str(path), str(MALE)]) == 2
    told = capfd.readouterr()
    assert told.err.count("\n") == 2
    assert told.out == ""
    assert "Traceback" not in told.err
    assert kept_keys() == []
    assert mark_setting().key == ""


def test_no_file_is_written_over_and_the_public_key_is_not_exported(tmp_path: Path) -> None:
    assert main(["watermark", "key", "export", str(tmp_path / "none.key")]) == 2
    use_key(KEY)
    (tmp_path / "taken").write_text("mine")
    assert main(["watermark", "key", "export", str(tmp_path / "taken")]) == 2
    assert (tmp_path / "taken").read_text() == "mine"
    assert main(["watermark", "key", "export", str(tmp_path / "no" / "folder")]) == 2


def test_a_file_alone_changes_nothing() -> None:
    use_key(KEY)
    use_key(None)
    write_key(OTHER, key_file(OTHER.fingerprint))
    assert mark_setting().key == ""


def forge_an_entry() -> None:
    import sqlite3

    with sqlite3.connect(audit.log_path()) as log:
        log.execute("DROP TRIGGER no_update")
        log.execute("UPDATE entries SET detail = ? WHERE number = 2", (json.dumps({"key": OTHER.fingerprint}),))


LOSSES: dict[str, Callable[[], object]] = {
    "key gone": lambda: key_file(KEY.fingerprint).unlink(),
    "key is another": lambda: key_file(KEY.fingerprint).write_text(OTHER.secret.hex()),
    "key is rubbish": lambda: key_file(KEY.fingerprint).write_bytes(b"\xff" * 40),
    "log changed": forge_an_entry,
}


@pytest.mark.parametrize("name", LOSSES)
def test_what_is_lost_or_tampered_with_means_the_public_key(name: str) -> None:
    use_key(KEY)
    LOSSES[name]()
    setting = mark_setting()
    assert (setting.on, setting.key) == (True, "")
    assert setting.problem
    mark = plan_with_a_voice().node(MARK)
    assert isinstance(mark, PlanMark)
    assert mark.private_key == ""


def test_a_damaged_key_is_not_taken_into_use() -> None:
    audit.install()
    key_file(KEY.fingerprint).write_text(OTHER.secret.hex())
    with pytest.raises(ControlError, match="another one than its name says"):
        use_key(KEY)
    assert mark_setting().key == ""
    with pytest.raises(ControlError, match="cannot be read"):
        kept_key(OTHER.fingerprint)


def test_no_key_is_taken_into_use_where_it_cannot_be_logged() -> None:
    use_key(None)
    audit.log_path().unlink()
    audit.log_path().mkdir()
    with pytest.raises(ConsentError):
        use_key(KEY)
    assert mark_setting().key == ""
    assert kept_keys() == []


def test_off_stays_off_without_the_key() -> None:
    use_key(KEY)
    switch_mark(False, "test")
    key_file(KEY.fingerprint).unlink()
    assert not mark_setting().on
