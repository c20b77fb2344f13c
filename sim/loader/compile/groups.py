"""Node groups: from eksctl's words and the instance catalogue to what a node is, costs and is called.

An Auto Scaling group has a shape of node for each zone and type that it launches; the autoscaler plans with
the first of each (aws.md §6). Labels are those that EKS, eksctl and the kubelet put on the node.
"""

from __future__ import annotations

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
from sim.loader.compile.buying import Bought, Buyer, path_of
from sim.loader.compile.selectors import selected_types
from sim.loader.notes import Notes
from sim.loader.shape.cluster import GroupFile, ShapeFile
from sim.model.cluster import GPU_LABEL, NodeGroup, NodeShape
from sim.model.cluster_config import ClusterConfig, InstanceSelector, NodeGroupConfig
from sim.model.machines import InstanceType
from sim.model.pods import Pairs
from sim.model.resources import Resources

BURSTABLE = ("t2.", "t3.", "t3a.", "t4g.")
AMD_GPUS = "g4ad."
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
    buyer: Buyer
    notes: Notes

    def group(self, config: NodeGroupConfig, more: GroupFile, cluster: ClusterConfig, at: Field) -> NodeGroup:
        """Return one node group; one that starts empty and cannot be priced or sized takes no pods."""
        try:
            instance = self._instance(config, more, at)
            bought = self.buyer.bought(config, instance, more, at)
        except InputError as error:
            if not starts_empty(config, more):
                raise
            self.notes.warn(f"{error}; until then no pod runs in group {config.name}, which starts empty")
            return self._unused(config, cluster, at)
        template = None if more.allocatable else template_from_zero(instance, dict(config.tags))
        zones = self._zones(config, cluster, at)
        initial = config.desired_capacity if more.initial is None else more.initial
        if not 0 <= initial <= config.max_size:
            raise at.error(f"starts with {initial} nodes", allowed=f"0 to its maxSize ({config.max_size})")
        for minimum in more.scheduled_minimums:
            if minimum.min_size > config.max_size:
                problem = f"has a scheduled minimum of {minimum.min_size}"
                raise at.error(problem, allowed=f"0 to its maxSize ({config.max_size})")
        self._warn(config, instance)
        self._warn_of_spot(config, more)
        shapes = tuple(
            self._shape(config, more, cluster.name, each, zone) for each in bought for zone in zones
        )
        planned = shapes[0]
        if instance.name != bought[0].instance.name:
            first = replace(bought[0], instance=instance)
            planned = self._shape(config, more, cluster.name, first, zones[0])
        return NodeGroup(
            name=config.name,
            shapes=shapes,
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
            template_shape=self._template_shape(config, more, planned, shapes[0]),
            on_demand_base=config.on_demand_base,
            on_demand_share=config.on_demand_share,
        )

    def _shape(
        self, config: NodeGroupConfig, more: GroupFile, cluster: str, bought: Bought, zone: str
    ) -> NodeShape:
        """Return the shape of a group's nodes of one type, in one zone."""
        instance = bought.instance
        room = _room(instance, config, more.allocatable, self.overhead)
        return NodeShape(
            capacity=room.resources if more.allocatable else self._capacity(instance, config),
            allocatable=room.resources,
            max_pods=room.max_pods,
            instance_type=instance.name,
            labels=_labels(config, instance, cluster, self.region, zone),
            taints=config.taints,
            zone=zone,
            spot=bought.spot,
            interruptions_per_hour=bought.hazard,
            usd_per_hour=bought.price.usd_per_hour,
            volume_gib=config.volume_gib,
            nvme_raid=more.nvme_raid,
            reclaimed_together=more.reclaimed_together,
            volumes=config.volumes,
            public_ip=not config.private_networking,
        )

    def _template_shape(
        self, config: NodeGroupConfig, more: GroupFile, shape: NodeShape, first: NodeShape
    ) -> NodeShape | None:
        """Return what the autoscaler takes an unseen node for, None where it is what nodes are.

        ``shape`` is that of a node of the first type, ``first`` the group's own first one.
        """
        if config.managed:  # EKS tells labels and taints
            return None if shape == first else shape
        tags = dict(config.tags)
        if config.propagate_asg_tags:
            tags = propagated_tags(shape.labels, shape.taints) | tags
        known = told_labels(tags)
        labels = {key: value for key, value in shape.labels if key in GENERIC_LABELS} | known
        believed = replace(shape, labels=tuple(labels.items()), taints=told_taints(tags))
        if dict(believed.labels) == dict(first.labels) and set(believed.taints) == set(first.taints):
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
        zone = self._zones(config, cluster, at)[0]
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

    def _zones(self, config: NodeGroupConfig, cluster: ClusterConfig, at: Field) -> tuple[str, ...]:
        """Return the zones that a group's nodes are spread over, the one of its template first."""
        zones = config.availability_zones or cluster.availability_zones
        if len(zones) == 1:
            return zones
        path = f"{path_of(at)}.availabilityZones"
        if zones:
            spread = f"nodes are spread over {', '.join(zones)}, the next one where there are fewest"
            self.notes.assume(path, spread, "aws.md §6 (Amazon EC2 Auto Scaling keeps zones even)")
            return tuple(dict.fromkeys(zones))
        first = f"{self.region}a"
        self.notes.assume(path, f"all nodes are in {first}, no zone is named", "assumption")
        return (first,)

    def _instance(self, config: NodeGroupConfig, more: GroupFile, at: Field) -> InstanceType:
        if config.instance_selector is not None and not config.instance_types:
            return self._selected(config.instance_selector, at)
        name = config.instance_types[0]
        if len(config.instance_types) > 1:
            self.buyer.assume_type(config, name, path_of(at))
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
            f"{path_of(at)}.instanceSelector",
            f"all nodes are {types[0].name}, the first of {', '.join(each.name for each in types)}",
            "eksctl pkg/eks/nodegroup_service.go; aws.md §6 (the autoscaler plans with the first)",
        )
        return types[0]

    def _capacity(self, instance: InstanceType, config: NodeGroupConfig) -> Resources:
        return node_capacity(instance, self.overhead, config.volume_gib)

    def _warn(self, config: NodeGroupConfig, instance: InstanceType) -> None:
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

    def _warn_of_spot(self, config: NodeGroupConfig, more: GroupFile) -> None:
        if config.on_demand_share < 1.0:
            return
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
