from __future__ import annotations

import pytest

from sim.catalog import Catalog
from sim.decisions.kubernetes.allocatable import (
    OBSERVED_OVERHEAD,
    allocatable,
    kube_reserved_cpu_m,
    kube_reserved_memory_mib,
    managed_max_pods,
    node_capacity,
    template_from_zero,
)
from sim.decisions.kubernetes.empty_node import EmptyNode
from sim.model.machines import InstanceType
from sim.model.resources import Resources

TAG = "k8s.io/cluster-autoscaler/node-template/resources/"


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog()


@pytest.mark.parametrize(
    ("vcpu", "reserved_m"),
    [(1, 60), (2, 70), (4, 80), (5, 82), (8, 90), (16, 110), (32, 150), (48, 190), (64, 230), (96, 310)],
)
def test_reserved_cpu(vcpu: int, reserved_m: int) -> None:
    """cluster-autoscaler.md §6.1 and aws.md §7.1; 5 vCPU by hand: 60 + 10 + 10 + 2 whole millicores."""
    assert kube_reserved_cpu_m(vcpu) == reserved_m


@pytest.mark.parametrize(
    ("name", "max_pods", "reserved_mib"),
    [
        ("t3.medium", 17, 442),
        ("m5.large", 29, 574),
        ("g4dn.xlarge", 29, 574),
        ("m5.xlarge", 58, 893),
        ("m5.2xlarge", 58, 893),
        ("g5.2xlarge", 58, 893),
        ("m5.4xlarge", 234, 2829),
        ("c6i.8xlarge", 234, 2829),
        ("m5.24xlarge", 737, 8362),
    ],
)
def test_max_pods_and_reserved_memory(catalog: Catalog, name: str, max_pods: int, reserved_mib: int) -> None:
    """cluster-autoscaler.md §6.2."""
    assert catalog.instance(name).max_pods == max_pods
    assert kube_reserved_memory_mib(max_pods) == reserved_mib


@pytest.mark.parametrize(
    ("name", "cpu_m", "overhead_mib", "karpenter_mib", "observed_mib", "gpu"),
    [
        ("m5.xlarge", 3920, 1229, 14162, 14553, 0),
        ("c5.4xlarge", 15890, 2458, 27381, 28170, 0),
        ("g4dn.xlarge", 3920, 1229, 14481, 14870, 1),
    ],
)
def test_worked_nodes(
    catalog: Catalog,
    name: str,
    cpu_m: int,
    overhead_mib: int,
    karpenter_mib: int,
    observed_mib: int,
    gpu: int,
) -> None:
    """aws.md §7.2; the observed column is printed there as "~", so 5 MiB either way."""
    instance = catalog.instance(name)
    planned, observed = allocatable(instance), allocatable(instance, OBSERVED_OVERHEAD)
    assert (planned.cpu_m, planned.memory_mib, planned.gpu) == (cpu_m, karpenter_mib, gpu)
    assert instance.memory_mib - node_capacity(instance).memory_mib == overhead_mib
    assert observed.memory_mib == pytest.approx(observed_mib, abs=5)


@pytest.mark.parametrize(
    ("instance", "cpu_m", "memory_mib"),
    [
        (InstanceType("a1.medium", 1, 2048, "arm64", max_pods=8), 940, 1392),
        (InstanceType("a1.large", 2, 4096, "arm64", max_pods=29), 1930, 3055),
        (InstanceType("a1.4xlarge", 16, 32768, "arm64", max_pods=234), 15890, 27322),
        (InstanceType("c1.medium", 2, 1740, max_pods=12), 1930, 1122),
        (InstanceType("c1.xlarge", 8, 7168, max_pods=58), 7910, 5637),
        (InstanceType("c4.8xlarge", 36, 61440, max_pods=234), 35840, 53903),
        (InstanceType("c5.large", 2, 4096, max_pods=29), 1930, 3114),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_karpenter_s_reference_page(instance: InstanceType, cpu_m: int, memory_mib: int) -> None:
    """aws/karpenter-provider-aws website/content/en/preview/reference/instance-types.md, as printed."""
    found = allocatable(instance)
    assert (found.cpu_m, found.memory_mib) == (cpu_m, memory_mib)


def test_an_observed_node() -> None:
    """aws.md §7.1: m5.xlarge with 15 919 124 Ki of memory and a 100 GiB disk, as its node object lists it."""
    shown_ki, listed_memory_ki, listed_ephemeral_bytes = 15_919_124, 14_902_292, 95_551_679_124
    overhead = 1 - shown_ki / (16384 * 1024)
    found = allocatable(InstanceType("m5.xlarge", 4, 16384, max_pods=58), overhead, volume_gib=100)
    assert found.memory_mib == listed_memory_ki // 1024
    assert found.ephemeral_mib == pytest.approx(
        listed_ephemeral_bytes / 2**20, rel=2e-4
    )  # less its file system


def test_eksctl_s_default_disk() -> None:
    """aws.md §5 and §7.1: 80 GiB; 0.9 × capacity − 1 GiB."""
    assert allocatable(InstanceType("any", 2, 8192)).ephemeral_mib == 72 * 1024 - 1024


@pytest.mark.parametrize(
    ("vcpu", "eni_pods", "cap"),
    [
        pytest.param(4, 58, 58, id="below the cap"),
        pytest.param(16, 234, 110, id="c5.4xlarge, as in aws.md §7.1"),
        pytest.param(30, 234, 234, id="30 vCPU are no longer below 30"),
        pytest.param(96, 737, 250, id="large nodes"),
    ],
)
def test_managed_groups_cap_pods(vcpu: int, eni_pods: int, cap: int) -> None:
    assert managed_max_pods(InstanceType("any", vcpu, 65536, max_pods=eni_pods)) == cap


def test_a_group_never_seen_is_believed_to_have_everything(catalog: Catalog) -> None:
    """aws.md §7.3: full vCPU, full MiB, 110 pods; so 15 GiB "fit" an m5.xlarge that cannot hold them."""
    instance = catalog.instance("m5.xlarge")
    template = template_from_zero(instance, {})
    assert template.resources == Resources(cpu_m=4000, memory_mib=16384)
    assert template.max_pods == 110
    wanted = Resources(memory_mib=15 * 1024)
    assert EmptyNode(template.resources, template.max_pods).holds(wanted) == 1
    assert EmptyNode(allocatable(instance), managed_max_pods(instance)).holds(wanted) == 0
    assert template_from_zero(catalog.instance("g4dn.xlarge"), {}).resources.gpu == 1


def test_tags_correct_the_template(catalog: Catalog) -> None:
    """aws.md §7.3: real allocatable in tags; a malformed or foreign tag changes nothing."""
    tags = {
        f"{TAG}memory": "14162Mi",
        f"{TAG}cpu": "3920m",
        f"{TAG}ephemeral-storage": "20G",
        f"{TAG}pods": "58",
        f"{TAG}nvidia.com/gpu": "many",
        "k8s.io/cluster-autoscaler/node-template/label/memory": "1",
    }
    template = template_from_zero(catalog.instance("m5.xlarge"), tags)
    assert template.resources == Resources(cpu_m=3920, memory_mib=14162, ephemeral_mib=19073)
    assert template.max_pods == 58
