"""Node groups of an eksctl ClusterConfig: sizes, instance types, labels and taints as eksctl settles them.

Sizes: min is desired or 2; max is desired or min, at least 1; desired is min. Types: ``instanceType`` or
``instanceTypes`` or a selector, m5.large when none is given. Managed groups are Spot by ``spot: true``,
others by their ``instancesDistribution``.

Source: eksctl-io/eksctl 0.231.0-dev, pkg/apis/eksctl.io/v1alpha5/{defaults,validation}.go; aws.md §9.2.
"""

from __future__ import annotations

import re

from sim.adapters.eksctl import keys
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
from sim.model.pods import Effect, Pairs, Taint

PERCENT = 100
MIXED = "mixed"
GP3_IOPS = (3_000, 16_000)
GP3_THROUGHPUT = (125, 1_000)
_NAME = re.compile(r"[A-Za-z][-A-Za-z0-9]*")
_LABEL_KEY = re.compile(
    r"([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
)
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_KUBERNETES_DOMAIN = re.compile(r"(.+\.)?(kubernetes|k8s)\.io")
_KUBELET_DOMAIN = re.compile(r"(.+\.)?(kubelet|node)\.kubernetes\.io")
_KUBELET_LABELS = frozenset(
    {
        "kubernetes.io/hostname",
        "kubernetes.io/os",
        "kubernetes.io/arch",
        "beta.kubernetes.io/os",
        "beta.kubernetes.io/arch",
        "beta.kubernetes.io/instance-type",
        "topology.kubernetes.io/zone",
        "topology.kubernetes.io/region",
        "failure-domain.beta.kubernetes.io/zone",
        "failure-domain.beta.kubernetes.io/region",
    }
)
_EFFECTS = {effect.value: effect for effect in Effect}


def read_group(field: Field, *, managed: bool) -> NodeGroupConfig:
    """Return one item of ``managedNodeGroups`` or ``nodeGroups``."""
    read = keys.MANAGED_READ if managed else keys.SELF_MANAGED_READ
    untouched = keys.MANAGED_KEPT if managed else keys.SELF_MANAGED_KEPT
    field.known(read | untouched)
    minimum, desired, maximum = _sizes(field)
    base, share = _buying(field)
    group = NodeGroupConfig(
        name=_name(field),
        managed=managed,
        instance_types=_instance_types(field),
        instance_selector=_instance_selector(_selector_of(field)),
        on_demand_base=base,
        on_demand_share=share,
        min_size=minimum,
        desired_capacity=desired,
        max_size=maximum,
        volume_gib=field.integer_at("volumeSize", least=1) or DEFAULT_VOLUME_GIB,
        volume_type=field.text_at("volumeType", DEFAULT_VOLUME_TYPE),
        ami_family=field.text_at("amiFamily", DEFAULT_AMI_FAMILY),
        labels=_labels(field.child("labels")),
        taints=_taints(field.child("taints"), managed=managed),
        availability_zones=field.texts_at("availabilityZones"),
        tags=field.pairs_at("tags"),
        private_networking=field.true_at("privateNetworking"),
        propagate_asg_tags=field.true_at("propagateASGTags"),
        autoscaler_policy=_autoscaler_policy(field),
        max_pods_per_node=field.integer_at("maxPodsPerNode", least=1),
        kept=field.kept(untouched),
    )
    _check_volume(field, group.volume_type)
    _check_exclusions(field)
    return group


def _name(field: Field) -> str:
    place = field.child("name")
    if place is None:
        raise field.missing("name", "letters, digits and -, a letter first")
    if not _NAME.fullmatch(place.text()):
        raise place.error(allowed="letters, digits and -, a letter first")
    return place.text()


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
    return minimum, desired, maximum


def _instance_types(field: Field) -> tuple[str, ...]:
    single, several = field.text_at("instanceType"), field.texts_at("instanceTypes")
    distribution, selector = field.child("instancesDistribution"), _selector_of(field)
    if single and several:
        raise field.error("has both instanceType and instanceTypes", allowed="one of the two")
    if selector and single not in ("", MIXED):
        raise field.error("has both instanceType and instanceSelector", allowed="one of the two")
    if distribution:
        if single not in ("", MIXED):
            raise field.error(
                "has both instanceType and instancesDistribution", allowed="instanceType: mixed"
            )
        types = distribution.known(keys.INSTANCES_DISTRIBUTION).texts_at("instanceTypes")
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
    field.known(keys.INSTANCE_SELECTOR)
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


