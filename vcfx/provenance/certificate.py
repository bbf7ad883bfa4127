"""The certificate that this installation signs content credentials with.

C2PA wants a certificate that another one has issued, for signing documents or mail. So an authority is made on the
spot, issues one certificate and is forgotten: its private key is never kept. No validator has it on its list, so all of
them say of such credentials: intact, but signed by somebody unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vcfx_models.errors import ConsentError
from vcfx_models.papers.folder import make_papers_folder, papers_folder
from vcfx_models.regular_file import read_regular_file
from vcfx_models.whole_file import replace_file

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

LIFETIME: Final = timedelta(days=3_650)
#: A certificate is replaced before it ends, so that no credential is signed with one that has ended.
RENEWED_BEFORE: Final = timedelta(days=30)
_BACKDATED: Final = timedelta(days=1)
_CERTIFICATE: Final = b"-----BEGIN CERTIFICATE-----"
_MAX_BYTES: Final = 64_000


@dataclass(frozen=True, slots=True)
class SigningCertificate:
    """A private key and its certificates, the signing one first; both PEM. `serial` is the signing one's number."""

    key_pem: bytes
    chain_pem: bytes
    serial: int


def certificate_path() -> Path:
    """Return where key and certificates are kept, in one file."""
    return papers_folder() / "credentials.pem"


def own_certificate() -> SigningCertificate | None:
    """Return this installation's certificate; None if there is none yet, or it is about to end.

    Raises
    ------
    ConsentError
        If its file is damaged or cannot be read.
    """
    path = certificate_path()
    try:
        found = _read(read_regular_file(path, _MAX_BYTES))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ConsentError(f"{path}: cannot be read: {error.strerror or error}") from None
    except ValueError:
        raise ConsentError(
            f"{path}: the certificate for content credentials is damaged; remove it to get a new one"
        ) from None
    return found


def create_own_certificate() -> SigningCertificate:
    """Return this installation's certificate, made and kept for this user alone if there is none.

    Raises
    ------
    ConsentError
        If it cannot be written.
    """
    found = own_certificate()
    if found is not None:
        return found
    path, content = certificate_path(), _made(datetime.now(UTC))
    try:
        make_papers_folder()
        replace_file(path, content, mode=0o600)
    except OSError as error:
        raise ConsentError(f"{path}: the certificate cannot be written: {error.strerror or error}") from None
    return _read_now(content)


def _read(content: bytes) -> SigningCertificate | None:
    """Undo `_made`; None if the certificate has (nearly) ended; ValueError if it is none."""
    from cryptography import x509

    certificate = x509.load_pem_x509_certificate(_chain(content))
    ends = certificate.not_valid_after_utc
    return None if datetime.now(UTC) > ends - RENEWED_BEFORE else _read_now(content)


def _read_now(content: bytes) -> SigningCertificate:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key_pem, chain_pem = content[: content.index(_CERTIFICATE)], _chain(content)
    load_pem_private_key(key_pem, None)
    return SigningCertificate(key_pem, chain_pem, x509.load_pem_x509_certificate(chain_pem).serial_number)


def _chain(content: bytes) -> bytes:
    return content[content.index(_CERTIFICATE) :]


def _made(now: datetime) -> bytes:
    """Return a new private key, its certificate and the certificate of the authority, PEM one after the other."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = _certificate("Authority of one vcfx installation", authority_key, authority_key, now, is_authority=True)
    signing = _certificate("One vcfx installation", key, authority_key, now, is_authority=False)
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return private + signing.public_bytes(pem) + authority.public_bytes(pem)


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    authority_key: ec.EllipticCurvePrivateKey,
    now: datetime,
    is_authority: bool,
) -> x509.Certificate:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    def named(text: str) -> x509.Name:
        organisation = x509.NameAttribute(NameOID.ORGANIZATION_NAME, "vcfx (self-signed)")
        return x509.Name([organisation, x509.NameAttribute(NameOID.COMMON_NAME, text)])

    builder = (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named("Authority of one vcfx installation"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=0 if is_authority else None), critical=True)
        .add_extension(_usage(is_authority), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
    )
    if not is_authority:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
    return builder.sign(authority_key, hashes.SHA256())


def _usage(is_authority: bool) -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )
