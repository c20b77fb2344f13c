"""Sizing: what one worker pod of a pipeline asks for, where it can run, how many fit, and the price.

One spec, no simulation: requests by Pachyderm's rules, the Fargate size with its price and what would
make it cheaper, and the node types it fits on after kubelet, daemons and pod limits have had their part.

Sources: pachyderm.md §1.3 and §1.4, aws.md §1, §5.1 and §7, cluster-autoscaler.md §6.3.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from sim.adapters.pachyderm.spec import read_specs
from sim.catalog import HOME_REGION, Catalog
from sim.decisions.aws.fargate import (
    cheaper_request,
    fargate_size,
    usable_memory_mib,
)
from sim.decisions.aws.fargate_admission import FargateCandidate, refusals
from sim.decisions.kubernetes.accelerators import devices
from sim.decisions.kubernetes.allocatable import DEFAULT_VOLUME_GIB, allocatable, managed_max_pods
from sim.decisions.kubernetes.empty_node import EKS_DAEMONS, empty_node
from sim.decisions.pachyderm.requests import RequestRules, request_rules, worker_requests
from sim.errors import InputError
from sim.model.billing import fargate_usd_per_hour, volume_usd_per_hour
from sim.model.machines import FARGATE_OVERHEAD_MIB, FargatePrice, FargateSize, InstanceType, Price
from sim.model.pipelines import Pipeline, ResourceSpec, accelerator
from sim.model.resources import MIB, Container, Resources, mib_up, pod_requests
from sim.model.scenario import PachydermOptions

# Looked at only when named: a share and credits instead of cores; GPUs that are not NVIDIA's (aws.md §11).
UNUSUAL = ("t2.", "t3.", "t3a.", "t4g.", "g4ad.")
SHOWN_TYPES = 10


@dataclass(frozen=True, slots=True)
class FargateOffer:
    """What Fargate makes of the pod; ``refusals`` say why it would not run there, then there is no size.

    ``usable_mib`` is what the user container can use at most; ``advice`` is what would cost less.
    """

    size: FargateSize | None
    usd_per_hour: float | None
    usable_mib: int
    refusals: tuple[str, ...]
    advice: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NodeOffer:
    """A node type: how many such pods one node holds, what runs out first, and nodes for all workers."""

    instance_type: str
    pods: int
    limited_by: str
    nodes: int
    usd_per_node_hour: float | None

    @property
    def usd_per_hour(self) -> float | None:
        """The price of nodes for all workers, None where it is unknown or none fits."""
        return (
            None if self.usd_per_node_hour is None or not self.pods else self.nodes * self.usd_per_node_hour
        )


@dataclass(frozen=True, slots=True)
class PodSize:
    """One pipeline's worker pod.

    ``requests`` is the effective request: the largest init container or the sum of the others.
    ``node_types_fitting`` of ``node_types_looked_at`` hold at least one; ``nodes`` are the ones named, or
    the cheapest for all ``workers``. ``problems`` say why Kubernetes would refuse the pod anywhere.
    """

    pipeline: str
    pachyderm: str
    region: str
    containers: tuple[Container, ...]
    requests: Resources
    workers: int
    fargate: FargateOffer
    nodes: tuple[NodeOffer, ...]
    node_types_fitting: int
    node_types_looked_at: int
    problems: tuple[str, ...]
    warnings: tuple[str, ...]

    def container_rows(self) -> list[dict[str, Any]]:
        """Return what each container asks for, and the pod as a whole, a row each."""
        rows = [
            {
                "container": each.name,
                "cpu_m": each.cpu_m,
                "memory_mib": each.memory_bytes / MIB,
                "ephemeral_mib": each.ephemeral_bytes / MIB,
                "gpu": each.gpu,
            }
            for each in self.containers
        ]
        return [*rows, {"container": "pod", **asdict(self.requests)}]

    def node_rows(self) -> list[dict[str, Any]]:
        """Return the node types, a row each."""
        return [{**asdict(offer), "usd_per_hour": offer.usd_per_hour} for offer in self.nodes]

    def document(self) -> dict[str, Any]:
        """Return everything as plain values for JSON."""
        bought = self.fargate.size
        return {
            "pipeline": self.pipeline,
            "pachyderm": self.pachyderm,
            "region": self.region,
            "workers": self.workers,
            "containers": self.container_rows(),
            "fargate": {**asdict(self.fargate), "size": None if bought is None else bought.label},
            "nodes": self.node_rows(),
            "node_types_fitting": self.node_types_fitting,
            "node_types_looked_at": self.node_types_looked_at,
            "problems": list(self.problems),
            "warnings": list(self.warnings),
        }

    def told(self, *warnings: str) -> PodSize:
        """Return the same with what else there is to say first."""
        return replace(self, warnings=warnings + self.warnings)


@dataclass(frozen=True, slots=True)
class Market:
    """What is sold in a region; ``fargate`` is None where Fargate has no known price."""

    region: str
    catalog: Catalog
    sizes: Sequence[FargateSize]
    fargate: FargatePrice | None
    on_demand: Mapping[str, Price]
    usd_per_gib_month: float

    def fargate_usd(self, bought: FargateSize, requests: Resources) -> float | None:
        """Return the price of an hour of a pod, storage included."""
        if self.fargate is None:
            return None
        return fargate_usd_per_hour(bought, self.fargate.rates, requests.ephemeral_mib)

    def node_usd(self, instance: InstanceType) -> float | None:
        """Return the price of an hour of a node, its volume included."""
        price = self.on_demand.get(instance.name)
        if price is None:
            return None
        return price.usd_per_hour + volume_usd_per_hour(DEFAULT_VOLUME_GIB, self.usd_per_gib_month)


def size(
    spec: str | Path,
    *,
    region: str = HOME_REGION,
    pachyderm: str = PachydermOptions().version,
    instance_types: Sequence[str] = (),
) -> tuple[PodSize, ...]:
    """Return the worker pod of every pipeline in a spec file, in its order.

    Raises InputError for a file that is no spec, and for an unknown version, region or type.
    """
    try:
        rules = request_rules(pachyderm)
    except InputError as error:
        raise error.inside("pachyderm") from None
    market = market_of(region)
    return tuple(
        pod_size(read.pipeline, pachyderm, rules, market, instance_types).told(*map(str, read.notices))
        for read in read_specs(Path(spec))
    )


def market_of(region: str) -> Market:
    """Return what the catalog knows of a region."""
    catalog = Catalog()
    on_demand = catalog.on_demand_prices(region)  # an unknown region is an error,
    try:
        fargate = catalog.fargate_price(region)
    except InputError:
        fargate = None  # one without a Fargate price is not
    return Market(
        region, catalog, catalog.fargate_sizes(), fargate, on_demand, catalog.prices(region)["ebs_gp3"].usd
    )


def pod_size(
    pipeline: Pipeline, version: str, rules: RequestRules, market: Market, instance_types: Sequence[str] = ()
) -> PodSize:
    """Return the size of one pipeline's worker pod."""
    worker = worker_requests(pipeline, rules)
    requests = pod_requests(worker.containers)
    resource = accelerator(pipeline)
    named = [_offering(market.catalog.instance(name), resource) for name in instance_types]
    looked_at = named or _usual(market, requests, resource)
    offers = [node_offer(each, requests, pipeline.parallelism, market.node_usd(each)) for each in looked_at]
    fitting = [offer for offer in offers if offer.pods]
    return PodSize(
        pipeline=pipeline.full_name,
        pachyderm=version,
        region=market.region,
        containers=worker.containers,
        requests=requests,
        workers=pipeline.parallelism,
        fargate=fargate_offer(pipeline, rules, market),
        nodes=tuple(offers if instance_types else sorted(fitting, key=_price_of_all)[:SHOWN_TYPES]),
        node_types_fitting=len(fitting),
        node_types_looked_at=len(offers),
        problems=worker.problems,
        warnings=tuple(_warnings(pipeline, rules)),
    )


