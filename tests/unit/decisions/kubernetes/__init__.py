"""Unit tests: Kubernetes."""
