"""What this machine has, what it lacks, and the command that mends it."""

from __future__ import annotations

from vcfx.doctor.check import Check, Status
from vcfx.doctor.examination import examine

__all__ = ["Check", "Status", "examine"]
