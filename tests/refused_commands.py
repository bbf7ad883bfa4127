"""Commands that are refused, as a person meets them."""

from __future__ import annotations

import pytest

from vcfx.__main__ import main


def told(capture: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run a command that is refused; returns its one sentence."""
    assert main(arguments) == 2
    error = capture.readouterr().err
    assert error.startswith("vcfx: ")
    assert error.count("\n") == 1
    return error
