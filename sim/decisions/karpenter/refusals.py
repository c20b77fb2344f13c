"""Why a pod got no place: for each pool why it opens no claim, and for each of its types what is wrong.

Source: the errors of sigs.k8s.io/karpenter v1.14.1 pkg/controllers/provisioning/scheduling/nodeclaim.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class ClaimRefusal(Enum):
    """Why a claim, or a pool that might open one, does not take a pod."""

    TAINTS = "taints"
    HOST_PORTS = "host_ports"
    REQUIREMENTS = "requirements"
    TOPOLOGY = "topology"
    LIMITS = "limits"
    INSTANCE_TYPES = "instance_types"
    MIN_VALUES = "min_values"
    RESERVED_DEFERRED = "reserved_deferred"


class OptionRefusal(Enum):
    """Why an instance type does not do for a claim."""

    REQUIREMENTS = "requirements"
    RESOURCES = "resources"
    OFFERINGS = "offerings"
    LIMITS = "limits"


@dataclass(frozen=True, slots=True)
class Refused:
    """One pool's refusal: ``label`` is the label or taint at fault, ``options`` what each type lacks."""

    pool: str
    why: ClaimRefusal
    label: str = ""
    options: Mapping[str, OptionRefusal] = field(default_factory=dict)
