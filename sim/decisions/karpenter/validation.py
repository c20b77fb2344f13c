"""The second look at a command, fifteen seconds later.

Of empty nodes those that still are go. Otherwise all candidates must still be candidates and within budget,
and the simulation must give the same again: nothing new, or one claim with all types of the command's.

Source: sigs.k8s.io/karpenter v1.14.1 pkg/controllers/disruption/validation.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sim.decisions.karpenter.candidates import Candidate, Disruptable
from sim.decisions.karpenter.commands import Command, Why, simulate
from sim.decisions.karpenter.disruption_budgets import within

VALIDATION_S = 15
"""How long a decision waits before it is looked at again (consolidationTTL)."""


def validated(
    view: Disruptable, command: Command, found: Sequence[Candidate], allowed: dict[str, int]
) -> Command | None:
    """Return what is left of a command, None if nothing is; ``found`` are the method's candidates now."""
    names = [candidate.name for candidate in command.nodes]
    kept, _ = within((one for one in found if one.name in names), allowed)
    if command.method == "empty":
        return replace(command, nodes=tuple(kept)) if kept else None
    if len(kept) < len(command.nodes):
        return None
    result = simulate(view, sorted(kept, key=lambda one: names.index(one.name)), command.reason)
    if isinstance(result, Why) or len(result.new_claims) != len(command.replacements):
        return None
    if any(
        not {option.name for option in planned.options} <= {option.name for option in again.options}
        for planned, again in zip(command.replacements, result.new_claims, strict=True)
    ):
        return None
    return command
