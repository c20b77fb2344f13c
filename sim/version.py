"""The version of the project, by itself, so that whoever writes it down imports nothing else."""

VERSION = "0.1.0"
