"""The papers of a voice: who allowed what until when, signed; what was revoked; what was done with it."""
