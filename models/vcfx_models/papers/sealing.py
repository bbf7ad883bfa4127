"""A bundle locked with a passphrase: scrypt (RFC 7914) for the key, ChaCha20-Poly1305 (RFC 8439) for the content.

Layout: ``VCFXSEAL``, a version byte, the scrypt cost as a power of two, 16 bytes of salt, 12 of nonce, the ciphertext.
"""

from __future__ import annotations

import secrets
import unicodedata
from typing import Final

from vcfx_models.errors import VoiceError

from .bundle import MAX_BYTES

MAGIC: Final = b"VCFXSEAL"
VERSION: Final = 1
#: 2**15 rounds of 1 kB blocks: 32 MB and about 0.1 s a try. More than the limit, 128 MB, is refused: a file must not
#: make us take all memory.
COST, HIGHEST_COST = 15, 17
LEAST_PASSPHRASE: Final = 8
_SALT, _NONCE = 16, 12
_HEAD: Final = len(MAGIC) + 2 + _SALT + _NONCE
_TAG: Final = 16


def is_sealed(content: bytes) -> bool:
    """Whether a file's content is locked."""
    return content.startswith(MAGIC)


def seal(bundle: bytes, passphrase: str) -> bytes:
    """Return the bundle locked.

    Raises
    ------
    VoiceError
        If the passphrase has fewer than 8 characters.
    """
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    if len(passphrase) < LEAST_PASSPHRASE:
        raise VoiceError(f"the passphrase has {len(passphrase)} characters; needed: {LEAST_PASSPHRASE} or more")
    salt, nonce = secrets.token_bytes(_SALT), secrets.token_bytes(_NONCE)
    head = MAGIC + bytes([VERSION, COST]) + salt + nonce
    return head + ChaCha20Poly1305(_key(passphrase, salt, COST)).encrypt(nonce, bundle, head)


def unseal(content: bytes, passphrase: str, file: str) -> bytes:
    """Return the bundle in a locked file.

    Raises
    ------
    VoiceError
        If the passphrase is wrong, or the file is damaged.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    if not is_sealed(content) or len(content) < _HEAD:
        raise VoiceError(f"{file}: is no locked voice, or is cut off")
    if len(content) > _HEAD + MAX_BYTES + _TAG:
        raise VoiceError(f"{file}: is larger than {MAX_BYTES // 1000} kB, which no voice is")
    version, cost = content[len(MAGIC)], content[len(MAGIC) + 1]
    if version != VERSION or not 10 <= cost <= HIGHEST_COST:
        raise VoiceError(
            f"{file}: is locked in the way {version}/{cost}; this vcfx opens {VERSION}/10 to {HIGHEST_COST}"
        )
    head = content[:_HEAD]
    salt, nonce = head[-_SALT - _NONCE : -_NONCE], head[-_NONCE:]
    try:
        return ChaCha20Poly1305(_key(passphrase, salt, cost)).decrypt(nonce, content[_HEAD:], head)
    except InvalidTag:
        raise VoiceError(f"{file}: the passphrase is wrong, or the file is damaged") from None


def _key(passphrase: str, salt: bytes, cost: int) -> bytes:
    """Derive the key; a letter that two systems type in two ways, as one code or as two, gives the same."""
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    secret = unicodedata.normalize("NFC", passphrase).encode("utf-8", "surrogatepass")
    try:
        return Scrypt(salt=salt, length=32, n=1 << cost, r=8, p=1).derive(secret)
    except MemoryError:
        raise VoiceError(f"a locked voice needs {1 << (cost - 10)} MB of memory, which are not there") from None
