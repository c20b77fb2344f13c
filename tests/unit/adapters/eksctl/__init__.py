"""Unit tests: eksctl."""
