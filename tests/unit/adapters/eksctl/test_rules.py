"""Every rule of aws.md §9.2, which mirrors eksctl's validation.go: what breaks it is refused, by name."""

from __future__ import annotations

import pytest

from sim.adapters.eksctl.read import read_cluster
from sim.documents.fields import root
from sim.documents.yaml_read import read_text
from sim.errors import InputError

HEAD = "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {name: c, region: us-east-1}\n"


def managed(keys: str) -> str:
    return f"managedNodeGroups: [{{name: a, {keys}}}]"


def unmanaged(keys: str) -> str:
    return f"nodeGroups: [{{name: a, {keys}}}]"


def profile(keys: str) -> str:
    return f"fargateProfiles: [{{{keys}}}]"


OUTPOST = "arn:aws:outposts:us-east-1:111122223333:outpost/op-1"
TWO = "instanceTypes: [m5.large, m5a.large]"
SELECTOR = "selectors: [{namespace: n}]"
SIX = ", ".join(["{namespace: n}"] * 6)
LABELS = ", ".join(f"k{n}: v" for n in range(6))

BROKEN = {
    "profile: a name": (profile(SELECTOR), "name is missing"),
    "profile: not eks-": (profile(f"name: eks-x, {SELECTOR}"), "does not begin with eks-"),
    "profile: a selector": (profile("name: p"), "selectors is missing"),
    "profile: at least one selector": (profile("name: p, selectors: []"), "selectors is missing"),
    "profile: a namespace": (profile("name: p, selectors: [{labels: {a: b}}]"), "namespace is missing"),
    "profile: AWS takes five selectors": (profile(f"name: p, selectors: [{SIX}]"), "at most 5"),
    "profile: AWS takes five labels": (
        profile(f"name: p, selectors: [{{namespace: n, labels: {{{LABELS}}}}}]"),
        "at most 5",
    ),
    "group: a name": ("managedNodeGroups: [{minSize: 1}]", "name is missing"),
    "group: characters": ("nodeGroups: [{name: a_b}]", "letters, digits and -"),
    "group: a label of its nodes": (f"managedNodeGroups: [{{name: {'m' * 64}}}]", "at most 63"),
    "group: its cluster's name too": ("managedNodeGroups: [{name: m-}]", "a label's value"),
    "group: its own name": ("managedNodeGroups: [{name: a}]\nnodeGroups: [{name: a}]", "of another group"),
    "sizes: min above desired": (managed("minSize: 3, desiredCapacity: 2"), "minSize <= desiredCapacity"),
    "sizes: desired above max": (managed("desiredCapacity: 3, maxSize: 2"), "minSize <= desiredCapacity"),
    "sizes: the default min is 2": (managed("maxSize: 1"), "minSize <= desiredCapacity"),
    "types: one or several": (managed("instanceType: m5.large, instanceTypes: [m5.large]"), "one of the two"),
    "types: or a selector": (
        managed("instanceType: m5.large, instanceSelector: {vCPUs: 2}"),
        "one of the two",
    ),
    "spot: managed only": (unmanaged("spot: true"), "spot is not a known key"),
    "labels: a valid key": (managed("labels: {a/b/c: x}"), "Kubernetes key"),
    "labels: a valid value": (managed("labels: {a: 'x y'}"), "has the value"),
    "labels: not kubernetes.io": (managed("labels: {kubernetes.io/x: y}"), "reserved label"),
    "labels: not k8s.io below": (managed("labels: {sub.k8s.io/x: y}"), "reserved label"),
    "taints: an effect": (managed("taints: [{key: a, value: b, effect: Never}]"), "NoSchedule"),
    "taints: a valid key": (managed("taints: [{key: '-a', effect: NoSchedule}]"), "Kubernetes key"),
    "taints: a list": (managed("taints: {a: 'b:NoSchedule'}"), "a list"),
    "volumes: name needs size": (unmanaged("volumeName: /dev/xvda"), "without volumeSize"),
    "volumes: encryption needs size": (unmanaged("volumeEncrypted: true"), "without volumeSize"),
    "volumes: key needs size": (unmanaged("volumeKmsKeyID: k"), "without volumeSize"),
    "volumes: key needs encryption": (managed("volumeKmsKeyID: k"), "without volumeEncrypted"),
    "volumes: IOPS of gp2": (managed("volumeType: gp2, volumeIOPS: 3000"), "it for io1, io2, gp3 alone"),
    "volumes: IOPS of io1": (managed("volumeType: io1, volumeIOPS: 99"), "100 to 64000 for io1"),
    "volumes: Bottlerocket names one": (
        managed("launchTemplate: {id: l}, amiFamily: Bottlerocket"),
        "without volumeSize",
    ),
    "images: known families": (managed("amiFamily: Ubuntu1804"), "AmazonLinux2023"),
    "images: a family of one's own": (managed("ami: ami-1"), "without amiFamily"),
    "images: an id": (managed("ami: x, amiFamily: AmazonLinux2023"), "ami-0123456789abcdef0"),
    "images: a bootstrap": (managed("ami: ami-1, amiFamily: Ubuntu2204"), "overrideBootstrapCommand"),
    "images: commands": (managed("amiFamily: Bottlerocket, preBootstrapCommands: [a]"), "another amiFamily"),
    "spot: pools": (unmanaged(f"instancesDistribution: {{{TWO}, spotInstancePools: 0}}"), "1 to 20"),
    "spot: a strategy": (
        unmanaged(f"instancesDistribution: {{{TWO}, spotAllocationStrategy: cheapest}}"),
        "lowest-price",
    ),
    "spot: pools or capacity": (
        unmanaged(
            f"instancesDistribution: {{{TWO}, spotInstancePools: 2, spotAllocationStrategy: "
            "capacity-optimized}"
        ),
        "one of the two",
    ),
    "zones: two of a cluster": ("availabilityZones: [us-east-1a]", "2 or more"),
    "types: a list": (managed("subnets: subnet-1"), "a list"),
    "types: a mapping": (managed("ssh: true"), "a mapping"),
    "types: a text": (managed("tags: {teardown: true}"), "a text"),
    "keys below kept ones": (managed("ssh: {alow: true}"), "did you mean allow?"),
    "volumes: gp3 IOPS from": (managed("volumeSize: 80, volumeIOPS: 2999"), "3000 to 16000"),
    "volumes: gp3 IOPS to": (managed("volumeSize: 80, volumeIOPS: 16001"), "3000 to 16000"),
    "volumes: gp3 throughput from": (managed("volumeSize: 80, volumeThroughput: 124"), "125 to 1000"),
    "volumes: gp3 throughput to": (managed("volumeSize: 80, volumeThroughput: 1001"), "125 to 1000"),
    "subnets: or zones": (managed("subnets: [s], availabilityZones: [z]"), "one of the two"),
    "subnets: EFA in one zone": (managed("efaEnabled: true, availabilityZones: [y, z]"), "with efaEnabled"),
    "subnets: EFA in one subnet": (managed("efaEnabled: true, subnets: [y, z]"), "with efaEnabled"),
    "updateConfig: exactly one": (
        managed("updateConfig: {maxUnavailable: 1, maxUnavailablePercentage: 9}"),
        "one of",
    ),
    "updateConfig: not none": (managed("updateConfig: {}"), "one of"),
    "updateConfig: at most maxSize": (
        managed("maxSize: 3, updateConfig: {maxUnavailable: 4}"),
        "at most the group's maxSize, 3",
    ),
    "IAM: a role or policies": (
        managed("iam: {instanceRoleARN: r, withAddonPolicies: {autoScaler: true}}"),
        "one of the two",
    ),
    "IAM: a role or attached ones": (managed("iam: {instanceRoleARN: r, attachPolicyARNs: [p]}"), "one of"),
    "IAM: no IMDS, no policies": (
        managed("disablePodIMDS: true, iam: {withAddonPolicies: {autoScaler: true}}"),
        "disablePodIMDS",
    ),
    "IAM: an account needs a policy": (
        "iam: {withOIDC: true, serviceAccounts: [{metadata: {name: a, namespace: n}}]}",
        "no policy and no role",
    ),
    "IAM: accounts need OIDC": (
        "iam: {withOIDC: false, serviceAccounts: [{metadata: {name: a}, attachRoleARN: r}]}",
        "withOIDC: true",
    ),
    "launch template: no type": (
        managed("launchTemplate: {id: l}, instanceType: m5.large"),
        "launch template",
    ),
    "launch template: no volume": (managed("launchTemplate: {id: l}, volumeSize: 80"), "launch template"),
    "launch template: no AMI": (managed("launchTemplate: {id: l}, ami: a"), "launch template"),
    "launch template: no max pods": (
        managed("launchTemplate: {id: l}, maxPodsPerNode: 9"),
        "launch template",
    ),
    "private cluster: private groups": (
        "privateCluster: {enabled: true}\nmanagedNodeGroups: [{name: a}]",
        "privateNetworking: true",
    ),
    "Outposts: no Fargate": (
        f"outpost: {{controlPlaneOutpostARN: {OUTPOST}}}\n{profile(f'name: p, {SELECTOR}')}",
        "nodeGroups only",
    ),
    "Outposts: no managed groups": (
        f"outpost: {{controlPlaneOutpostARN: {OUTPOST}}}\nmanagedNodeGroups: [{{name: a}}]",
        "nodeGroups only",
    ),
    "unknown keys": (managed("minSise: 1"), "did you mean minSize?"),
    "unknown keys at the top": ("nodeGroup: []", "did you mean nodeGroups?"),
}

