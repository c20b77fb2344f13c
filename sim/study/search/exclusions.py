"""Exclusions: configurations that were simulated and may not be named, each with the reason.

What is excluded cannot win and does not hold. That a backlog grows, that latencies climb or that something
cannot be deployed is known, so such a configuration is no rival either. What is undecided may yet be the
best: where it could be, no other is surely so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from sim.study.search.space import Point


class Kind(StrEnum):
    """Why a configuration is excluded; the keys of ``excluded`` in the document of a search."""

    UNSTABLE = "unstable"
    DRIFTING = "drifting"
    UNDECIDED = "undecided"
    NOT_DEPLOYABLE = "not_deployable"


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Why one configuration is excluded; ``reason`` is a sentence for people."""

    kind: Kind
    reason: str


Exclusions: TypeAlias = "Mapping[Point, Exclusion]"
NONE: Exclusions = {}
