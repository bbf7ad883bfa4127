"""Compiled building blocks that nodes share.

Rule: a node's kernel calls compiled functions of its own file or of this package only. numba's disk cache
notices a change of the kernel's own file; a change in here it would miss, so the cache folder's name carries a
hash of this package (`cache`).
"""
