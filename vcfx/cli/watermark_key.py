"""`vcfx watermark key`: the key that converted voices are marked under, the public one or one's own."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vcfx.errors import ControlError, printable

if TYPE_CHECKING:
    from vcfx.marking.setting import MarkSetting
    from vcfx_dsp.watermark.key import WatermarkKey

_EPILOG: Final = """\
Everybody knows the public key: everybody can find the mark, and can take it
out. A private key hides the mark from all who have not got it; they are told
by the file's metadata alone that it is there, as long as nobody removes these.
Give the key only to those who shall verify: who has it can take the mark out.
Files marked before keep the mark that they have.
"""


def add_arguments(parser: argparse.ArgumentParser, every: argparse.ArgumentParser) -> None:
    """Declare what can be done with keys; nothing said means ``show``."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _EPILOG
    actions = parser.add_subparsers(dest="key_action", metavar="ACTION")
    actions.add_parser("show", parents=[every], help="say which key marks, and which are kept here (the default)")
    actions.add_parser("new", parents=[every], help="make a private key, and mark under it from now on")
    use = actions.add_parser("use", parents=[every], help="mark under a private key from now on")
    use.add_argument("key", metavar="KEY", help="a file that holds one, or the fingerprint of one that is kept here")
    export = actions.add_parser(
        "export", parents=[every], help="write the private key that marks, for who shall verify"
    )
    export.add_argument("file", metavar="FILE", help="where to; only you may read it")
    actions.add_parser("public", parents=[every], help="mark under the public key again")


def run(options: argparse.Namespace) -> int:
    """Run one action; what changes takes effect with the next start or change of preset."""
    from vcfx.marking.setting import mark_setting, use_key
    from vcfx_dsp.watermark.key import WatermarkKey

    if options.key_action == "new":
        return _show(use_key(WatermarkKey.new()), options.json)
    if options.key_action == "use":
        return _show(use_key(_named(options.key)), options.json)
    if options.key_action == "public":
        return _show(use_key(None), options.json)
    if options.key_action == "export":
        return _export(Path(options.file), options.json)
    return _show(mark_setting(), options.json)


def told_key(setting: MarkSetting) -> str:
    """Say under which key marks are put."""
    if not setting.key:
        return "it is under the public key: everybody can find it"
    return f"it is under the private key {setting.key}: nobody finds it without that key (vcfx verify --key FILE)"


def _named(name: str) -> WatermarkKey:
    from vcfx.marking.keys import kept_key, kept_keys, read_key

    if name in {key.fingerprint for key in kept_keys()} and not Path(name).exists():
        return kept_key(name)
    return read_key(Path(name))


def _export(path: Path, as_json: bool) -> int:
    from vcfx.marking.keys import kept_key, write_key
    from vcfx.marking.setting import mark_setting

    setting = mark_setting()
    if not setting.key:
        raise ControlError("the public key marks, which everybody has: there is none to export")
    write_key(kept_key(setting.key), path)
    if as_json:
        print(json.dumps({"file": str(path), "key": setting.key}, indent=2))
    else:
        print(printable(f"{path}: the private key {setting.key}; who has it can find the mark, and can take it out"))
    return 0


def _show(setting: MarkSetting, as_json: bool) -> int:
    from vcfx.marking.keys import kept_keys, key_file

    kept = {key.fingerprint: str(key_file(key.fingerprint)) for key in kept_keys()}
    if as_json:
        print(
            json.dumps(
                {"key": setting.key or None, "on": setting.on, "kept": kept, "problem": setting.problem}, indent=2
            )
        )
        return 0
    print(told_key(setting) if setting.on else f"the watermark is off; otherwise {told_key(setting)}")
    if setting.problem:
        print(printable(f"beware: {setting.problem}"))
    for fingerprint, path in kept.items():
        print(printable(f"kept here: {fingerprint} in {path}; without it nobody can verify what it marked"))
    return 0
