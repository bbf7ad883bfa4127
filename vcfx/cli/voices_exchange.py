"""`vcfx voices export` and `import`: voices as files that are handed on, locked or not; lists of revocations."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vcfx.errors import VcfxError, printable
from vcfx_models.data_folder import with_home

from .questions import ask_for_yes, can_ask, passphrase, say

if TYPE_CHECKING:
    from vcfx_models.voice_file import Voice


def run(options: argparse.Namespace) -> int:
    """Export or import."""
    facts, sentence = _export(options) if options.action == "export" else _import(options)
    print(json.dumps(facts, indent=2) if options.json else printable(sentence))
    return 0


def _export(options: argparse.Namespace) -> tuple[dict[str, Any], str]:
    from vcfx_models.enrolment.exchange import export_voice
    from vcfx_models.voice_library import voice_path

    path = voice_path(options.voice)
    secret = ""
    if options.passphrase_file is not None or (can_ask() and not options.plain):
        secret = passphrase(options.passphrase_file, "Passphrase to lock it with (Enter for none)", twice=True)
    target = export_voice(path, with_home(Path(options.file)), secret)
    how = "locked with the passphrase" if secret else "not locked: whoever has the file has the voice"
    return {"name": path.stem, "file": str(target), "locked": bool(secret)}, f"{target}: holds '{path.stem}', {how}."


def _import(options: argparse.Namespace) -> tuple[dict[str, Any], str]:
    from vcfx_models.enrolment.exchange import import_notices, opened_file
    from vcfx_models.papers.sealing import is_sealed, unseal

    path = with_home(Path(options.file))
    content = opened_file(path)
    if content.lstrip()[:1] == b"[":
        count, known = import_notices(path)
        facts = {"file": str(path), "notices": count, "voices": known}
        whose = f"; no longer usable: {', '.join(known)}" if known else "; no voice here is concerned"
        return facts, f"{count} revocation{'s are' if count != 1 else ' is'} kept from now on{whose}."
    if is_sealed(content):
        content = unseal(content, passphrase(options.passphrase_file, "Its passphrase"), str(path))
    return _import_voice(options, content, path)


def _import_voice(options: argparse.Namespace, content: bytes, path: Path) -> tuple[dict[str, Any], str]:
    from vcfx_models.enrolment.exchange import checked_import, import_voice
    from vcfx_models.enrolment.library_changes import free_path
    from vcfx_models.papers.trust import standing

    voice = checked_import(content, str(path))
    assert voice.papers is not None
    target = free_path(options.voice or path.name.removesuffix(".vcfxvoice"), options.replace)
    trusts = standing(voice.papers.issuer) == "unknown"
    if trusts:
        _ask_for_trust(options, voice, path)
    import_voice(content, target, trusts)
    consent = voice.papers.consent
    facts = {
        "name": target.stem,
        "file": str(target),
        "issuer": voice.papers.issuer.fingerprint,
        "consent": consent.consent_id,
    }
    until = f" until {consent.until[:10]}" if consent.until else ""
    allowed = f"{consent.speaker} allows {', '.join(consent.uses)}{until}"
    also = f" The key {voice.papers.issuer.fingerprint} is trusted from now on." if trusts else ""
    return facts, f"The voice '{target.stem}' is imported; {allowed}.{also}"


def _ask_for_trust(options: argparse.Namespace, voice: Voice, path: Path) -> None:
    """Show the papers and have a person say that they trust who signed them."""
    import sys

    from .voices_list import papers_of, print_facts

    assert voice.papers is not None
    fingerprint = voice.papers.issuer.fingerprint
    if options.trust and options.json:
        return
    if options.trust or can_ask():
        say(f"{path} is signed with a key that is not known here. Its papers:")
        print_facts({"title": voice.name} | papers_of(voice.papers), sys.stderr)
    if options.trust:
        return
    if not can_ask():
        raise VcfxError(
            f"{path}: is signed with the key {fingerprint} ({voice.papers.issuer_name or 'no name'}), which is not "
            "trusted here; if it is that of whom you think, give --trust"
        )
    say(f"Ask whoever gave it to you to read their fingerprint to you; this one is {fingerprint}.")
    if not ask_for_yes("Do you trust this key, and all that it signs?"):
        raise VcfxError("the key is not trusted; nothing was imported")
