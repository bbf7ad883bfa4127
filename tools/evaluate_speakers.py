#!/usr/bin/env python3
"""Measures speaker encoders. usage: python tools/evaluate_speakers.py --help."""

import os
import sys
from pathlib import Path

# One thread, whatever library it comes from; set before any of them is loaded.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(name, "1")

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "dsp"), str(ROOT / "models")]

try:
    from tools.evaluation.speaker_command import main
except ModuleNotFoundError as error:
    sys.exit(f"tools/evaluate_speakers.py: cannot load '{error.name}'; the extras dev and train have it")

sys.exit(main())
