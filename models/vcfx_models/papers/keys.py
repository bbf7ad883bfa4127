"""Ed25519 keys: the installation's own, which signs what is enrolled here, and public ones that others sign with."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vcfx_models.errors import ConsentError
from vcfx_models.regular_file import read_regular_file
from vcfx_models.whole_file import replace_file

from .folder import papers_folder

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
    return papers_folder() / FILE_NAME


def own_key() -> SigningKey | None:
    """Return the installation's key; None if there is none yet.

    Raises
    ------
    ConsentError
        If its file is damaged or cannot be read.
    """
    path = key_path()
    try:
        raw = read_regular_file(path, PUBLIC_BYTES)
    except (FileNotFoundError, NotADirectoryError):
        if os.path.lexists(path):
            raise ConsentError(f"{path}: the installation's key is no file") from None
        return None
    except OSError as error:
        raise ConsentError(f"{path}: the installation's key cannot be read: {error.strerror or error}") from None
    if len(raw) != PUBLIC_BYTES:
        raise ConsentError(f"{path}: the installation's key does not have the {PUBLIC_BYTES} bytes that it needs")
    return SigningKey.from_bytes(raw)


def create_own_key() -> SigningKey:
    """Return the installation's key; if there is none, begin the audit log and make one. Safe among processes.

    Raises
    ------
    ConsentError
        If it cannot be written, or the log tells of a key that is missing.
    """
    from . import audit  # which knows the key that it signs with

    return audit.install()


def place_key(key: SigningKey) -> None:
    """Keep the installation's key, for this user alone; `audit.install` alone may, which sees that there is none.

    Raises
    ------
    ConsentError
        If it cannot be written.
    """
    path = key_path()
    try:
        replace_file(path, key.secret, mode=0o600)
    except OSError as error:
        raise ConsentError(f"{path}: the installation's key cannot be written: {error.strerror or error}") from None
