"""Benchmarks of the product itself, shared by `vcfx bench` and `vcfx demo`."""
