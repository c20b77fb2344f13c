"""Decisions and values against tables worked by hand."""
