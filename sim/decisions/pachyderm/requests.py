"""Worker requests: what each container of a worker pod asks Kubernetes for, by Pachyderm version.

Two layers. From 2.8 on, cluster defaults fill every leaf a spec leaves out (A). Then the pod builder
writes the containers (B): ``user`` gets what the spec holds, or a default when it holds neither requests
nor limits; ``storage`` 64M unless sidecar requests replace it; ``init`` copies ``user`` except the GPU.
Last, Kubernetes gives a container the limit of every resource it requests nothing of.

Sources: pachyderm/pachyderm src/server/pps/server/defaults.go and worker_rc.go, v2.11.6 and v2.4.0;
src/internal/clusterstate/v2.8.0/defaults.go; pachyderm.md §1.3 and §1.4.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from sim.decisions.kubernetes.scores import UNSET_CPU_M, UNSET_MEMORY_MIB, unset_request
from sim.errors import InputError
from sim.model.pipelines import ClusterDefaults, Pipeline, ResourceSpec
from sim.model.quantity import milli
from sim.model.resources import MIB, Container, mib_up

NEWEST_MINOR = 12
GIB = 1024 * MIB
FIRST_MINOR_BY_JOB, FIRST_MINOR_WITHOUT_LIMITS = 4, 12
COMMUNITY_PIPELINES, COMMUNITY_WORKERS = 16, 8  # v2.11.6 src/server/enterprise/limits/limits.go
SIDECAR_MEMORY_BYTES = 64_000_000  # "64M", as is the init container's and, before 2.5, the user's


class RequestRules(IntEnum):
    """Versions at which the rules changed; each holds until the next."""

    PRE_2_5 = 0
    V2_5 = 5
    V2_6 = 6
    V2_8 = 8


STOCK_REQUESTS = ResourceSpec(cpu=1.0, memory_bytes=256 * MIB, disk_bytes=GIB)
STOCK_DEFAULTS = ClusterDefaults(resource_requests=STOCK_REQUESTS, sidecar_resource_requests=STOCK_REQUESTS)
EMPTIED_DEFAULTS = ClusterDefaults()


@dataclass(frozen=True, slots=True)
class WorkerRequests:
    """The containers of a worker pod.

    ``unset_cpu_m`` and ``unset_memory_mib`` are what kube-scheduler's scores add for containers that ask for
    none. ``problems`` say why Kubernetes would refuse the pod.
    """

    containers: tuple[Container, ...]
    unset_cpu_m: int
    unset_memory_mib: int
    problems: tuple[str, ...]


def request_rules(version: str) -> RequestRules:
    """Return the rules of a Pachyderm version, such as ``pre-2.5``, ``2.6``, ``2.11.6`` or ``v2.8``."""
    if version == "pre-2.5":
        return RequestRules.PRE_2_5
    major, _, rest = version.removeprefix("v").partition(".")
    minor = rest.partition(".")[0]
    if major == "1" and minor.isdecimal():
        return RequestRules.PRE_2_5
    if major != "2" or not minor.isdecimal() or int(minor) > NEWEST_MINOR:
        raise InputError(value=version, allowed=f"pre-2.5, or 2.5 to 2.{NEWEST_MINOR}")
    return max(rules for rules in RequestRules if rules <= int(minor))


def standby_awaits_compaction(version: str) -> bool:
    """Say whether a pipeline stays awake until its output is FINISHED, as before 2.5 (PR #8464)."""
    return request_rules(version) < RequestRules.V2_5


def sets_by_phase(version: str) -> bool:
    """Say whether sets are sized by the datums of their phase, as before 2.4 (worker.go createSetSpec)."""
    return _minor(version) < FIRST_MINOR_BY_JOB


def community_limits(version: str) -> bool:
    """Say whether pachd without an activation key limits plans, as up to 2.11.6 (gone in v2.12.0-rc.2)."""
    return _minor(version) < FIRST_MINOR_WITHOUT_LIMITS


def _minor(version: str) -> int:
    """Return the second number of a version of 2.x, -1 for those before."""
    major, _, rest = version.removeprefix("v").partition(".")
    return 4 if version == "pre-2.5" else int(rest.partition(".")[0]) if major == "2" else -1


def worker_requests(
    spec: Pipeline, rules: RequestRules, defaults: ClusterDefaults = STOCK_DEFAULTS
) -> WorkerRequests:
    """Return the worker pod's containers, in the order init, user, storage."""
    said = effective_resources(spec, defaults if rules >= RequestRules.V2_8 else EMPTIED_DEFAULTS)
    init, user, storage = _requests(said, rules)
    limits, sidecar_limits = _amounts(said.resource_limits), _amounts(said.sidecar_resource_limits)
    problems = _refusals("user", user, limits) + _refusals("storage", storage, sidecar_limits)
    containers = (
        _container("init", init, limits, init=True),
        _container("user", user, limits),
        _container("storage", storage, sidecar_limits),
    )
    regular = (limits | user, sidecar_limits | storage)
    return WorkerRequests(
        containers,
        unset_cpu_m=unset_request(
            [amounts.get("cpu") for amounts in regular], [(limits | init).get("cpu")], UNSET_CPU_M
        ),
        unset_memory_mib=unset_request(
            [_mib(amounts.get("memory")) for amounts in regular],
            [_mib((limits | init).get("memory"))],
            UNSET_MEMORY_MIB,
        ),
        problems=problems,
    )


def _mib(amount_bytes: int | None) -> int | None:
    return None if amount_bytes is None else mib_up(amount_bytes)


def effective_resources(spec: Pipeline, defaults: ClusterDefaults) -> ClusterDefaults:
    """Return the four messages after layer A: defaults merged under the spec, leaf by leaf (RFC 7396)."""

    def merged(name: str) -> ResourceSpec | None:
        default: ResourceSpec | None = getattr(defaults, name)
        said: ResourceSpec | None = getattr(spec, name)
        if name in spec.nulled:
            return None
        return default if said is None else _merged_leaves(said, default or ResourceSpec())

    return ClusterDefaults(
        resource_requests=merged("resource_requests"),
        resource_limits=merged("resource_limits"),
        sidecar_resource_requests=merged("sidecar_resource_requests"),
        sidecar_resource_limits=merged("sidecar_resource_limits"),
    )


def _merged_leaves(said: ResourceSpec, default: ResourceSpec) -> ResourceSpec:
    def leaf(name: str, attribute: str) -> Any:
        value = getattr(said, attribute)
        return getattr(default, attribute) if value is None and name not in said.nulled else value

    return ResourceSpec(
        cpu=leaf("cpu", "cpu"),
        memory_bytes=leaf("memory", "memory_bytes"),
        disk_bytes=leaf("disk", "disk_bytes"),
        gpu=leaf("gpu", "gpu"),
    )


Amounts = dict[str, int]


def _requests(said: ClusterDefaults, rules: RequestRules) -> tuple[Amounts, Amounts, Amounts]:
    """Return the request lists of init, user and storage as layer B writes them."""
    user = _amounts(said.resource_requests)
    if rules is RequestRules.PRE_2_5:
        user = {"cpu": 0, "memory": SIDECAR_MEMORY_BYTES} | user
    elif said.resource_requests is None and said.resource_limits is None:
        user = _amounts(STOCK_REQUESTS)  # PIPELINE_DEFAULT_*_REQUEST of src/internal/pachconfig/config.go
    small = {"cpu": 0, "memory": SIDECAR_MEMORY_BYTES}
    init = small | {name: amount for name, amount in user.items() if name != "gpu"}
    replaced = rules >= RequestRules.V2_6 and said.sidecar_resource_requests is not None
    return init, user, _amounts(said.sidecar_resource_requests) if replaced else small


def _amounts(spec: ResourceSpec | None) -> Amounts:
    """Return the resource list of a message; a zero or dropped leaf is not in it."""
    if spec is None:
        return {}
    amounts = {
        "cpu": _millicores(spec.cpu or 0.0),
        "memory": spec.memory_bytes or 0,
        "ephemeral": spec.disk_bytes or 0,
        "gpu": spec.gpu.number if spec.gpu else 0,
    }
    return {name: amount for name, amount in amounts.items() if amount}


def _millicores(cpu: float) -> int:
    """Return millicores: the field is a 32-bit float, printed with six decimals, then rounded up."""
    (single,) = struct.unpack("f", struct.pack("f", cpu))
    return milli(f"{single:.6f}")


def _container(name: str, requests: Amounts, limits: Amounts, *, init: bool = False) -> Container:
    amounts = limits | requests
    return Container(
        name=name,
        cpu_m=amounts.get("cpu", 0),
        memory_bytes=amounts.get("memory", 0),
        ephemeral_bytes=amounts.get("ephemeral", 0),
        gpu=amounts.get("gpu", 0),
        limit_memory_bytes=limits.get("memory"),
        init=init,
    )


def _refusals(container: str, requests: Amounts, limits: Amounts) -> tuple[str, ...]:
    """Return why the API server would not take these (k8s.io/kubernetes pkg/apis/core/validation)."""
    above = [
        f"container {container} requests more {name} ({requests[name]}) than its limit ({limits[name]})"
        for name in limits
        if requests.get(name, 0) > limits[name]
    ]
    if "gpu" in requests and requests["gpu"] != limits.get("gpu"):
        above.append(f"container {container} requests GPUs without an equal limit; set gpu in resourceLimits")
    return tuple(dict.fromkeys(above))
