"""Ed25519 keys: the installation's own, which signs what is enrolled here, and public ones that others sign with."""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vcfx_models.data_folder import data_folder
from vcfx_models.errors import ConsentError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

PUBLIC_BYTES, SIGNATURE_BYTES = 32, 64
FILE_NAME: Final = "installation.key"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """32 bytes that signatures are checked with."""

    raw: bytes

    def __post_init__(self) -> None:
        if len(self.raw) != PUBLIC_BYTES:
            raise ConsentError(f"a public key has {len(self.raw)} bytes; allowed: {PUBLIC_BYTES}")

    @property
    def fingerprint(self) -> str:
        """What people compare: 16 hexadecimal digits of its SHA-256."""
        return hashlib.sha256(self.raw).hexdigest()[:16]

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Whether the owner of the key signed that message."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


class SigningKey:
    """A private key; `SigningKey.new()` makes one."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private

    @classmethod
    def new(cls) -> SigningKey:
        """Return a key that nobody has had before."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def from_bytes(cls, raw: bytes) -> SigningKey:
        """Return the key of 32 secret bytes."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return cls(Ed25519PrivateKey.from_private_bytes(raw))

    @property
    def secret(self) -> bytes:
        """Its 32 secret bytes."""
        return self._private.private_bytes_raw()

    @property
    def public(self) -> PublicKey:
        """The half that may be shown."""
        return PublicKey(self._private.public_key().public_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        """Return 64 bytes that only this key can make."""
        return self._private.sign(message)


def key_path() -> Path:
    """Return where the installation's key is kept."""
    return data_folder() / "papers" / FILE_NAME


def own_key() -> SigningKey | None:
    """Return the installation's key; None if there is none yet.

    Raises
    ------
    ConsentError
        If its file is damaged or cannot be read.
    """
    path = key_path()
    try:
        if not path.exists():
            return None
        raw = path.read_bytes()
    except OSError as error:
        raise ConsentError(f"{path}: the installation's key cannot be read: {error.strerror or error}") from None
    if len(raw) != PUBLIC_BYTES:
        raise ConsentError(f"{path}: the installation's key has {len(raw)} bytes; needed: {PUBLIC_BYTES}")
    return SigningKey.from_bytes(raw)


def create_own_key() -> SigningKey:
    """Return the installation's key, made and kept for this user alone if there is none; safe among processes.

    Raises
    ------
    ConsentError
        If it cannot be written.
    """
    found = own_key()
    if found is not None:
        return found
    path, key = key_path(), SigningKey.new()
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".key.")  # mkstemp: for this user alone
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(key.secret)
                file.flush()
                os.fsync(file.fileno())
            _place_first(temporary, path)
        finally:
            Path(temporary).unlink(missing_ok=True)
    except OSError as error:
        raise ConsentError(f"{path}: the installation's key cannot be written: {error.strerror or error}") from None
    made = own_key()
    assert made is not None
    return made


def _place_first(temporary: str, path: Path) -> None:
    """Give a finished file its name unless another process was first; a link cannot replace what is there."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        return
    except OSError:  # a file system without links
        if not path.exists():
            os.rename(temporary, path)
