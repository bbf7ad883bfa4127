"""Reads a command's options and answers wrong ones with one sentence."""

from __future__ import annotations

import argparse
import re
from typing import Final, NoReturn

from vcfx_dsp.errors import VcfxError

_NUMBERS: Final = {"float": "a number", "int": "a whole number"}


class CommandParser(argparse.ArgumentParser):
    """As argparse's, but wrong options are a `VcfxError` like all other bad input, without the usage before it."""

    def error(self, message: str) -> NoReturn:
        """Refuse the options.

        Raises
        ------
        VcfxError
            Always.
        """
        said = re.sub(
            r"invalid (float|int) value: ('.*')", lambda found: f"{found[2]}; allowed: {_NUMBERS[found[1]]}", message
        )
        raise VcfxError(f"{said} (see '{self.prog} --help')")