def _labels(field: Field | None) -> Pairs:
    if field is None:
        return ()
    for key, value in field.pairs():
        domain, slash, _ = key.partition("/")
        reserved = slash and _KUBERNETES_DOMAIN.fullmatch(domain)
        if reserved and key not in _KUBELET_LABELS and not _KUBELET_DOMAIN.fullmatch(domain):
            raise field.error(
                f"has the reserved label {key}", allowed="labels outside kubernetes.io and k8s.io"
            )
        _check_label(field, key, value)
    return field.pairs()


def _taints(field: Field | None, *, managed: bool) -> tuple[Taint, ...]:
    """Return taints given as a list, or for self-managed groups also as ``key: value:Effect``."""
    if field is None:
        return ()
    if isinstance(field.value, dict) and not managed:
        return tuple(_taint(field, key, *_split_taint(text)) for key, text in field.pairs())
    return tuple(
        _taint(item.known(keys.TAINT), item.text_at("key"), item.text_at("value"), item.text_at("effect"))
        for item in field.items()
    )


def _split_taint(text: str) -> tuple[str, str]:
    value, _, effect = text.rpartition(":")
    return value, effect


def _taint(field: Field, key: str, value: str, effect: str) -> Taint:
    if effect not in _EFFECTS:
        raise field.error(f"has the effect {effect!r}", allowed=", ".join(_EFFECTS))
    _check_label(field, key, value)
    return Taint(key, value, _EFFECTS[effect])


def _check_label(field: Field, key: str, value: str) -> None:
    if not _LABEL_KEY.fullmatch(key):
        raise field.error(
            f"has the key {key!r}", allowed="a Kubernetes key: name or domain/name, 63 characters"
        )
    if not _LABEL_VALUE.fullmatch(value):
        raise field.error(
            f"has the value {value!r}", allowed="letters, digits, -, _ and ., at most 63 characters"
        )


def _check_volume(field: Field, volume_type: str) -> None:
    if volume_type not in keys.VOLUME_TYPES:
        raise field.error(f"has the volumeType {volume_type}", allowed=", ".join(keys.VOLUME_TYPES))
    for key, (least, most) in (("volumeIOPS", GP3_IOPS), ("volumeThroughput", GP3_THROUGHPUT)):
        place = field.child(key)
        if place and volume_type == "gp3" and not least <= place.integer() <= most:
            raise place.error(allowed=f"{least} to {most} for gp3")
    for key in ("volumeName", "volumeEncrypted", "volumeKmsKeyID"):
        if (place := field.child(key)) and field.child("volumeSize") is None:
            raise place.error("is given without volumeSize", allowed="both or neither")


def _check_exclusions(field: Field) -> None:
    """Refuse keys that eksctl does not take together."""
    said = {key for key, _ in field.children()}
    if {"subnets", "availabilityZones"} <= said:
        raise field.error("has both subnets and availabilityZones", allowed="one of the two")
    if "launchTemplate" in said and (also := said & set(keys.NOT_WITH_LAUNCH_TEMPLATE)):
        raise field.error(f"has launchTemplate and {min(also)}", allowed="the launch template's own")
    if update := field.child("updateConfig"):
        update.known(keys.UPDATE_CONFIG)
        if len(list(update.children())) != 1:
            raise update.error(allowed="one of maxUnavailable and maxUnavailablePercentage")
    iam = field.child("iam")
    if iam and iam.mapping().get("withAddonPolicies"):
        if iam.mapping().get("instanceRoleARN"):
            raise iam.error("has instanceRoleARN and withAddonPolicies", allowed="one of the two")
        if field.true_at("disablePodIMDS"):
            raise iam.error("has withAddonPolicies with disablePodIMDS", allowed="one of the two")


def _autoscaler_policy(field: Field) -> bool:
    iam = field.child("iam")
    policies = iam.child("withAddonPolicies") if iam and isinstance(iam.value, dict) else None
    return policies is not None and policies.true_at("autoScaler")
