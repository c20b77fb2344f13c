"""A page of YAML in the making: values, and what stands beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sim.documents.yaml_read import Key
from sim.documents.yaml_write import yaml_text
from sim.model.notices import PLACEHOLDER


@dataclass(slots=True)
class Page:
    """A mapping, comments by path, and what to tell whoever asked for it."""

    values: dict[str, Any] = field(default_factory=dict)
    comments: dict[Key, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def placeholder(self, path: Key, why: str) -> None:
        """Mark the value at a path as made up, and say what it stands for."""
        self.comments[path] = f"{PLACEHOLDER} {why}"

    def add(self, key: str, part: Page) -> None:
        """Put another page in as the value of a key."""
        self.values[key] = part.values
        self.comments |= {(key, *path): comment for path, comment in part.comments.items()}
        self.warnings += part.warnings

    def placeholders(self) -> list[str]:
        """Return the keys of the values that are made up, one for each value."""
        made_up = [path for path, comment in self.comments.items() if comment.startswith(PLACEHOLDER)]
        return [str(path[-1]) for path in made_up]

    def text(self, head: str) -> str:
        """Return the YAML, with a comment above it."""
        return yaml_text(self.values, self.comments, head)


def without_empty(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what says something: not None, not empty, not false."""
    return {key: value for key, value in values.items() if value not in (None, "", (), [], {}, False)}
