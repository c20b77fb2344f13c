"""The loader: a scenario file and what it refers to, turned into model values with file, line and field."""

from sim.loader.assembly import load

__all__ = ["load"]
