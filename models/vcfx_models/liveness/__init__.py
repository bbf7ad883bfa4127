"""Whether a person who is there spoke a phrase that nobody could know beforehand: phrase, speaker, live sound."""

from __future__ import annotations

from .challenge import SECONDS_ALLOWED, Challenge, new_challenge
from .verdict import LivenessVerdict, judge_answer

__all__ = ["SECONDS_ALLOWED", "Challenge", "LivenessVerdict", "judge_answer", "new_challenge"]