def node_offer(
    instance: InstanceType, requests: Resources, workers: int = 1, usd_per_hour: float | None = None
) -> NodeOffer:
    """Return how many pods with these requests one node of a type holds beside what EKS puts on it."""
    empty = empty_node(allocatable(instance), managed_max_pods(instance), EKS_DAEMONS.values())
    pods, limit = empty.bottleneck(requests)
    nodes = -(-workers // pods) if pods else 0
    return NodeOffer(instance.name, pods, limit, nodes, usd_per_hour)


def fargate_offer(pipeline: Pipeline, rules: RequestRules, market: Market) -> FargateOffer:
    """Return what Fargate sells the pod, or why it does not."""
    containers = worker_requests(pipeline, rules).containers
    requests = pod_requests(containers)
    refused = tuple(refusal.value for refusal in refusals(FargateCandidate(requests), market.sizes))
    bought = None if refused else fargate_size(requests, market.sizes)
    if bought is None:
        return FargateOffer(None, None, 0, refused, ())
    sidecar_bytes = sum(c.memory_bytes for c in containers if c.name == "storage")
    return FargateOffer(
        size=bought,
        usd_per_hour=market.fargate_usd(bought, requests),
        usable_mib=usable_memory_mib(bought) - mib_up(sidecar_bytes),
        refusals=(),
        advice=tuple(_advice(pipeline, rules, bought, market)),
    )


def _advice(pipeline: Pipeline, rules: RequestRules, bought: FargateSize, market: Market) -> Iterator[str]:
    """Yield requests that buy a smaller size (aws.md §1.3; pachyderm.md §1.4, sidecar down-sizing)."""
    requests = pod_requests(worker_requests(pipeline, rules).containers)
    now_usd = market.fargate_usd(bought, requests)
    cheaper = cheaper_request(requests, market.sizes)
    if cheaper is not None:
        yield (
            f"{requests.memory_mib - cheaper.memory_mib} MiB less memory ({cheaper.memory_mib} MiB in all, "
            f"as Fargate adds {FARGATE_OVERHEAD_MIB} MiB) lands on {cheaper.size.label}"
            f"{_saving(now_usd, market.fargate_usd(cheaper.size, requests))}"
        )
    if rules < RequestRules.V2_8 or pipeline.sidecar_resource_requests is not None:
        return
    lean = replace(pipeline, sidecar_resource_requests=ResourceSpec(cpu=0.0))
    lean_requests = pod_requests(worker_requests(lean, rules).containers)
    smaller = fargate_size(lean_requests, market.sizes)
    if smaller is not None and smaller < bought:
        yield (
            "the sidecar asks for 1 cpu by cluster defaults; sidecarResourceRequests {cpu: 0} lands on "
            f"{smaller.label}{_saving(now_usd, market.fargate_usd(smaller, lean_requests))}"
        )


def _warnings(pipeline: Pipeline, rules: RequestRules) -> Iterator[str]:
    """Yield what follows from asking for nothing, which depends on the version (pachyderm.md §1.4)."""
    if pipeline.resource_requests is not None or pipeline.resource_limits is not None:
        return
    if rules is RequestRules.PRE_2_5:
        yield (
            "no resourceRequests: before Pachyderm 2.5 the pod asks for next to nothing, so Fargate gives it "
            "the smallest size, 0.25vCPU 0.5GB, and workers are often killed for want of memory"
        )
    elif rules < RequestRules.V2_8:
        yield (
            "no resourceRequests: since Pachyderm 2.5 the user container then asks for 1 cpu and 256Mi, "
            "so the pod does not land on Fargate's smallest size"
        )
    else:
        yield (
            "no resourceRequests: since Pachyderm 2.8 cluster defaults ask for 1 cpu and 256Mi for the user "
            "container and again for the sidecar, so the pod does not land on Fargate's smallest size; "
            "`pachctl inspect defaults --cluster` shows yours"
        )


def _offering(instance: InstanceType, resource: str) -> InstanceType:
    """Return a type with the devices that a node of it offers under a resource's name."""
    return replace(instance, gpu=devices(instance, resource))


def _usual(market: Market, requests: Resources, resource: str) -> list[InstanceType]:
    """Return the types worth a look: priced here, x86, ordinary, with GPUs if the pod wants some."""
    every = market.catalog.instances().values()
    return [
        instance
        for instance in (_offering(kind, resource) for kind in every)
        if instance.name in market.on_demand
        and instance.arch == "amd64"
        and (instance.gpu > 0) == (requests.gpu > 0)
        and not instance.name.startswith(UNUSUAL)
    ]


def _saving(now: float | None, then: float | None) -> str:
    return "" if now is None or then is None else f" at ${then:.6f}/h, {1 - then / now:.1%} less"


def _price_of_all(offer: NodeOffer) -> tuple[float, str]:
    price = offer.usd_per_hour
    return (math.inf if price is None else price, offer.instance_type)
