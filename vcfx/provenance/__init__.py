"""Files say what they are: metadata and content credentials, written and read; and what a mark in the sound means."""
