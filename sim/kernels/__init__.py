"""Numeric loops that numba compiles, where it is installed (the extra ``fast``): the same results, sooner.

Each has a twin of numpy or plain Python beside the rule that it follows, or is its own twin, on lists; and a
test that holds both equal.
"""
