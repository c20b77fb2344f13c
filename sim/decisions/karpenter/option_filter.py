"""Which instance types are left for a claim once one more pod is in it.

A type stays if its labels intersect the claim's, if it holds the claim's requests with the DaemonSets that it
would get, and if an available offering is compatible. Of what stays there must be as many different values as
``minValues`` says, else nothing stays; with MIN_VALUES_POLICY=BestEffort a new claim lowers the number.

Source: sigs.k8s.io/karpenter v1.14.1 pkg/controllers/provisioning/scheduling/nodeclaim.go
(filterInstanceTypesByRequirements).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sim.decisions.karpenter.amounts import ZERO, Amounts
from sim.decisions.karpenter.instance_options import InstanceOption, lacking_values
from sim.decisions.karpenter.refusals import ClaimRefusal, OptionRefusal, Refused
from sim.decisions.karpenter.requirements import LabelRequirements, conflict


@dataclass(frozen=True, slots=True)
class Filtered:
    """The types that are left, and the requirements with what was lowered in them."""

    options: tuple[InstanceOption, ...]
    requirements: LabelRequirements
    min_values_relaxed: bool = False


def filtered(  # noqa: PLR0917  # a claim and what it is to hold
    pool: str,
    options: Sequence[InstanceOption],
    requirements: LabelRequirements,
    requests: Amounts,
    overheads: Mapping[str, Amounts],
    relaxes_min_values: bool = False,
) -> Filtered | Refused:
    """Return what is left for a claim of a pool, or why nothing is."""
    kept = tuple(
        option
        for option in options
        if refusal(option, requirements, requests, overheads.get(option.name, ZERO)) is None
    )
    if not kept:
        reasons = {
            option.name: why
            for option in options
            if (why := refusal(option, requirements, requests, overheads.get(option.name, ZERO)))
        }
        return Refused(pool, ClaimRefusal.INSTANCE_TYPES, options=reasons)
    lacking = lacking_values(kept, requirements)
    if not lacking:
        return Filtered(kept, requirements)
    if not relaxes_min_values:
        return Refused(pool, ClaimRefusal.MIN_VALUES, label=next(iter(lacking)))
    lowered = {key: replace(requirements[key], min_values=count) for key, count in lacking.items()}
    return Filtered(kept, {**requirements, **lowered}, min_values_relaxed=True)


def refusal(
    option: InstanceOption, requirements: LabelRequirements, requests: Amounts, overhead: Amounts
) -> OptionRefusal | None:
    """Return why a type does not do for a claim, None if it does."""
    if not requests.plus(overhead).fits(option.allocatable):
        return OptionRefusal.RESOURCES
    if conflict(option.requirements, requirements) is not None:
        return OptionRefusal.REQUIREMENTS
    if not any(offering.is_open_to(requirements) for offering in option.offerings):
        return OptionRefusal.OFFERINGS
    return None
