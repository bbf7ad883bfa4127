"""What can go wrong before anything is measured."""

from __future__ import annotations


class EvaluationError(Exception):
    """A file, a package or an argument is missing or wrong; the message is one sentence."""
