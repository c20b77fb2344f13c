"""Model values as JSON: a scenario exactly as it was simulated, whoever made it.

A dataclass is written with its class name and its fields, an enum by name, a tuple as a list; a time keeps
the name of its zone, because cron and weekly profiles follow its clock changes. Reading builds the values
again, so they check themselves.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

from sim.model import (
    arrivals,
    autoscaler,
    cluster,
    distributions,
    latency,
    pipelines,
    pods,
    resources,
    scenario,
)

IS = "is"  # the class
OMITTED = frozenset({"origin"})  # what a scenario was read from is not what was simulated
MODULES = (arrivals, autoscaler, cluster, distributions, latency, pipelines, pods, resources, scenario)


def to_json(value: Any) -> Any:
    """Return a model value as what ``json.dumps`` takes."""
    if is_dataclass(value) and not isinstance(value, type):
        said = {each.name: getattr(value, each.name) for each in fields(value) if each.name not in OMITTED}
        return {IS: type(value).__name__, **{name: to_json(each) for name, each in said.items()}}
    if isinstance(value, tuple):
        return [to_json(each) for each in value]
    if isinstance(value, Enum):
        return {IS: type(value).__name__, "name": value.name}
    return _leaf_to_json(value)


def from_json(value: Any) -> Any:
    """Return the model value that ``to_json`` was given; KeyError for a class there is not."""
    if isinstance(value, list):
        return tuple(from_json(each) for each in value)
    if not isinstance(value, Mapping):
        return value
    name = value[IS]
    if name in LEAVES:
        return LEAVES[name](value)
    made = _classes()[name]
    if issubclass(made, Enum):
        return made[value["name"]]
    return made(**{key: from_json(each) for key, each in value.items() if key != IS})


def _leaf_to_json(value: Any) -> Any:
    if isinstance(value, datetime):
        zone = value.tzinfo.key if isinstance(value.tzinfo, ZoneInfo) else None
        return {IS: "datetime", "at": value.isoformat(), "zone": zone}
    if isinstance(value, frozenset):
        return {IS: "frozenset", "of": sorted(value)}
    if isinstance(value, float) and not math.isfinite(value):
        return {IS: "float", "of": repr(value)}
    return value


def _datetime(value: Mapping[str, Any]) -> datetime:
    at = datetime.fromisoformat(value["at"])
    return at if value["zone"] is None else at.replace(tzinfo=ZoneInfo(value["zone"]))


LEAVES: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "datetime": _datetime,
    "frozenset": lambda value: frozenset(value["of"]),
    "float": lambda value: float(value["of"]),
}


@cache
def _classes() -> dict[str, type]:
    return {name: each for module in MODULES for name, each in _defined(module)}


def _defined(module: ModuleType) -> list[tuple[str, type]]:
    return [
        (name, each)
        for name, each in vars(module).items()
        if isinstance(each, type) and (is_dataclass(each) or issubclass(each, Enum))
    ]
