"""Hostile inputs through the command line: no traceback, one line, nothing outside --out."""
