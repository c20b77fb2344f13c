"""Node groups of an eksctl ClusterConfig: sizes, instance types, labels and taints as eksctl settles them.

Sizes: min is desired or 2; max is desired or min, at least 1; desired is min. Types: ``instanceType`` or
``instanceTypes`` or a selector, m5.large when none is given. Managed groups are Spot by ``spot: true``,
others by their ``instancesDistribution``.

Source: eksctl-io/eksctl 0.231.0-dev, pkg/apis/eksctl.io/v1alpha5/{defaults,validation}.go; aws.md §9.2.
"""

from __future__ import annotations

from sim.adapters.eksctl import keys
from sim.adapters.eksctl.families import family_of
from sim.adapters.eksctl.labels import check_label, check_reserved
from sim.documents.fields import Field
from sim.model.cluster_config import (
    DEFAULT_AMI_FAMILY,
    DEFAULT_INSTANCE_TYPE,
    DEFAULT_NODE_COUNT,
    DEFAULT_VOLUME_GIB,
    DEFAULT_VOLUME_TYPE,
    InstanceSelector,
    NodeGroupConfig,
)
from sim.model.machines import Volume
from sim.model.pods import Effect, Pairs, Taint

PERCENT = 100
LEAST_IOPS, PROVISIONED = 100, ("io1", "io2")
MIXED = "mixed"
SPOT_POOLS = 2  # Amazon EC2 Auto Scaling, InstancesDistribution.SpotInstancePools
MOST_NODES = 100_000  # twenty times what Kubernetes supports in a cluster
_EFFECTS = {effect.value: effect for effect in Effect}


def read_group(field: Field, *, managed: bool) -> NodeGroupConfig:
    """Return one item of ``managedNodeGroups`` or ``nodeGroups``."""
    untouched = keys.MANAGED_KEPT if managed else keys.SELF_MANAGED_KEPT
    minimum, desired, maximum = _sizes(field)
    base, share = _buying(field)
    distribution = field.child("instancesDistribution")
    group = NodeGroupConfig(
        name=_name(field),
        managed=managed,
        instance_types=_instance_types(field),
        instance_selector=_instance_selector(_selector_of(field)),
        on_demand_base=base,
        on_demand_share=share,
        spot_strategy=_spot_strategy(field, managed=managed),
        spot_pools=distribution.integer_at("spotInstancePools") or SPOT_POOLS if distribution else SPOT_POOLS,
        min_size=minimum,
        desired_capacity=desired,
        max_size=maximum,
        volume_gib=field.integer_at("volumeSize", least=1) or DEFAULT_VOLUME_GIB,
        volume_type=field.text_at("volumeType") or DEFAULT_VOLUME_TYPE,
        volume_iops=_iops(field),
        volume_throughput=field.integer_at("volumeThroughput") or 0,
        more_volumes=tuple(map(_volume, field.items_at("additionalVolumes"))),
        ami_family=family_of(field.text_at("amiFamily")) or DEFAULT_AMI_FAMILY,
        labels=_labels(field.child("labels")),
        taints=_taints(field.child("taints"), managed=managed),
        availability_zones=field.texts_at("availabilityZones"),
        tags=field.pairs_at("tags"),
        private_networking=field.true_at("privateNetworking"),
        propagate_asg_tags=field.true_at("propagateASGTags"),
        autoscaler_policy=_autoscaler_policy(field),
        max_pods_per_node=field.integer_at("maxPodsPerNode") or None,
        kept=field.kept(untouched),
    )
    _check_volume_type(field, group.volume_type)
    return group


def _name(field: Field) -> str:
    name = field.text_at("name")
    if not name:
        raise field.missing("name", "a name of its own")
    return name


def _sizes(field: Field) -> tuple[int, int, int]:
    """Return min, desired and max."""
    minimum, desired, maximum = (field.integer_at(key) for key in ("minSize", "desiredCapacity", "maxSize"))
    if minimum is None:
        minimum = DEFAULT_NODE_COUNT if desired is None else desired
    if maximum is None:
        maximum = max(1, minimum if desired is None else desired)
    if desired is None:
        desired = minimum
    if not minimum <= desired <= maximum:
        raise field.error(
            f"has sizes min {minimum}, desired {desired}, max {maximum}",
            allowed="minSize <= desiredCapacity <= maxSize (left out: min is 2, max is min)",
        )
    if maximum > MOST_NODES:
        raise field.error(f"has the size {maximum}", allowed=f"at most {MOST_NODES:,} nodes")
    return minimum, desired, maximum


