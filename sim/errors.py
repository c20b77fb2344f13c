"""Errors: one root, and what a message must name.

``InputError`` is the user's to mend: it names file, line, field, value, what is allowed and the
nearest match, on one line. Values raise it with their own field; the loader adds file and line.
``SimulationError`` is ours: a broken invariant, with the history of the entity that broke it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from sim.texts import one_line

LONGEST_VALUE = (
    80  # a value is quoted to be recognised, not to be read: binary files and YAML bombs stay one line
)
LONGEST_FIELD = 300  # so is a path of keys
LONGEST_PROBLEM = 600
_UNSET = object()


class SimError(Exception):
    """The root of every error this package raises on purpose."""


class InputError(SimError):
    """Something in the user's input that cannot be used.

    Parameters
    ----------
    problem
        What is wrong, said after the field: ``"is not a known key"``. Empty: "is VALUE".
    field
        Path of the field, ``autoscaler.scan-interval`` or ``pipelines[edges].parallelismSpec``.
    value
        What was found there.
    allowed
        What may be there, in words.
    nearest
        The known word closest to the value, see `nearest`.
    file, line
        Where it was read.

    Examples
    --------
    >>> print(InputError(field="backoff.initial_s", value=0, allowed="above 0", file="burst.yaml", line=12))
    burst.yaml:12: backoff.initial_s is 0; allowed: above 0
    """

    def __init__(
        self,
        problem: str = "",
        *,
        field: str = "",
        value: object = _UNSET,
        allowed: str = "",
        nearest: str | None = None,
        file: str = "",
        line: int | None = None,
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.field = field
        self.shown = "" if value is _UNSET else _shown(value)  # text, so that the error crosses processes
        self.allowed = allowed
        self.nearest = nearest
        self.file = file
        self.line = line

    def __str__(self) -> str:
        what = self.problem or (f"is {self.shown}" if self.shown else "cannot be used")
        message = f"{self._where()}{_cut(self.field, LONGEST_FIELD)} {_cut(what, LONGEST_PROBLEM)}".strip()
        if self.allowed:
            message += f"; allowed: {self.allowed}"
        if self.nearest:
            message += f"; did you mean {self.nearest}?"
        return one_line(message)

    def _where(self) -> str:
        if not self.file:
            return ""
        return f"{self.file}: " if self.line is None else f"{self.file}:{self.line}: "

    def inside(self, prefix: str = "", *, file: str = "", line: int | None = None) -> InputError:
        """Return the same error seen from further out: the field under ``prefix``, in ``file`` at ``line``.

        What an inner layer already knew stays.
        """
        outer = InputError(
            self.problem, field=_join(prefix, self.field), allowed=self.allowed, nearest=self.nearest
        )
        outer.shown = self.shown
        outer.file = self.file or file
        outer.line = line if self.line is None else self.line
        return outer


class SimulationError(SimError):
    """A broken invariant: our bug, never the user's input.

    Parameters
    ----------
    message
        The invariant, and the entity that broke it.
    history
        What the entity went through, oldest first.
    """

    def __init__(self, message: str, history: Sequence[str] = ()) -> None:
        super().__init__(message, tuple(history))
        self.message = message
        self.history = tuple(history)

    def __str__(self) -> str:
        return self.message if not self.history else f"{self.message}; history: {' -> '.join(self.history)}"


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate most like ``word``, or None when nothing is.

    Case and separators do not count: upstream formats differ in little but ``-``, ``_`` and camelCase.
    """
    plain = {_plain(candidate): candidate for candidate in candidates}
    found = difflib.get_close_matches(_plain(word), plain, n=1)
    return plain[found[0]] if found else None


def _plain(word: str) -> str:
    return word.replace("-", "").replace("_", "").casefold()


def _shown(value: object) -> str:
    return _cut(repr(value), LONGEST_VALUE)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


def _join(prefix: str, field: str) -> str:
    if not prefix or not field:
        return prefix or field
    return f"{prefix}{field}" if field.startswith("[") else f"{prefix}.{field}"
