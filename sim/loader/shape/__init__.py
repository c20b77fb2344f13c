"""Shape: every key a scenario file can have, with its default, meaning and source."""
