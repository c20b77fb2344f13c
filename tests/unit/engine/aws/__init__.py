"""Unit tests: AWS."""
