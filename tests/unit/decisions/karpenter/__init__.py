"""Unit tests: Karpenter."""
