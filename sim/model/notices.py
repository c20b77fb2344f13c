"""Notices: what was dropped, translated or assumed while reading, for whoever prints warnings."""

from __future__ import annotations

from dataclasses import dataclass

PLACEHOLDER = "PLACEHOLDER:"  # in a comment of a scenario: the value beside it is nobody's
MADE_UP = "values marked PLACEHOLDER are made up: what is told of them is no forecast"


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing the user should know; nothing is wrong enough to stop."""

    message: str
    field: str = ""
    file: str = ""
    line: int | None = None

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}: " if self.line is not None else f"{self.file}: "
        return f"{place if self.file else ''}{f'{self.field} {self.message}'.strip()}"
