"""Reports, one file per module."""
