"""`vcfx voices`: enrol, list, show, rename, remove, export, import and revoke voices; trust and distrust keys."""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import Any, Final

#: sub-command -> the module whose `run` does it. Modules load only when their command is given.
ACTIONS: Final = {
    "enroll": "vcfx.cli.voices_enroll",
    "record": "vcfx.cli.voices_record",
    "list": "vcfx.cli.voices_list",
    "show": "vcfx.cli.voices_list",
    "rename": "vcfx.cli.voices_keep",
    "remove": "vcfx.cli.voices_keep",
    "export": "vcfx.cli.voices_exchange",
    "import": "vcfx.cli.voices_exchange",
    "revoke": "vcfx.cli.voices_revoke",
    "trust": "vcfx.cli.voices_trust",
    "distrust": "vcfx.cli.voices_trust",
}
Actions = Any  # argparse has no public name for what `add_subparsers` returns


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-commands."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    every = argparse.ArgumentParser(add_help=False)
    every.add_argument("--json", action="store_true", help="print JSON, for programs")
    _add_enrolment(actions, every)
    actions.add_parser("list", parents=[every], help="list the voices that can be named, and whether they may be used")
    show = actions.add_parser("show", parents=[every], help="show one voice and its papers")
    show.add_argument("voice", metavar="NAME", help="a voice's name or file")
    rename = actions.add_parser("rename", parents=[every], help="give a voice another name")
    rename.add_argument("voice", metavar="NAME")
    rename.add_argument("new_name", metavar="NEW")
    remove = actions.add_parser("remove", parents=[every], help="remove a voice's file; what the log says of it stays")
    remove.add_argument("voice", metavar="NAME")
    _add_exchange(actions, every)
    _add_keys(actions, every)


def run(options: argparse.Namespace) -> int:
    """Run one sub-command."""
    code: int = import_module(ACTIONS[options.action]).run(options)
    return code


def _add_enrolment(actions: Actions, every: argparse.ArgumentParser) -> None:
    enroll = actions.add_parser("enroll", parents=[every], help="make a voice of recordings, with a consent record")
    enroll.epilog = "On a terminal it asks for what is missing; elsewhere every answer must be an option."
    enroll.add_argument("voice", metavar="NAME", help="what the voice will be called")
    enroll.add_argument("clips", metavar="CLIP", nargs="+", help="recordings or folders, 5 s of speech or more")
    said = _add_terms(enroll).add_mutually_exclusive_group()
    said.add_argument("--statement", metavar="TEXT", help="typed: what the speaker wrote or agreed to, word by word")
    said.add_argument("--agreed", action="store_true", help="typed: the speaker read the usual statement and said yes")
    said.add_argument("--licence", metavar="NAME", help="the recordings were given away, under this licence")
    enroll.add_argument(
        "--statement-audio", metavar="FILE", help="spoken: a recording in which the speaker says the statement"
    )
    record = actions.add_parser("record", parents=[every], help="make a voice at the microphone, by a living person")
    record.add_argument("voice", metavar="NAME", help="what the voice will be called")
    _add_terms(record)
    record.add_argument("-i", "--input", metavar="D", help="microphone: number or part of its name")
    record.add_argument("--keep", metavar="FOLDER", help="keep the recordings here; their hashes are in the record")
    record.add_argument(
        "--unchecked", action="store_true", help="enrol it even if nothing shows that a living person spoke"
    )
    record.add_argument(
        "--from",
        dest="recordings",
        nargs=2,
        metavar=("STATEMENT", "SAMPLE"),
        help="take the spoken statement and the sample from files; needs --unchecked",
    )


def _add_terms(parser: argparse.ArgumentParser) -> Any:
    """Declare who allows what; returns the group of these options."""
    group = parser.add_argument_group("consent", "who lets this voice be used, for what, until when")
    group.add_argument("--speaker", metavar="WHO", help="whose voice it is")
    group.add_argument("--uses", metavar="U,U", help="some of live, files, speech")
    group.add_argument("--until", metavar="WHEN", help="the last day, as 2027-11-22, or from now: 30d, 6w, 18m, 1y")
    group.add_argument("--purpose", metavar="TEXT", help="what for, in words")
    parser.add_argument("--issuer", metavar="NAME", help="what this installation calls itself in the voice's papers")
    parser.add_argument("--source", metavar="TEXT", help="where the recordings come from")
    parser.add_argument("--replace", action="store_true", help="overwrite the voice of that name")
    parser.add_argument("--model", metavar="FOLDER", help="networks to use instead of those of vcfx")
    return group


def _add_exchange(actions: Actions, every: argparse.ArgumentParser) -> None:
    export = actions.add_parser("export", parents=[every], help="write a voice to a file, locked with a passphrase")
    export.add_argument("voice", metavar="NAME", help="a voice's name or file")
    export.add_argument("file", metavar="FILE", help="a new file, or a folder")
    lock = export.add_mutually_exclusive_group()
    lock.add_argument("--passphrase-file", metavar="F", help="lock it with the first line of this file")
    lock.add_argument("--plain", action="store_true", help="do not lock it; whoever has the file has the voice")
    take = actions.add_parser("import", parents=[every], help="take over a voice, or a list of revocations (JSON)")
    take.add_argument("file", metavar="FILE", help="what somebody exported")
    take.add_argument("--passphrase-file", metavar="F", help="open it with the first line of this file")
    take.add_argument("--as", dest="voice", metavar="NAME", help="what to call it (default: as its file)")
    take.add_argument("--trust", action="store_true", help="trust the key that signed it, and all that it signs")
    take.add_argument("--replace", action="store_true", help="overwrite the voice of that name")


def _add_keys(actions: Actions, every: argparse.ArgumentParser) -> None:
    revoke = actions.add_parser("revoke", parents=[every], help="end a consent, for good")
    revoke.add_argument("voice", metavar="NAME", help="a voice's name or file, or the number of a consent")
    revoke.add_argument("--reason", metavar="TEXT", default="", help="one line, for whoever reads the notice")
    revoke.add_argument("--export", metavar="FILE", help="also write the signed notice to a file, to hand on")
    revoke.add_argument("--remove", action="store_true", help="also remove the voice's file")
    trust = actions.add_parser("trust", parents=[every], help="trust a key, or list the keys that are trusted")
    trust.add_argument("key", metavar="KEY", nargs="?", help="64 hexadecimal digits, or a voice that it signed")
    trust.add_argument("--name", metavar="TEXT", default="", help="whose key it is")
    distrust = actions.add_parser("distrust", parents=[every], help="trust a key no more; its voices fall silent")
    distrust.add_argument("key", metavar="FINGERPRINT", help="16 hexadecimal digits, as `vcfx voices trust` shows them")
