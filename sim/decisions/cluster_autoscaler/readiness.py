"""Readiness: what the cluster state registry compares: what the cloud says, and the nodes that are there.

Source: Cluster Autoscaler 1.31.5, clusterstate/clusterstate.go (Readiness, ScaleUpRequest, ScaleUpFailure).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from sim.model.log import BackoffReason

if TYPE_CHECKING:
    from sim.decisions.cluster_autoscaler.balancing import GroupSize


class Cloud(Protocol):
    """What the cloud provider tells the autoscaler; on AWS possibly a minute old."""

    def sizes(self) -> Sequence[GroupSize]:
        """Return bounds and target of each group."""

    def list_instances(self, group: int) -> Collection[int]:
        """Return the instances of a group that are listed, placeholders included."""

    def failed_instances(self, group: int) -> frozenset[int]:
        """Return those of them that report that they cannot be launched."""


@dataclass(frozen=True, slots=True)
class RegisteredNodes:
    """The nodes that the API server shows.

    ``ids`` of all of them; ``ready`` ones of each group, as far as the cloud view knows which is
    whose; ``starting`` are not ready yet: id to group and creation.
    """

    ids: Collection[int]
    ready: Sequence[int]
    starting: Mapping[int, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Listing:
    """The instances of a group when they were fetched."""

    instances: frozenset[int]
    failed: frozenset[int]


def fetch(cloud: Cloud, group: int) -> Listing:
    """Return what the cloud lists of a group now."""
    return Listing(frozenset(cloud.list_instances(group)), cloud.failed_instances(group))


@dataclass(slots=True)
class Readiness:
    """Node and instance ids of one group, by state."""

    ready: int = 0
    unready: int = 0
    not_started: list[int] = field(default_factory=list)
    unregistered: int = 0
    long_unregistered: list[int] = field(default_factory=list)

    @property
    def registered(self) -> int:
        """Nodes in whatever state."""
        return self.ready + self.unready + len(self.not_started)


@dataclass(slots=True)
class ScaleUpRequest:
    """Nodes asked for and not all there yet; each increase moves the deadline for all."""

    increase: int
    expected_add_us: int


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed scale-up, and until when it backs the group off."""

    group: int
    until_us: int
    reason: BackoffReason
