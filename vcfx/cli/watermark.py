"""`vcfx watermark`: whether converted voices are marked, and under which key."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from typing import TYPE_CHECKING

from vcfx.errors import printable

from . import watermark_key

if TYPE_CHECKING:
    from vcfx.marking.setting import MarkSetting


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the sub-commands."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    every = argparse.ArgumentParser(add_help=False)
    every.add_argument("--json", action="store_true", help="print JSON, for programs")
    actions.add_parser("status", parents=[every], help="say whether converted voices are marked, and with what")
    actions.add_parser("on", parents=[every], help="mark converted voices (the default)")
    off = actions.add_parser("off", parents=[every], help="leave converted voices unmarked; the audit log tells of it")
    off.add_argument("--reason", metavar="TEXT", default="", help="why; kept in the audit log")
    key = actions.add_parser("key", parents=[every], help="show, make and choose the key that marks: public or private")
    watermark_key.add_arguments(key, every)


def run(options: argparse.Namespace) -> int:
    """Run one sub-command; the setting takes effect with the next start or change of preset."""
    from vcfx.marking.setting import mark_setting, switch_mark

    if options.action == "key":
        return watermark_key.run(options)
    if options.action == "status":
        return _show(mark_setting(), options.json)
    return _show(switch_mark(options.action == "on", getattr(options, "reason", "")), options.json)


def say_if_hidden() -> None:
    """Say on standard error, in one line, where converted voices leave unmarked or marked under a private key."""
    from vcfx.marking.setting import mark_setting

    setting = mark_setting()
    if not setting.on:
        told = f"the watermark is off since {setting.since} ({setting.reason}); converted voices leave unmarked"
        print(printable(f"vcfx: {told}"), file=sys.stderr)
    elif setting.key:
        print(f"vcfx: the watermark is on; {watermark_key.told_key(setting)}", file=sys.stderr)


def _show(setting: MarkSetting, as_json: bool) -> int:
    from vcfx.marking.installation import present_tag
    from vcfx.marking.tags import NAMELESS

    tag = present_tag()
    if as_json:
        print(json.dumps(dataclasses.asdict(setting) | {"installation": tag or None}, indent=2))
        return 0
    since = f" since {setting.since}" if setting.since else ""
    print(f"the watermark is {'on' if setting.on else 'off'}{since}")
    if setting.reason:
        print(printable(f"reason: {setting.reason}"))
    if setting.problem:
        print(printable(f"the log does not count: {setting.problem}"))
    if setting.on:
        print(watermark_key.told_key(setting))
    named = f"it names this installation {tag}" if tag != NAMELESS else "it names no installation: there is no key yet"
    print(f"{named}, and the voice")
    return 0
