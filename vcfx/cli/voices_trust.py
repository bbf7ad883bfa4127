"""`vcfx voices trust` and `distrust`: whose signatures on voices count here."""

from __future__ import annotations

import argparse
import json
import re
from typing import TYPE_CHECKING, Final

from vcfx.errors import VcfxError, printable

if TYPE_CHECKING:
    from vcfx_models.papers.keys import PublicKey

_KEY: Final = re.compile(r"[0-9a-fA-F]{64}")
_FINGERPRINT: Final = re.compile(r"[0-9a-fA-F]{16}")


def run(options: argparse.Namespace) -> int:
    """Trust, distrust, or list."""
    if options.action == "distrust":
        return _distrust(options)
    return _list(options.json) if options.key is None else _trust(options)


def _list(as_json: bool) -> int:
    from vcfx_models.papers.keys import PublicKey, own_key
    from vcfx_models.papers.trust import publisher_key, trusted_keys

    own, publisher = own_key(), publisher_key()
    found: list[tuple[PublicKey, str, str]] = []
    if own is not None:
        found.append((own.public, "own", "this installation"))
    if publisher is not None:
        found.append((publisher, "publisher", "the voices that come with vcfx"))
    found += [(PublicKey(bytes.fromhex(raw)), "trusted", name) for raw, name in trusted_keys().items()]
    if as_json:
        names = ("fingerprint", "standing", "name", "key")
        rows = [(key.fingerprint, standing, name, key.raw.hex()) for key, standing, name in found]
        print(json.dumps([dict(zip(names, row, strict=True)) for row in rows], indent=2))
        return 0
    for key, standing, name in found:
        print(printable(f"{key.fingerprint}  {standing:<9}  {name}"))
    if own is None:
        print("This installation has no key yet; it is made when a voice is first enrolled.")
    return 0


def _trust(options: argparse.Namespace) -> int:
    from vcfx_models.one_line import is_one_line
    from vcfx_models.papers import audit
    from vcfx_models.papers.consent import MAX_TEXT
    from vcfx_models.papers.trust import standing, trust_key

    key = _key_of(options.key)
    if (now := standing(key)) in ("own", "publisher"):
        raise VcfxError(f"the key {key.fingerprint} needs no trust: it is {'your own' if now == 'own' else 'of vcfx'}")
    if not is_one_line(options.name, 0, MAX_TEXT):
        raise VcfxError(f"--name is {options.name[:40]!r}; allowed: one line of at most {MAX_TEXT} letters")
    audit.append("trusted", {"key": key.raw.hex(), "fingerprint": key.fingerprint, "name": options.name})
    trust_key(key, options.name)
    return _say(options, key.fingerprint, "is trusted from now on, and all voices that it signs")


def _distrust(options: argparse.Namespace) -> int:
    from vcfx_models.papers import audit
    from vcfx_models.papers.keys import PublicKey
    from vcfx_models.papers.trust import distrust_key, trusted_keys

    given = options.key.casefold()
    if not _FINGERPRINT.fullmatch(given):
        raise VcfxError(f"the fingerprint is {options.key[:40]!r}; allowed: 16 hexadecimal digits")
    known = {PublicKey(bytes.fromhex(raw)).fingerprint: raw for raw in trusted_keys()}
    if given not in known:
        raise VcfxError(f"the key {given} is not among those that are trusted; `vcfx voices trust` lists them")
    audit.append("distrusted", {"key": known[given], "fingerprint": given})
    distrust_key(given)
    return _say(options, given, "is trusted no more; its voices may not be used")


def _key_of(given: str) -> PublicKey:
    """Return the key of 64 digits, of a voice, or of a voice here that has this fingerprint."""
    from vcfx_models.papers.keys import PublicKey
    from vcfx_models.voice_library import list_voices, peek_voice

    if _KEY.fullmatch(given):
        return PublicKey(bytes.fromhex(given))
    if _FINGERPRINT.fullmatch(given):
        papers = [info.voice.papers for info in list_voices() if info.voice is not None]
        for each in papers:
            if each is not None and each.issuer.fingerprint == given.casefold():
                return each.issuer
        raise VcfxError(f"no voice here is signed with the key {given}; give all 64 digits, or a voice's file")
    voice = peek_voice(given)
    assert voice.papers is not None
    return voice.papers.issuer


def _say(options: argparse.Namespace, fingerprint: str, what: str) -> int:
    if options.json:
        print(json.dumps({"fingerprint": fingerprint, "trusted": options.action == "trust"}))
    else:
        print(f"The key {fingerprint} {what}.")
    return 0
