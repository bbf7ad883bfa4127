"""Content credentials: the certificate, signing and reading, and what is said where the package is missing."""

from __future__ import annotations

import json
import os
import stat
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import c2pa
import numpy as np
import pytest
import soundfile
from cryptography import x509

from vcfx.__main__ import main
from vcfx.errors import AudioFileError, VcfxError
from vcfx.files.conversion import ConvertOptions, convert_file
from vcfx.offline import renderer_factory
from vcfx.presets import NodeEntry, Preset
from vcfx.provenance import certificate, credentials
from vcfx.provenance.certificate import certificate_path, create_own_certificate, own_certificate
from vcfx.provenance.credentials import INSTALL, read_credentials, sign_file
from vcfx.provenance.disclosure import ALTERED, ARTIFICIAL, Disclosure, SpokenVoice
from vcfx.provenance.tags import read_tags, write_tags
from vcfx_models.errors import ConsentError

SPOKEN = Disclosure((SpokenVoice("anna", "0" * 16, "1" * 16, "2" * 16),), ("pitch",), 7, "2026-11-22T18:00:00Z")
PITCH = Preset("p", chain=(NodeEntry("pitch", "pitch", {"shift_semitones": 4.0}),))
CONTAINERS = {"wav": "WAV", "flac": "FLAC", "mp3": "MP3"}


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VCFX_DATA_DIR", str(tmp_path / "data"))


def made(folder: Path, ending: str) -> Path:
    path = folder / f"made.{ending}"
    sound = 0.1 * np.random.default_rng(3).standard_normal(24_000)
    soundfile.write(path, sound, 48_000, format=CONTAINERS[ending])
    return path


def signed(folder: Path, ending: str) -> Path:
    path = made(folder, ending)
    write_tags(path, CONTAINERS[ending], SPOKEN, {})
    sign_file(path, folder / f"signed.{ending}", CONTAINERS[ending], SPOKEN)
    return folder / f"signed.{ending}"


@pytest.mark.parametrize("ending", CONTAINERS)
def test_what_is_signed_reads_back(tmp_path: Path, ending: str) -> None:
    path = signed(tmp_path, ending)
    found = read_credentials(path)
    assert found is not None
    assert (found.state, found.own, found.problem) == ("intact", True, "")
    assert found.signer == "One vcfx installation"
    assert found.tool == SPOKEN.tool
    assert found.source_types == (ARTIFICIAL, ALTERED)
    assert found.disclosure == SPOKEN
    np.testing.assert_array_equal(soundfile.read(path)[0], soundfile.read(tmp_path / f"made.{ending}")[0])
    assert read_tags(path) == (SPOKEN, True), "the metadata are still there"
    assert read_tags(path.rename(tmp_path / "without ending")) == (SPOKEN, True)


@pytest.mark.parametrize("ending", CONTAINERS)
def test_changed_sound_breaks_them(tmp_path: Path, ending: str) -> None:
    path = signed(tmp_path, ending)
    content = bytearray(path.read_bytes())
    content[len(content) // 2 if ending == "wav" else -2_000] ^= 1
    path.write_bytes(content)
    found = read_credentials(path)
    assert found is not None
    assert (found.state, found.own) == ("broken", False)
    assert "mismatch" in found.problem


def test_another_installation_does_not_take_them_for_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = signed(tmp_path, "wav")
    for there_is_a_certificate in (False, True):
        monkeypatch.setenv("VCFX_DATA_DIR", str(tmp_path / "other"))
        if there_is_a_certificate:
            create_own_certificate()
        found = read_credentials(path)
        assert found is not None
        assert (found.state, found.own) == ("intact", False)


def test_the_certificate_is_made_once_and_for_this_user_alone(tmp_path: Path) -> None:
    first = create_own_certificate()
    assert create_own_certificate() == own_certificate() == first
    assert stat.S_IMODE(certificate_path().stat().st_mode) == 0o600
    assert sorted(path.name for path in certificate_path().parent.iterdir()) == ["credentials.pem"]
    signing, authority = x509.load_pem_x509_certificates(first.chain_pem)
    signing.verify_directly_issued_by(authority)
    assert signing.issuer != signing.subject
    assert not signing.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert first.chain_pem.count(b"PRIVATE") == 0
    assert certificate_path().read_bytes().count(b"BEGIN PRIVATE KEY") == 1, "the authority's is forgotten"


def test_a_certificate_that_ends_is_replaced() -> None:
    certificate_path().parent.mkdir(parents=True)
    old = datetime.now(UTC) - certificate.LIFETIME + timedelta(days=20)
    certificate_path().write_bytes(certificate._made(old))
    assert own_certificate() is None
    assert create_own_certificate() == own_certificate()


@pytest.mark.parametrize("content", [b"", b"-----BEGIN CERTIFICATE-----", b"\xff" * 5_000])
def test_a_damaged_certificate_is_named(content: bytes) -> None:
    certificate_path().parent.mkdir(parents=True)
    certificate_path().write_bytes(content)
    with pytest.raises(ConsentError, match=r"credentials\.pem: the certificate for content credentials is damaged"):
        create_own_certificate()


def test_convert_signs_what_it_says(tmp_path: Path) -> None:
    out = tmp_path / "out.wav"
    convert_file(made(tmp_path, "wav"), out, renderer_factory(PITCH), ConvertOptions(credentials=True))
    found, said = read_credentials(out), read_tags(out)[0]
    assert found is not None
    assert found.disclosure == said
    assert found.source_types == (ALTERED,)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "made.wav", "out.wav"]


