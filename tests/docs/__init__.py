"""The documentation runs, and names what exists."""