KEPT = {
    "min 0": managed("minSize: 0, maxSize: 1"),
    "kubelet's labels": managed("labels: {node.kubernetes.io/x: y, k8s.amazonaws.com/accelerator: t4}"),
    "wildcards in selectors": profile("name: p, selectors: [{namespace: 'team-*', labels: {'k?': '*'}}]"),
    "EFA in one zone": managed("efaEnabled: true, availabilityZones: [us-east-1a]"),
    "a share": managed("updateConfig: {maxUnavailablePercentage: 100}"),
    "as many as maxSize": managed("maxSize: 3, updateConfig: {maxUnavailable: 3}"),
    "a role alone": managed("iam: {instanceRoleARN: r}"),
    "an account with a role": (
        "iam: {withOIDC: true, serviceAccounts: [{metadata: {name: a}, attachRoleARN: r}]}"
    ),
    "keys in another case say nothing": managed("MinSize: 9"),
    "null in a map is an empty text": managed("tags: {a: ~}"),
    "a float that is whole": managed("maxSize: 3.0, maxPodsPerNode: 0"),
    "names that are labels": "managedNodeGroups: [{name: 1_a.b}]",
    "encrypted volumes of the default size": managed("volumeEncrypted: true"),
    "taints of unmanaged groups as a map": unmanaged("taints: {a: 'b:NoSchedule'}"),
}


def read(text: str) -> None:
    read_cluster(root(read_text(HEAD + text, "cluster.yaml")[0]))


@pytest.mark.parametrize(("text", "told"), BROKEN.values(), ids=BROKEN)
def test_what_eksctl_refuses_is_refused(text: str, told: str) -> None:
    with pytest.raises(InputError) as refused:
        read(text)
    assert told in str(refused.value)
    assert str(refused.value).startswith("cluster.yaml:")


@pytest.mark.parametrize("text", KEPT.values(), ids=KEPT)
def test_what_eksctl_takes_is_taken(text: str) -> None:
    read(text)


def test_amazon_linux_2_ends_with_1_32() -> None:
    group = managed("amiFamily: amazonlinux2, instanceType: m5.large")
    read(group)
    later = HEAD.replace("region: us-east-1", 'region: us-east-1, version: "1.33"')
    with pytest.raises(
        InputError, match=r"has AmazonLinux2 with Kubernetes 1\.33; allowed: AmazonLinux2 before"
    ):
        read_cluster(root(read_text(later + group, "cluster.yaml")[0]))
