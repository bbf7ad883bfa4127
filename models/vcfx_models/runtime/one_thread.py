"""Networks on ONNX Runtime, on one thread: a voice must not fight the audio callback for the other cores."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vcfx_models.errors import ModelError


def open_session(content: bytes) -> Any:
    """Return the session of a network. What it raises on rubbish has no common base: see `failures_named`."""
    import onnxruntime  # loads slowly: not before it is needed

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


@contextlib.contextmanager
def failures_named(path: Path, what: str) -> Iterator[None]:
    """Turn whatever goes wrong while a network is opened and tried into a `ModelError` that names file and network."""
    try:
        yield
    except ModelError:
        raise
    except Exception as error:  # the runtime's exceptions have no common base but this one
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ModelError(f"{path} is damaged or no {what} ({reason[:100]})") from None
