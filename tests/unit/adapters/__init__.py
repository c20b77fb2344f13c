"""Unit tests: Real formats, read and written."""
