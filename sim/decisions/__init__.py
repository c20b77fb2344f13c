"""What is decided: pure functions from a read-only view to a decision with its reasons."""
