"""Places: the field some keys down, for errors about what was put together from several."""

from __future__ import annotations

from sim.documents.fields import Field


def at_path(at: Field, *keys: str) -> Field:
    """Return the field some keys down, or the last one on the way that is there."""
    for each in keys:
        child = at.child(each) if isinstance(at.value, dict) else None
        if child is None:
            return at
        at = child
    return at
