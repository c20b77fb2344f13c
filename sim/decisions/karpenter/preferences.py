"""Relaxation: what a pod that fits nowhere gives up, one step a failure, in this order.

The first required node-affinity term while more than one is left; then the heaviest preferred pod affinity,
pod anti-affinity and node affinity; then one soft spread; and last it tolerates every PreferNoSchedule taint,
if a pool has any.

Source: sigs.k8s.io/karpenter v1.14.1 pkg/controllers/provisioning/scheduling/preferences.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

from sim.decisions.karpenter.pod_specs import PodSpec
from sim.model.pods import Effect, Toleration

SOFT = Toleration(effect=Effect.PREFER_NO_SCHEDULE, exists=True)


class Weighted(Protocol):
    """A preference."""

    @property
    def weight(self) -> int: ...  # noqa: D102  # a protocol's member


Preference = TypeVar("Preference", bound=Weighted)


def relaxed(pod: PodSpec, tolerates_soft: bool) -> PodSpec | None:  # noqa: PLR0911  # one return a step
    """Return a pod with one wish less, None if it has none left; ``tolerates_soft``: step six is open."""
    if len(pod.node_affinity) > 1:
        return replace(pod, node_affinity=pod.node_affinity[1:])
    if pod.preferred_together:
        return replace(pod, preferred_together=_without_heaviest(pod.preferred_together))
    if pod.preferred_apart:
        return replace(pod, preferred_apart=_without_heaviest(pod.preferred_apart))
    if pod.node_preferences:
        return replace(pod, node_preferences=_without_heaviest(pod.node_preferences))
    soft = next((one for one in pod.spread_constraints if not one.hard), None)
    if soft is not None:
        return replace(pod, spread_constraints=_without(pod.spread_constraints, soft))
    if tolerates_soft and SOFT not in pod.tolerations:
        return replace(pod, tolerations=(*pod.tolerations, SOFT))
    return None


def without_preferences(pod: PodSpec) -> PodSpec:
    """Return a pod as PREFERENCE_POLICY=Ignore sees it: only what it requires."""
    return replace(
        pod,
        node_preferences=(),
        preferred_together=(),
        preferred_apart=(),
        spread_constraints=tuple(one for one in pod.spread_constraints if one.hard),
    )


def _without_heaviest(preferences: tuple[Preference, ...]) -> tuple[Preference, ...]:
    return tuple(sorted(preferences, key=lambda one: -one.weight))[1:]


Wish = TypeVar("Wish")


def _without(wishes: Sequence[Wish], gone: Wish) -> tuple[Wish, ...]:
    """Return the others; the last takes the place of the one that goes, as upstream."""
    place, *others = wishes.index(gone), *wishes
    others[place] = others[-1]
    return tuple(others[:-1])
