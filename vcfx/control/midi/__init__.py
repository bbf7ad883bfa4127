"""MIDI controllers as a client of the control surface: ports, maps, learning, lights."""
