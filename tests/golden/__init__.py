"""Small scenarios with their whole summary on disk."""
