"""Hotkeys: keys that control a running voice whichever window has the focus, where the system allows it."""
