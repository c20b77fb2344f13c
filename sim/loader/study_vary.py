"""What a study varies: lists, ranges, named choices and placements, as factors with ``path=value`` texts.

- ``path: [1, 2, 5]`` puts each value there;
- ``path: {from: 1Gi, to: 8Gi, step: 1Gi}`` counts up, ``{from: 1, to: 64, factor: 2}`` multiplies;
- ``any name: {small: {path: value}, large: {path: value, path: value}}`` puts several things at once;
- ``placement: {edges: [workers, fargate-pachyderm]}`` sends a pipeline's workers to a node group or to a
  Fargate profile, by the labels, selectors and tolerations that takes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from itertools import count
from typing import Any

from sim.documents.fields import Field
from sim.errors import InputError, nearest
from sim.loader.notes import flow
from sim.loader.overrides import parse_set
from sim.loader.values.kinds import ListOf
from sim.loader.values.scalars import TEXT
from sim.model.cluster import FargateProfile, NodeGroup
from sim.model.scenario import PipelineLoad, Scenario
from sim.model.study import Choice, Factor

PLACEMENT = "placement"
MOST_CHOICES = 1_000
RANGE = ("from", "to", "step", "factor")
VARY_ALLOWED = "a list, {from, to, step}, {from, to, factor} or named choices"
GROUP_LABEL = "alpha.eksctl.io/nodegroup-name"  # eksctl gives it to managed and self-managed nodes alike
_AMOUNT = re.compile(r"(-?\d+(?:\.\d+)?)([A-Za-z%/]*)", re.ASCII)
_PLAIN = re.compile(r"[A-Za-z][\w./-]*", re.ASCII)
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


def factors(vary: Field, base: Scenario) -> Iterator[Factor]:
    """Yield what is varied, in the order of the file."""
    for name, at in vary.children():
        if name == PLACEMENT:
            yield from _placements(at, base)
        elif isinstance(at.value, list):
            yield _listed(name, at)
        elif isinstance(at.value, dict) and "from" in at.value:
            yield _ranged(name, at)
        elif isinstance(at.value, dict) and at.value:
            yield _named(name, at)
        else:
            raise at.error(allowed=VARY_ALLOWED)


def assignment(path: str, value: Any, at: Field) -> str:
    """Return the ``path=value`` text that puts a value of a study file at a path."""
    text = f"{path}={_written(value)}"
    try:
        parse_set(text)
    except InputError as error:
        raise at.error(f"is {path!r}: {error.problem}", allowed=error.allowed) from None
    return text


def _listed(path: str, at: Field) -> Factor:
    values = at.value
    if not 0 < len(values) <= MOST_CHOICES:
        raise at.error(allowed=f"1 to {MOST_CHOICES} values")
    return _factor(path, values, at)


def _factor(path: str, values: list[Any], at: Field) -> Factor:
    choices = tuple(Choice(flow(value), (assignment(path, value, at),)) for value in values)
    if len({choice.label for choice in choices}) < len(choices):
        raise at.error("says a value twice", allowed="each value once")
    return Factor(path, choices, _goes_up(values))


def _ranged(path: str, at: Field) -> Factor:
    at.known(RANGE)
    said = {name: _amount(child) for name, child in at.children()}
    units = {unit for name, (_, unit) in said.items() if name != "factor"}
    if "to" not in said or ("step" in said) == ("factor" in said):
        raise at.error(allowed="from, to, and either step or factor")
    if len(units) > 1:
        raise at.error(allowed="from, to and step in one unit, as in {from: 1Gi, to: 8Gi, step: 1Gi}")
    (first, unit), (last, _) = said["from"], said["to"]
    step, factor = (said[name][0] if name in said else None for name in ("step", "factor"))
    if (step is not None and step <= 0) or (factor is not None and (factor <= 1 or first <= 0)):
        raise at.error(allowed="a step above 0, or a factor above 1 and from above 0")
    values: list[Any] = []
    for n in count():
        value = first + n * step if step is not None else first * (factor or 1) ** n
        if value > last or len(values) > MOST_CHOICES:
            break
        values.append(_with_unit(value, unit))
    if not 0 < len(values) <= MOST_CHOICES:
        raise at.error(allowed=f"1 to {MOST_CHOICES} values")
    return _factor(path, values, at)


def _named(name: str, at: Field) -> Factor:
    choices = []
    for label, sets in at.children():
        sets.mapping()
        texts = tuple(assignment(path, value, sets) for path, value in sets.value.items())
        choices.append(Choice(label, texts))
    return Factor(name, tuple(choices))


def _placements(at: Field, base: Scenario) -> Iterator[Factor]:
    loads = {load.pipeline.shown_name: load for load in base.pipelines}
    for name, places in at.children():
        if name not in loads:
            raise places.error("names no pipeline", allowed=", ".join(loads), near=nearest(name, loads))
        listed = ListOf(TEXT, 1).read(places)
        choices = (_placement(loads[name], place, base, places) for place in listed)
        yield Factor(f"placement of {name}", tuple(choices))


def _placement(load: PipelineLoad, place: str, base: Scenario, at: Field) -> Choice:
    """Return what sends a pipeline's workers to a place."""
    groups = {group.name: group for group in base.cluster.node_groups}
    profiles = {profile.name: profile for profile in base.cluster.fargate_profiles}
    if place in profiles:
        return Choice(place, tuple(_to_profile(load, profiles[place], at)))
    if place in groups:
        return Choice(place, tuple(_to_group(load, groups[place], profiles.values(), at)))
    known = [*groups, *profiles]
    raise at.error(f"names {place!r}", allowed=", ".join(known), near=nearest(place, known))


