"""YAML and JSON with file and line of every value, and edits that touch nothing else."""
