"""Space: every configuration of a study, by the number of the choice taken of each factor.

A configuration is asked for its scenario once. One that cannot be built is pruned: the reason is kept, so
that the answer can count them.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import product

from sim.errors import InputError
from sim.model.scenario import Scenario
from sim.model.study import Factor, Study

Point = tuple[int, ...]


class Space:
    """The configurations of a study, and which of them there is no need to simulate.

    ``prepared`` gets each scenario ready for what is to be measured. ``invalid`` are those of the pruned that
    make no valid scenario.
    """

    def __init__(self, study: Study, prepared: Callable[[Scenario], Scenario]) -> None:
        self._study = study
        self._prepared = prepared
        self._scenarios: dict[Point, Scenario] = {}
        self.pruned: dict[Point, str] = {}
        self.invalid: dict[Point, str] = {}

    @property
    def factors(self) -> tuple[Factor, ...]:
        """What is varied."""
        return self._study.factors

    @property
    def size(self) -> int:
        """How many configurations there are, invalid ones among them."""
        return math.prod(len(factor.choices) for factor in self.factors)

    def points(self) -> Iterator[Point]:
        """Yield every configuration, the last factor changing fastest."""
        yield from product(*(range(len(factor.choices)) for factor in self.factors))

    def scenario(self, point: Point) -> Scenario | None:
        """Return what a configuration simulates, None where it was pruned."""
        if point in self.pruned:
            return None
        if point not in self._scenarios:
            try:
                self._scenarios[point] = self._prepared(self._study.configure(self.sets(point)))
            except InputError as error:
                self.invalid[point] = _reason(error)
                self.prune(point, self.invalid[point])
                return None
        return self._scenarios[point]

    def built(self, point: Point) -> Scenario | None:
        """Return what a configuration would simulate, also where a bound says that it cannot win."""
        if point in self._scenarios:
            return self._scenarios[point]
        try:
            return self._prepared(self._study.configure(self.sets(point)))
        except InputError:
            return None

    def prune(self, point: Point, reason: str) -> None:
        """Leave a configuration out, for a reason that many may share."""
        self.pruned[point] = reason
        self._scenarios.pop(point, None)

    def restore(self, point: Point) -> None:
        """Take a configuration in again that a bound left out."""
        del self.pruned[point]

    def sets(self, point: Point) -> tuple[str, ...]:
        """Return the ``path=value`` texts of a configuration, in the order of the factors."""
        return tuple(
            text for factor, n in zip(self.factors, point, strict=True) for text in factor.choices[n].sets
        )

    def text(self, point: Point) -> str:
        """Return the canonical text of a configuration, which names it in a store."""
        return "\n".join(sorted(self.sets(point)))

    def labels(self, point: Point) -> dict[str, str]:
        """Return what a configuration chooses, by factor."""
        return {factor.name: factor.choices[n].label for factor, n in zip(self.factors, point, strict=True)}

    def neighbours(self, point: Point) -> Iterator[Point]:
        """Yield what one step of one factor leads to: up or down an ordered one, anywhere in another."""
        for at, factor in enumerate(self.factors):
            there = range(len(factor.choices))
            steps = (point[at] - 1, point[at] + 1) if factor.ordered else there
            yield from ((*point[:at], n, *point[at + 1 :]) for n in steps if n in there and n != point[at])

    def differences(self, point: Point, other: Point) -> list[str]:
        """Return in words what ``point`` has otherwise than ``other``."""
        there = self.labels(other)
        return [
            f"{name} {label} instead of {there[name]}"
            for name, label in self.labels(point).items()
            if label != there[name]
        ]

    def counted(self) -> list[tuple[str, int]]:
        """Return the reasons for which configurations were left out, the most frequent first."""
        return sorted(Counter(self.pruned.values()).items(), key=lambda each: (-each[1], each[0]))


def _reason(error: InputError) -> str:
    """Return an error without its place, which differs from configuration to configuration."""
    message = str(error)
    return message.removeprefix(f"{error.file}:{error.line}: ").removeprefix(f"{error.file}: ")
