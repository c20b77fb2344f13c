"""Layout: how the files of a repository lie, as far as globs of several depths tell it apart.

Files fill folders in order: with ``per_folder`` (24, 60) each top-level folder holds 24 folders of 60 files
each, and the next file begins the next folder when the last one is full. ``names`` are files that are there
from the start, by path; all others have names that nobody states.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from sim.errors import InputError


@dataclass(frozen=True, slots=True)
class Layout:
    """Where files lie; one that states nothing has files that every glob with a wildcard matches."""

    per_folder: tuple[int, ...] = ()
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse folders without files."""
        if any(count < 1 for count in self.per_folder):
            raise InputError(value=self.per_folder, allowed="1 or more in each folder")

    @property
    def depth(self) -> int:
        """Return the level of the files: 1 at the top."""
        return len(self.per_folder) + 1

    def files_in_one(self, level: int) -> int:
        """Return how many files one entry of a level holds: 1 where it is a file itself."""
        return prod(self.per_folder[level - 1 :])


FLAT = Layout()
