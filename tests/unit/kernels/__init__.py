"""Unit tests: Kernels against their twins."""
