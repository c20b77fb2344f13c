"""The shape of a study file: every key it can have, its default and meaning.

The paths under ``vary`` and ``set`` are those of ``--set``. What they lead to is for the base scenario to
say, so ``vary`` is read here as it stands and understood in ``study_vary``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sim.documents.fields import Field
from sim.errors import InputError
from sim.loader.values.kinds import Json, ListOf, Scalar
from sim.loader.values.scalars import COUNT, DURATION, ONE_OR_MORE, PROSE, SHARE, TEXT
from sim.loader.values.sections import Key, key, section_of
from sim.model.metrics import COST
from sim.model.study import Constraint
from sim.model.units import DURATION_ALLOWED, SECOND, parse_duration, parse_probability, print_probability

LIMIT_ALLOWED = f"a number, or of seconds {DURATION_ALLOWED}"


def _limit(raw: object) -> float:
    if isinstance(raw, str):
        return parse_duration(raw) / SECOND
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raise InputError(value=raw, allowed=LIMIT_ALLOWED)
    if not math.isfinite(raw):
        raise InputError(value=raw, allowed=LIMIT_ALLOWED)
    return float(raw)


def _part(raw: str | float) -> float:
    share = parse_probability(raw)
    if share == 1:
        raise InputError(value=raw, allowed=PART_ALLOWED)
    return share


PART_ALLOWED = "a share from 0 to below 1 such as 0.05 or 5%"
PRECISION_ALLOWED = "a share above 0 and below 1 such as 0.02 or 2%"


def _precision(raw: str | float) -> float:
    share = parse_probability(raw)
    if not 0 < share < 1:
        raise InputError(value=raw, allowed=PRECISION_ALLOWED)
    return share


PRECISION = Scalar("share", PRECISION_ALLOWED, _precision, print_probability, ("string", "number"))
PART = Scalar("share", PART_ALLOWED, _part, print_probability, ("string", "number"))
LIMIT = Scalar("number or duration", LIMIT_ALLOWED, _limit, float, ("number", "string"))


def _constraint(
    metric: str,
    at_most: float | None = None,
    at_least: float | None = None,
    probability: float | None = None,
) -> Constraint:
    if (at_most is None) == (at_least is None):
        raise ValueError("says no limit, or two; allowed: at_most or at_least")
    if probability is not None and not 0 < probability < 1:
        raise ValueError("has a probability that no number of replications shows; allowed: between 0 and 1")
    limit = at_least if at_most is None else at_most
    assert limit is not None
    return Constraint(metric, limit, at_most is None, probability)


CONSTRAINT = section_of(
    _constraint,
    Key("metric", TEXT, "what is limited: a metric of docs/json.md, or pipelines.NAME.METRIC"),
    Key("at_most", LIMIT, "largest value that will do"),
    Key("at_least", LIMIT, "smallest value that will do"),
    Key("probability", SHARE, "share of replications in which it has to hold; left out: its mean has to"),
)


@dataclass(frozen=True, slots=True)
class Raw:
    """A mapping that something else reads."""

    unit: str
    values: Json

    def read(self, at: Field) -> Field:
        """Return the field itself, if it is a mapping with something in it."""
        if not at.mapping():
            raise at.error("is empty", allowed=self.unit)
        return at

    def schema(self) -> Json:
        """Return the schema of a mapping."""
        return {"type": "object", "minProperties": 1, "additionalProperties": self.values}


_NUMBER_OR_TEXT: Json = {"type": ["number", "string"]}
_RANGE: Json = {
    "type": "object",
    "properties": dict.fromkeys(("from", "to", "step", "factor"), _NUMBER_OR_TEXT),
    "required": ["from", "to"],
    "additionalProperties": False,
}
_CHOICES: Json = {
    "type": "object",
    "additionalProperties": {"anyOf": [{"type": "object"}, {"type": "array", "items": {"type": "string"}}]},
    "description": "named choices, each a mapping from path to value; under placement, places by pipeline",
}
_LIST: Json = {"type": "array", "minItems": 1}


class _OneOrMore:
    """A metric, or several."""

    unit = "metric"

    def read(self, at: Field) -> tuple[str, ...]:
        """Read one, or a list of at least one."""
        if isinstance(at.value, list):
            return tuple(ListOf(TEXT, 1).read(at))
        return (TEXT.read(at),)

    def write(self, value: tuple[str, ...]) -> Any:
        """Write a list of several."""
        return value[0] if len(value) == 1 else list(value)

    def schema(self) -> Json:
        """Return both forms."""
        return {"anyOf": [TEXT.schema(), ListOf(TEXT, 1).schema()]}


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyFile:
    """A question, and what may be varied to answer it."""

    name: str = key(TEXT, "what reports call it; left out: the file's name", "")
    question: str = key(PROSE, "what it is for", "")
    base: str = key(TEXT, "the scenario it starts from, beside this file")
    set: Field | None = key(
        Raw("changes to the base, by path", {}), "what every configuration has otherwise than the base", None
    )
    vary: Field = key(
        Raw("what to vary, by path", {"anyOf": [_LIST, _RANGE, _CHOICES]}),
        "by path: a list, {from, to, step} or {from, to, factor}; by a name of your own: named choices;"
        " placement: places by pipeline",
    )
    objective: tuple[str, ...] = key(
        _OneOrMore(), "what is to be small; of several the first decides", (COST,)
    )
    constraints: tuple[Constraint, ...] | None = key(
        ListOf(CONSTRAINT), "what has to hold; left out: the targets of the base's slo", None
    )
    confidence: float = key(PART, "how sure the answer shall be", 0.95)
    indifference: float = key(PART, "relative difference that nobody cares about", 0.02)
    budget: int = key(ONE_OR_MORE, "replications of the whole search, at most", 2_000)
    replications: int = key(ONE_OR_MORE, "of a configuration before it may win, at least", 10)
    round: int = key(ONE_OR_MORE, "replications that are decided on at a time", 64)
    seed: int = key(COUNT, "start of all random streams", 1)
    explain: float = key(
        PART, "share of the budget kept for which inputs matter and where the answer tips over", 0.25
    )
    precision: float | None = key(
        PRECISION, "largest relative error of the winner's figures; left out: whatever it comes to", None
    )
    holds_at: tuple[int, ...] = key(
        ListOf(DURATION, 1), "ages of the repositories at which it has to hold; left out: for ever", ()
    )


STUDY = section_of(StudyFile)


def schema() -> Json:
    """Return the JSON Schema of a study file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "pachsim study",
        **STUDY.schema(),
    }


def rows() -> Mapping[str, Key]:
    """Return the keys of a study file by name, those of a constraint under ``constraints[]``."""
    inside = {f"constraints[].{each.name}": each for each in CONSTRAINT.keys}
    return {**{each.name: each for each in STUDY.keys}, **inside}
