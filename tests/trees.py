"""Trees of mappings and lists, as documents hold them."""

from __future__ import annotations

from typing import Any


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Return the path of everything in a tree, itself left out."""
    found = [path] if path else []
    entries: Any = value.items() if isinstance(value, dict) else ()
    entries = enumerate(value) if isinstance(value, list) else entries
    for key, inner in entries:
        found += places(inner, (*path, key))
    return found
