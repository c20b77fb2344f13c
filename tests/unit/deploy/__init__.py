"""Plans exported: what the files say, what they keep, and what is refused."""
