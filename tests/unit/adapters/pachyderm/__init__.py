"""Unit tests: Pachyderm."""
