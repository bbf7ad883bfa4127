"""Measurement of voice conversion: which clips, which meters, how they are summed up and shown."""
