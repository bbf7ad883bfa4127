"""Wrong options get one sentence on standard error, as all other bad input does."""

from __future__ import annotations

import pytest

from vcfx.__main__ import main


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["convert", "a.wav", "--pitch", "abc"],
            "argument --pitch: 'abc'; allowed: a number (see 'vcfx convert --help')",
        ),
        (["run", "--block", "1.5"], "argument --block: '1.5'; allowed: a whole number (see 'vcfx run --help')"),
        (["convert"], "the following arguments are required: IN (see 'vcfx convert --help')"),
        (["convert", "a.wav", "--loud"], "unrecognized arguments: --loud (see 'vcfx convert --help')"),
        (["voices", "show"], "the following arguments are required: NAME (see 'vcfx voices show --help')"),
    ],
)
def test_wrong_options_get_one_sentence(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr().err == f"vcfx: {said}\n"
