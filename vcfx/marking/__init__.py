"""The mark in what is spoken with another voice: who puts it there, what it says, and whether it is on."""

from __future__ import annotations