def _to_group(load: PipelineLoad, group: NodeGroup, profiles: Any, at: Field) -> Iterator[str]:
    path = f"pipelines[{load.pipeline.shown_name}]"
    yield assignment(f"{path}.schedulingSpec.nodeSelector", {GROUP_LABEL: group.name}, at)
    tolerations = [
        {"key": t.key, "operator": "EQUAL", "value": t.value, "effect": t.effect.name} for t in group.taints
    ]
    if tolerations:
        yield assignment(f"{path}.tolerations", tolerations, at)
    keys = {key for profile in profiles for selector in profile.selectors for key, _ in selector.labels}
    labels = dict(load.pipeline.labels)
    if keys & set(labels):
        kept = {key: value for key, value in labels.items() if key not in keys}
        yield assignment(f"{path}.metadata.labels", kept, at)


def _to_profile(load: PipelineLoad, profile: FargateProfile, at: Field) -> Iterator[str]:
    path, selector = f"pipelines[{load.pipeline.shown_name}]", profile.selectors[0]
    for key, value in selector.labels:
        if set(value) & set("*?"):
            raise at.error(f"names {profile.name!r}, whose label {key} is a pattern", allowed="a plain label")
    labels = dict(load.pipeline.labels) | dict(selector.labels)
    yield assignment(f"{path}.metadata.labels", labels, at)
    if load.pipeline.node_selector:
        yield f"{path}.schedulingSpec.nodeSelector="


def _goes_up(values: list[Any]) -> bool:
    """Say whether values are numbers, or amounts of one unit, that go up."""
    found = [_AMOUNT.fullmatch(str(value)) for value in values if not isinstance(value, bool)]
    amounts = [(Decimal(match[1]), match[2]) for match in found if match is not None]
    numbers = [number for number, _ in amounts]
    return (
        len(amounts) == len(values) > 1
        and len({unit for _, unit in amounts}) == 1
        and numbers == sorted(numbers)
    )


def _amount(at: Field) -> tuple[Decimal, str]:
    said = f"{Decimal(str(at.value)):f}" if isinstance(at.value, float) else str(at.value)  # not as 1e-09
    match = None if isinstance(at.value, bool) else _AMOUNT.fullmatch(said)
    if match is None:
        raise at.error(allowed="a number, with a unit or without")
    return Decimal(match[1]), match[2]


def _with_unit(value: Decimal, unit: str) -> Any:
    if unit:
        return f"{value.normalize():f}{unit}"
    return int(value) if value == int(value) else float(value)


def _written(value: Any) -> str:
    """Return a value as YAML on one line that reads back the same."""
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.casefold() not in _WORDS:
        return value
    return json.dumps(value)
