"""Unit tests: First scenarios."""
