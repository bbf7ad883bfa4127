"""Files that people keep are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def replace_file(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write a file; `path` holds either the old or the whole new content, whatever happens. Raises OSError.

    Parameters
    ----------
    path, content
        Where, and what.
    mode
        Who may read it; 0o600 for what this user alone may, at no moment anybody else.
    """
    # Made for this user alone, until it is whole.
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
