"""The methods of the disruption loop, in its order: emptiness, drift, multi-node, single-node consolidation.

Each looks at the candidates that budgets let go and returns one command or why there is none. The first that
returns one ends the pass; emptiness and consolidation wait fifteen seconds and are judged again
(``validation.py``), and where that fails the pass goes on with the next.

Source: sigs.k8s.io/karpenter v1.14.1 pkg/controllers/disruption: emptiness.go, drift.go,
multinodeconsolidation.go, singlenodeconsolidation.go.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, zip_longest

from sim.decisions.karpenter.candidates import Candidate, Disruptable, by_savings, node_usd
from sim.decisions.karpenter.commands import Command, Why, simulate
from sim.decisions.karpenter.consolidation import below, consolidated
from sim.decisions.karpenter.disruption_budgets import within
from sim.decisions.karpenter.node_pools import DisruptionReason, Policy

MOST_AT_ONCE = 100
"""How many candidates multi-node consolidation looks at."""

Allowed = dict[str, int]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A command, or why there is none: of each set of nodes that was looked at, by their names."""

    command: Command | None = None
    reasons: Mapping[tuple[str, ...], Why] = field(default_factory=dict)
    held_back: bool = False


def wants_empty(candidate: Candidate) -> bool:
    """Say whether emptiness takes a node: it is empty, and its ``consolidateAfter`` is over."""
    return candidate.node.consolidatable and candidate.is_empty


def wants_drifted(candidate: Candidate) -> bool:
    """Say whether drift takes a node."""
    return candidate.node.drifted_s is not None


def wants_underutilized(candidate: Candidate) -> bool:
    """Say whether consolidation takes a node: not where the policy is WhenEmpty, nor an empty one."""
    takes = candidate.pool.policy is not Policy.WHEN_EMPTY
    return takes and candidate.node.consolidatable and not candidate.is_empty


def emptiness(view: Disruptable, found: Sequence[Candidate], allowed: Allowed) -> Outcome:
    """Return all empty nodes that budgets let go, dearest first, in one command."""
    kept, held_back = within(by_savings(found), allowed)
    if not kept:
        return Outcome(held_back=held_back)
    return Outcome(Command(DisruptionReason.EMPTY, "empty", tuple(kept)), {}, held_back)


def drift(view: Disruptable, found: Sequence[Candidate], allowed: Allowed) -> Outcome:
    """Return one drifted node: an empty one, else the first to drift of those whose pods find a place."""
    oldest = sorted(found, key=lambda one: (not one.is_empty, one.node.drifted_s or 0.0))
    reasons = dict[tuple[str, ...], Why]()
    for candidate in oldest:
        if allowed.get(candidate.pool.name, 0) <= 0:
            reasons[candidate.name,] = Why.BUDGET
            continue
        result = simulate(view, (candidate,), DisruptionReason.DRIFTED)
        if not isinstance(result, Why):
            going = (candidate,)
            return Outcome(
                Command(DisruptionReason.DRIFTED, "", going, result.new_claims, result.existing), reasons
            )
        reasons[candidate.name,] = result
    return Outcome(None, reasons)


def multi_node(view: Disruptable, found: Sequence[Candidate], allowed: Allowed) -> Outcome:
    """Return the largest of the prefixes that a binary search tries which can go together, two at least.

    A middle that fails rules out all longer ones, whether they would do or not.
    """
    kept, held_back = within(by_savings(found), allowed, MOST_AT_ONCE)
    reasons = dict[tuple[str, ...], Why]()
    command = None
    fewest, most = 1, len(kept) - 1
    while fewest <= most:
        middle = (fewest + most) // 2
        going = kept[: middle + 1]
        decided = _several(view, going)
        if isinstance(decided, Why):
            reasons[tuple(one.name for one in going)] = decided
            most = middle - 1
        else:
            command, fewest = decided, middle + 1
    return Outcome(command, reasons, held_back)


def _several(view: Disruptable, going: Sequence[Candidate]) -> Command | Why:
    command = consolidated(view, going, "multi")
    if isinstance(command, Why) or not command.replacements:
        return command
    (claim,) = command.replacements
    listed = {option.name for option in claim.options}
    same = [node_usd(one.node, one.option) for one in going if one.option.name in listed]
    cheaper = below(claim, min(same, default=math.inf))
    return Why.SAME_TYPE if isinstance(cheaper, Why) else replace(command, replacements=(cheaper,))


def single_node(view: Disruptable, found: Sequence[Candidate], allowed: Allowed) -> Outcome:
    """Return the first node that can go, pools taking turns."""
    reasons = dict[tuple[str, ...], Why]()
    held_back = False
    for candidate in _in_turns(by_savings(found)):
        if allowed.get(candidate.pool.name, 0) <= 0:
            held_back = True
            reasons[candidate.name,] = Why.BUDGET
            continue
        command = consolidated(view, (candidate,), "single")
        if not isinstance(command, Why):
            return Outcome(command, reasons, held_back)
        reasons[candidate.name,] = command
    return Outcome(None, reasons, held_back)


def _in_turns(found: Iterable[Candidate]) -> list[Candidate]:
    """Return candidates with one of each pool in turn, pools by name (upstream: as they come)."""
    by_pool: dict[str, list[Candidate]] = {}
    for candidate in found:
        by_pool.setdefault(candidate.pool.name, []).append(candidate)
    rounds = zip_longest(*(by_pool[name] for name in sorted(by_pool)))
    return [candidate for candidate in chain.from_iterable(rounds) if candidate is not None]


@dataclass(frozen=True, slots=True)
class Method:
    """One method: whom it wants, what it decides, the reason its budgets go by, and whether it validates."""

    name: str
    reason: DisruptionReason
    wants: Callable[[Candidate], bool]
    decide: Callable[[Disruptable, Sequence[Candidate], Allowed], Outcome]
    validates: bool = True


METHODS = (
    Method("empty", DisruptionReason.EMPTY, wants_empty, emptiness),
    Method("drift", DisruptionReason.DRIFTED, wants_drifted, drift, validates=False),
    Method("multi", DisruptionReason.UNDERUTILIZED, wants_underutilized, multi_node),
    Method("single", DisruptionReason.UNDERUTILIZED, wants_underutilized, single_node),
)
"""In the order of the loop (controller.go, NewMethods); static drift needs a gate that is off."""
