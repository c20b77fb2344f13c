"""Unit tests: YAML and JSON with places."""
