"""`vcfx voices rename` and `remove`: what is in the user's folder."""

from __future__ import annotations

import argparse
import json

from vcfx.errors import printable


def run(options: argparse.Namespace) -> int:
    """Rename or remove a voice."""
    from vcfx_models.enrolment.library_changes import own_path, remove_voice, rename_voice

    old = own_path(options.voice)
    if options.action == "rename":
        new = rename_voice(options.voice, options.new_name)
        facts = {"name": new.stem, "file": str(new), "was": old.stem}
        sentence = f"The voice '{old.stem}' is called '{new.stem}' from now on."
    else:
        remove_voice(options.voice)
        facts = {"name": old.stem, "file": str(old)}
        sentence = f"The voice '{old.stem}' is removed. What the audit log says of it stays."
    print(json.dumps(facts, indent=2) if options.json else printable(sentence))
    return 0
