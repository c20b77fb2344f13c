"""Node groups: from eksctl's words and the instance catalogue to what a node is, costs and is called.

An Auto Scaling group is modelled by its first instance type, as the autoscaler does (aws.md §6), and in
its first zone. Labels are those that EKS, eksctl and the kubelet put on the node.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sim.catalog import Catalog
from sim.decisions.cluster_autoscaler.asg_tags import propagated_tags, told_labels, told_taints
from sim.decisions.kubernetes.allocatable import (
    NodeRoom,
    allocatable,
    managed_max_pods,
    node_capacity,
    template_from_zero,
)
from sim.documents.fields import Field
from sim.errors import InputError
from sim.loader.compile.selectors import selected_types
from sim.loader.notes import Notes
from sim.loader.shape.cluster import GroupFile, ShapeFile
from sim.model.cluster import GPU_LABEL, NodeGroup, NodeShape
from sim.model.cluster_config import DEFAULT_VOLUME_TYPE, ClusterConfig, InstanceSelector, NodeGroupConfig
from sim.model.machines import InstanceType, Price
from sim.model.pods import Pairs
from sim.model.resources import Resources

BURSTABLE = ("t2.", "t3.", "t3a.", "t4g.")
AMD_GPUS = "g4ad."
GIVEN = "given"
GENERIC_LABELS = frozenset({
    "kubernetes.io/os",
    "kubernetes.io/arch",
    "beta.kubernetes.io/os",
    "beta.kubernetes.io/arch",
    "node.kubernetes.io/instance-type",
    "beta.kubernetes.io/instance-type",
    "topology.kubernetes.io/region",
    "topology.kubernetes.io/zone",
})  # fmt: skip
"""Labels that the autoscaler knows of any group (aws_manager.go buildGenericLabels)."""


@dataclass(frozen=True, slots=True)
class GroupMaker:
    """What turns node groups of a ClusterConfig into the model's, in one region."""

    region: str
    catalog: Catalog
    overhead: float
    prices: Mapping[str, float]
    notes: Notes

    def group(self, config: NodeGroupConfig, more: GroupFile, cluster: ClusterConfig, at: Field) -> NodeGroup:
        """Return one node group; one that starts empty and cannot be priced or sized takes no pods."""
        try:
            instance = self._instance(config, more, at)
            price, hazard = self._price(config, instance, more, at)
        except InputError as error:
            if not starts_empty(config, more):
                raise
            self.notes.warn(f"{error}; until then no pod runs in group {config.name}, which starts empty")
            return self._unused(config, cluster, at)
        room = _room(instance, config, more.allocatable, self.overhead)
        template = None if more.allocatable else template_from_zero(instance, dict(config.tags))
        zone = self._zone(config, cluster, at)
        initial = config.desired_capacity if more.initial is None else more.initial
        if not 0 <= initial <= config.max_size:
            raise at.error(f"starts with {initial} nodes", allowed=f"0 to its maxSize ({config.max_size})")
        for minimum in more.scheduled_minimums:
            if minimum.min_size > config.max_size:
                problem = f"has a scheduled minimum of {minimum.min_size}"
                raise at.error(problem, allowed=f"0 to its maxSize ({config.max_size})")
        self._warn(config, instance, price)
        self._warn_of_spot(config, more)
        self._warn_of_volume(config)
        capacity = room.resources if more.allocatable else self._capacity(instance, config)
        labels = _labels(config, instance, cluster.name, self.region, zone)
        shape = NodeShape(
            capacity=capacity,
            allocatable=room.resources,
            max_pods=room.max_pods,
            instance_type=instance.name,
            labels=labels,
            taints=config.taints,
            zone=zone,
            spot=config.spot,
            interruptions_per_hour=hazard,
            usd_per_hour=price.usd_per_hour,
            volume_gib=config.volume_gib,
            nvme_raid=more.nvme_raid,
        )
        return NodeGroup(
            name=config.name,
            shapes=(shape,),
            min_size=config.min_size,
            max_size=config.max_size,
            initial=initial,
            template=template.resources if template else None,
            template_pods=template.max_pods if template else None,
            provision_s=more.provision,
            deletion_s=more.deletion,
            fail_windows=more.fail_windows,
            scheduled_minimums=more.scheduled_minimums,
            asg_name=_asg_name(config, cluster.name),
            template_shape=self._template_shape(config, more, shape),
        )

    def _template_shape(self, config: NodeGroupConfig, more: GroupFile, shape: NodeShape) -> NodeShape | None:
        """Return what the autoscaler takes an unseen node for, None where it knows its labels and taints."""
        if config.managed:
            return None  # EKS tells them
        tags = dict(config.tags)
        if config.propagate_asg_tags:
            tags = propagated_tags(shape.labels, shape.taints) | tags
        known = told_labels(tags)
        labels = {key: value for key, value in shape.labels if key in GENERIC_LABELS} | known
        believed = replace(shape, labels=tuple(labels.items()), taints=told_taints(tags))
        if dict(believed.labels) == dict(shape.labels) and set(believed.taints) == set(shape.taints):
            return None
        if starts_empty(config, more) and (unknown := _unknown(config, believed)):
            self.notes.warn(
                f"group {config.name} is unmanaged and starts at 0: until it has had a node the autoscaler "
                f"does not know its {unknown}, of which no tag of its Auto Scaling group tells"
            )
        return believed

    def _unused(self, config: NodeGroupConfig, cluster: ClusterConfig, at: Field) -> NodeGroup:
        """Return a group on whose nodes nothing fits, so that none is ever asked for."""
        instance = InstanceType(next(iter(config.instance_types), ""), 0, 0)
        zone = self._zone(config, cluster, at)
        shape = NodeShape(
            capacity=Resources(),
            allocatable=Resources(),
            max_pods=0,
            instance_type=instance.name,
            labels=_labels(config, instance, cluster.name, self.region, zone),
            taints=config.taints,
            zone=zone,
            spot=config.spot,
            volume_gib=config.volume_gib,
        )
        name = _asg_name(config, cluster.name)
        return NodeGroup(config.name, (shape,), max_size=config.max_size, asg_name=name)

    def _zone(self, config: NodeGroupConfig, cluster: ClusterConfig, at: Field) -> str:
        zones = config.availability_zones or cluster.availability_zones
        first = zones[0] if zones else f"{self.region}a"
        if len(zones) != 1:
            of = f"the first of {len(zones)} zones" if zones else "no zone is named"
            self.notes.assume(
                f"{_path(at)}.availabilityZones", f"all nodes are in {first}, {of}", "assumption"
            )
        return first

    def _instance(self, config: NodeGroupConfig, more: GroupFile, at: Field) -> InstanceType:
        if config.instance_selector is not None and not config.instance_types:
            return self._selected(config.instance_selector, at)
        name = config.instance_types[0]
        if len(config.instance_types) > 1:
            self.notes.assume(
                f"{_path(at)}.instanceTypes",
                f"all nodes are {name}, the first of {len(config.instance_types)} types",
                "aws.md §6 (the autoscaler plans with the first)",
            )
        try:
            return self.catalog.instance(name)
        except InputError as error:
            if more.allocatable and more.usd_per_hour is not None:
                said = more.allocatable
                return InstanceType(name, -(-said.cpu // 1000), said.memory, gpu=said.gpu, max_pods=said.pods)
            place = at.child("instanceTypes") or at.child("instanceType") or at
            given = f"usd_per_hour and allocatable under cluster.groups.{config.name}"
            raise place.error(
                f"is {name!r}, which {error.problem}",
                allowed=f"{error.allowed}, or {given}",
                near=error.nearest,
            ) from None

    def _selected(self, selector: InstanceSelector, at: Field) -> InstanceType:
        """Return the first of the types that eksctl's selector puts into the group."""
        prices, place = self.catalog.on_demand_prices(self.region), at.child("instanceSelector") or at
        offered = [each for each in self.catalog.instances().values() if each.name in prices]
        types = selected_types(selector, offered, place)
        self.notes.assume(
            f"{_path(at)}.instanceSelector",
            f"all nodes are {types[0].name}, the first of {', '.join(each.name for each in types)}",
            "eksctl pkg/eks/nodegroup_service.go; aws.md §6 (the autoscaler plans with the first)",
        )
        return types[0]

    def _capacity(self, instance: InstanceType, config: NodeGroupConfig) -> Resources:
        return node_capacity(instance, self.overhead, config.volume_gib)

    def _price(
        self, config: NodeGroupConfig, instance: InstanceType, more: GroupFile, at: Field
    ) -> tuple[Price, float]:
        """Return what a node costs, and how often it is taken away."""
        given = None if more.usd_per_hour is None else Price(more.usd_per_hour, "", GIVEN, "the scenario")
        on_demand = given or self._on_demand(instance, config.name, at)
        if not config.spot:
            return on_demand, 0.0
        said = more.interruptions_per_hour
        if given is not None and said is not None:
            return given, said
        advice = self.catalog.spot(self.region, instance.name)
        hazard = advice.hazard_per_hour if said is None else said
        if given is not None:
            return given, hazard
        self.notes.assume(
            f"{_path(at)}.spot",
            f"{advice.savings_ratio:.0%} off On-Demand, reclaimed {advice.interruption_band} a month",
            f"Spot Advisor of {advice.date} ({advice.status}), aws.md §6",
        )
        return advice.price(on_demand), hazard

    def _on_demand(self, instance: InstanceType, group: str, at: Field) -> Price:
        if instance.name in self.prices:
            return Price(self.prices[instance.name], "", GIVEN, "the scenario")
        try:
            price = self.catalog.on_demand(self.region, instance.name)
        except InputError as error:
            raise at.error(
                f"{instance.name} {error.problem}",
                allowed=f"a price under cluster.groups.{group}.usd_per_hour, or a type priced there",
                near=error.nearest,
            ) from None
        self.notes.assume(
            f"prices.instances[{instance.name}]", f"${price.usd_per_hour:g}/h in {self.region}", price.source
        )
        return price

    def _warn(self, config: NodeGroupConfig, instance: InstanceType, price: Price) -> None:
        self.notes.price(instance.name, price.date, price.status)
        if instance.name.startswith(BURSTABLE):
            self.notes.warn(
                f"node group {config.name}: {instance.name} is burstable, a baseline share and credits; "
                "it is simulated as if all its vCPUs were there"
            )
        if instance.gpu and GPU_LABEL not in dict(config.labels):
            self.notes.warn(
                f"group {config.name} has GPUs but no label {GPU_LABEL}: until the device plugin is up the "
                "autoscaler takes a Ready node for one without GPUs, and buys another"
            )
        if instance.name.startswith(AMD_GPUS):
            self.notes.warn(f"group {config.name}: {instance.name} has AMD GPUs, counted as nvidia.com/gpu")

    def _warn_of_volume(self, config: NodeGroupConfig) -> None:
        if config.volume_type != DEFAULT_VOLUME_TYPE:
            self.notes.warn(
                f"group {config.name}: volumeType {config.volume_type} is billed at the price of "
                f"{DEFAULT_VOLUME_TYPE}, IOPS and throughput at none"
            )

    def _warn_of_spot(self, config: NodeGroupConfig, more: GroupFile) -> None:
        if config.spot:
            return
        if config.on_demand_share < 1.0:
            self.notes.warn(
                f"group {config.name} is {1.0 - config.on_demand_share:.0%} Spot above its On-Demand base; "
                "it is simulated as all On-Demand"
            )
        if more.interruptions_per_hour:
            self.notes.warn(f"group {config.name} is not Spot: its interruptions_per_hour has no effect")


def starts_empty(config: NodeGroupConfig, more: GroupFile) -> bool:
    """Say whether a group has no node until a pod asks for one."""
    initial = config.desired_capacity if more.initial is None else more.initial
    return config.min_size == 0 and initial == 0 and not more.scheduled_minimums


def _unknown(config: NodeGroupConfig, believed: NodeShape) -> str:
    """Return the user's labels and taints that the autoscaler's template lacks, in words."""
    labels = ", ".join(key for key, value in config.labels if dict(believed.labels).get(key) != value)
    taints = ", ".join(taint.key for taint in config.taints if taint not in believed.taints)
    named = (f"label {labels}" if labels else "", f"taint {taints}" if taints else "")
    return " and ".join(filter(None, named))


def _asg_name(config: NodeGroupConfig, cluster: str) -> str:
    """Return a name such as EKS and CloudFormation make, which end in something random.

    Source: aws/containers-roadmap issue 1304; eksctl pkg/cfn/manager (stack names).
    """
    if config.managed:
        return f"eks-{config.name}-00000000-0000-0000-0000-000000000000"
    return f"eksctl-{cluster}-nodegroup-{config.name}-NodeGroup-000000000000"


def _path(at: Field) -> str:
    """Return the path of a group in the scenario, whether its ClusterConfig is inline or a file."""
    name = at.name()
    return name if name.startswith("cluster.") else f"cluster.eksctl.{name}"


def _room(
    instance: InstanceType, config: NodeGroupConfig, said: ShapeFile | None, overhead: float
) -> NodeRoom:
    """Return what pods may request of a node, and how many pods."""
    if said is not None:
        return NodeRoom(Resources(said.cpu, said.memory, said.ephemeral, said.gpu), said.pods)
    most = managed_max_pods(instance) if config.managed else instance.max_pods
    return NodeRoom(allocatable(instance, overhead, config.volume_gib), config.max_pods_per_node or most)


def _labels(config: NodeGroupConfig, instance: InstanceType, cluster: str, region: str, zone: str) -> Pairs:
    """Return a node's labels: Kubernetes' own, EKS's, eksctl's, then the user's."""
    labels = {
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": instance.arch,
        "beta.kubernetes.io/os": "linux",
        "beta.kubernetes.io/arch": instance.arch,
        "node.kubernetes.io/instance-type": instance.name,
        "beta.kubernetes.io/instance-type": instance.name,
        "topology.kubernetes.io/region": region,
        "topology.kubernetes.io/zone": zone,
        "alpha.eksctl.io/cluster-name": cluster,
        "alpha.eksctl.io/nodegroup-name": config.name,
    }
    if config.managed:
        labels["eks.amazonaws.com/nodegroup"] = config.name
        labels["eks.amazonaws.com/capacityType"] = "SPOT" if config.spot else "ON_DEMAND"
    return tuple((labels | dict(config.labels)).items())
