"""Values of the Cluster Autoscaler's Helm chart for what was simulated, or the user's own values with it in.

The chart makes a ``--key=value`` of each key under ``extraArgs``, up to its first ``_``, and a ConfigMap of
``expanderPriorities``.

Source: kubernetes/autoscaler 55c37cd5eb55, charts/cluster-autoscaler 9.59.0 values.yaml and
templates/deployment.yaml and priority-expander-configmap.yaml; aws.md §10.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from sim.adapters.eksctl.write import SERVICE_ACCOUNT

Flags = Mapping[str, Any]
MANY = ("balancing-ignore-label", "balancing-label")


def chart_values(
    cluster: str, region: str, release: str, flags: Flags, priorities: Mapping[str, Any], *, account: bool
) -> dict[str, Any]:
    """Return the values of a new release; ``flags`` are those to state, as texts, numbers and booleans.

    ``account``: somebody else makes its service account.
    """
    return {
        "cloudProvider": "aws",
        "awsRegion": region,
        "autoDiscovery": {"clusterName": cluster},
        "rbac": {"create": True, "serviceAccount": {"create": not account, "name": SERVICE_ACCOUNT}},
        "image": {"tag": f"v{release}"},
        "replicaCount": 1,
        "extraArgs": arguments(flags),
        **({"expanderPriorities": dict(priorities)} if priorities else {}),
    }


def changed_values(
    values: Mapping[str, Any], flags: Flags, priorities: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return the user's own values with ``flags`` in; ``priorities`` None leaves theirs."""
    changed = copy.deepcopy(dict(values))
    if flags:
        names = {*flags}
        kept = {
            key: value
            for key, value in (changed.get("extraArgs") or {}).items()
            if key.partition("_")[0] not in names or key in flags
        }
        changed["extraArgs"] = kept | arguments(flags)
    if priorities is not None:
        changed["expanderPriorities"] = dict(priorities)
    return changed


def arguments(flags: Flags) -> dict[str, Any]:
    """Return flags as ``extraArgs`` takes them; one that is given often gets a number behind each."""
    told: dict[str, Any] = {}
    for name, value in flags.items():
        words = str(value).split(",") if name in MANY else [value]
        for n, word in enumerate(words, 1):
            told[name if len(words) == 1 else f"{name}_{n}"] = word
    return told
