"""Unit tests: Values."""