def _instance_types(field: Field) -> tuple[str, ...]:
    single, several = field.text_at("instanceType"), field.texts_at("instanceTypes")
    distribution, selector = field.child("instancesDistribution"), _selector_of(field)
    if single and several:
        raise field.error("has both instanceType and instanceTypes", allowed="one of the two")
    managed = "managedNodeGroups" in field.path
    if selector and single not in ("", *(() if managed else (MIXED,))):
        raise field.error("has both instanceType and instanceSelector", allowed="one of the two")
    if distribution:
        if single not in ("", MIXED):
            raise field.error(
                "has both instanceType and instancesDistribution", allowed="instanceType: mixed"
            )
        types = distribution.texts_at("instanceTypes")
        if not types and not selector:
            raise distribution.missing("instanceTypes", "at least one")
        return types
    if selector:
        return several
    return several or (single or DEFAULT_INSTANCE_TYPE,)


def _selector_of(field: Field) -> Field | None:
    """Return a group's selector; an empty one selects nothing, as in eksctl."""
    selector = field.child("instanceSelector")
    return (
        selector
        if selector and any(value not in (None, "") for value in selector.mapping().values())
        else None
    )


def _instance_selector(field: Field | None) -> InstanceSelector | None:
    if field is None:
        return None
    return InstanceSelector(
        vcpus=field.integer_at("vCPUs"),
        memory=field.text_at("memory") or None,
        gpus=field.integer_at("gpus"),
        neuron_devices=_neuron_devices(field),
        cpu_architecture=field.text_at("cpuArchitecture", "x86_64"),
        allow=field.text_at("allow"),
        deny=field.text_at("deny"),
    )


def _neuron_devices(field: Field) -> int | None:
    devices = field.integer_at("neuron_devices")
    if devices:
        raise field.error(
            "selects Neuron devices, which no table here counts", allowed="instanceTypes instead"
        )
    return devices


def _buying(field: Field) -> tuple[int, float]:
    """Return how many nodes are On-Demand in any case, and the share of the others that is."""
    if field.true_at("spot"):
        return 0, 0.0
    distribution = field.child("instancesDistribution")
    if distribution is None:
        return 0, 1.0
    percent = distribution.child("onDemandPercentageAboveBaseCapacity")
    share = PERCENT if percent is None else percent.integer(least=0)
    if percent and share > PERCENT:
        raise percent.error(allowed="0 to 100")
    return distribution.integer_at("onDemandBaseCapacity") or 0, share / PERCENT


def _spot_strategy(field: Field, *, managed: bool) -> str:
    """Return the strategy: EKS's own in managed groups (aws.md §6), else as said, else Auto Scaling's."""
    distribution = field.child("instancesDistribution")
    if managed or distribution is None:
        return "price-capacity-optimized"
    return distribution.text_at("spotAllocationStrategy") or "lowest-price"


def _labels(field: Field | None) -> Pairs:
    if field is None:
        return ()
    for key, value in field.pairs():
        check_reserved(field, key)
        check_label(field, key, value)
    return field.pairs()


def _taints(field: Field | None, *, managed: bool) -> tuple[Taint, ...]:
    """Return taints given as a list, or for self-managed groups also as ``key: value:Effect``."""
    if field is None:
        return ()
    if isinstance(field.value, dict) and not managed:
        return tuple(_taint(field, key, *_split_taint(text)) for key, text in field.pairs())
    return tuple(
        _taint(item, item.text_at("key"), item.text_at("value"), item.text_at("effect"))
        for item in field.items()
    )


def _split_taint(text: str) -> tuple[str, str]:
    """Return value and effect; of three parts or more, as for eksctl, neither."""
    value, effect = ("", *text.split(":"))[-2:] if text.count(":") <= 1 else ("", "")
    return value, effect


def _taint(field: Field, key: str, value: str, effect: str) -> Taint:
    if effect not in _EFFECTS:
        raise field.error(f"has the effect {effect!r}", allowed=", ".join(_EFFECTS))
    check_label(field, key, value)
    return Taint(key, value, _EFFECTS[effect])


def _volume(field: Field) -> Volume:
    kind = field.text_at("volumeType") or DEFAULT_VOLUME_TYPE
    _check_volume_type(field, kind)
    gib = field.integer_at("volumeSize") or DEFAULT_VOLUME_GIB
    return Volume(gib, kind, _iops(field), field.integer_at("volumeThroughput") or 0)


def _iops(field: Field) -> int:
    """Return provisioned IOPS; io1 has 100 unless it is said (eksctl's DefaultNodeVolumeIO1IOPS)."""
    least = LEAST_IOPS if field.text_at("volumeType") in PROVISIONED else 0
    return field.integer_at("volumeIOPS") or least


def _check_volume_type(field: Field, volume_type: str) -> None:
    """Refuse a type that no table here has a price for; eksctl leaves that to AWS."""
    if volume_type not in keys.VOLUME_TYPES:
        raise field.error(f"has the volumeType {volume_type}", allowed=", ".join(keys.VOLUME_TYPES))


def _autoscaler_policy(field: Field) -> bool:
    iam = field.child("iam")
    policies = iam.child("withAddonPolicies") if iam and isinstance(iam.value, dict) else None
    return policies is not None and policies.true_at("autoScaler")
