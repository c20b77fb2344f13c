"""Tests of ``sim/study``."""
