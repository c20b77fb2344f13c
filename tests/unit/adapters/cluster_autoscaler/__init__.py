"""Unit tests: The Cluster Autoscaler."""