def test_what_cannot_be_signed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match=r"out\.aiff: content credentials cannot be put into AIFF; allowed"):
        convert_file(
            made(tmp_path, "wav"), tmp_path / "out.aiff", renderer_factory(PITCH), ConvertOptions(credentials=True)
        )
    assert not (tmp_path / "out.aiff").exists()


def test_with_nothing_to_say_nothing_is_signed(tmp_path: Path) -> None:
    gain = Preset("p", chain=(NodeEntry("gain", "gain"),))
    options = ConvertOptions(credentials=True)
    result = convert_file(made(tmp_path, "wav"), tmp_path / "out.wav", renderer_factory(gain), options)
    assert result.note == "no voice was converted, so there is nothing to sign"
    assert read_credentials(tmp_path / "out.wav") is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_in_place_of_the_certificate_is_not_waited_for() -> None:
    certificate_path().parent.mkdir(parents=True)
    os.mkfifo(certificate_path())
    with pytest.raises(ConsentError, match=r"credentials\.pem: cannot be read: it is no regular file"):
        create_own_certificate()


def test_a_certificate_that_cannot_be_kept_leaves_no_file(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    with pytest.raises(VcfxError, match=r"the certificate cannot be (written|read)|credentials.pem: cannot be read"):
        convert_file(
            made(tmp_path, "wav"), tmp_path / "out.wav", renderer_factory(PITCH), ConvertOptions(credentials=True)
        )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "made.wav"]


def test_without_the_package_it_is_said_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    files = [signed(tmp_path, ending) for ending in CONTAINERS]
    plain = made(tmp_path, "wav")
    monkeypatch.setattr(credentials, "_package", lambda: None)
    assert main(["convert", str(plain), "-o", str(tmp_path / "out.wav"), "-p", "deep", "--credentials"]) == 2
    assert capfd.readouterr().err == f"vcfx: {INSTALL}\n"
    for file in files:
        found = read_credentials(file)
        assert found is not None
        assert (found.state, found.problem) == ("unread", INSTALL)
    assert read_credentials(plain) is None


def test_files_of_other_kinds_have_none(tmp_path: Path) -> None:
    for content in (b"", b"RIFF", b"ID3", b"jumb" * 100, b"jumb c2pa" * 100):
        path = tmp_path / "x.bin"
        path.write_bytes(content)
        found = read_credentials(path)
        assert found is None or found.state == "unread"


def test_nothing_is_fetched_because_a_file_says_so(tmp_path: Path) -> None:
    asked: list[str] = []

    class Witness(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Witness) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        path = tmp_path / "remote.wav"
        own = create_own_certificate()
        info = c2pa.C2paSignerInfo(c2pa.C2paSigningAlg.ES256, own.chain_pem, own.key_pem, None)
        manifest = json.dumps(credentials._manifest(SPOKEN))
        with c2pa.Signer.from_info(info) as signer, c2pa.Builder(manifest) as builder:
            builder.set_no_embed()
            builder.set_remote_url(f"http://127.0.0.1:{server.server_port}/manifest.c2pa")
            with made(tmp_path, "wav").open("rb") as source, path.open("w+b") as target:
                builder.sign(signer, "audio/wav", source, target)
        assert b"manifest.c2pa" in path.read_bytes()
        read_credentials(path)
        assert asked == []
        with pytest.raises(c2pa.C2paError), path.open("rb") as file:
            c2pa.Reader("audio/wav", file)
        assert asked, "without care the package asks"
        server.shutdown()
