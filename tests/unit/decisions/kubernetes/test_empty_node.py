"""An empty node against the worked m5.xlarge of the AWS sheet, and what runs out first."""

from __future__ import annotations

import pytest

from sim.catalog import Catalog
from sim.decisions.kubernetes.allocatable import allocatable, managed_max_pods
from sim.decisions.kubernetes.empty_node import EKS_DAEMONS, empty_node, empty_node_of
from sim.model.cluster import Cluster, DaemonSet
from sim.model.pods import Taint, Toleration
from sim.model.resources import Resources
from tests.unit.engine.scenes import a_class, a_group

M5_XLARGE = Catalog().instance("m5.xlarge")
GIB = 1024


@pytest.mark.parametrize(
    ("asked", "pods", "limit"),
    [
        pytest.param(Resources(1_000, 4 * GIB), 3, "cpu", id="aws.md §5.1: four do not fit"),
        pytest.param(Resources(1_960, GIB), 1, "cpu", id="two would, but for the daemons' 150m"),
        pytest.param(Resources(1_885, GIB), 2, "cpu", id="half of what the daemons leave"),
        pytest.param(Resources(100, 7 * GIB), 1, "memory", id="14,162 MiB hold one of 7 GiB"),
        pytest.param(Resources(1_000, GIB, gpu=1), 0, "gpu", id="no GPU"),
        pytest.param(Resources(), 56, "max pods", id="58 pods by its interfaces, two of them daemons"),
        pytest.param(Resources(5_000, GIB), 0, "cpu", id="larger than the node"),
    ],
)
def test_what_an_m5_xlarge_holds(asked: Resources, pods: int, limit: str) -> None:
    empty = empty_node(allocatable(M5_XLARGE), managed_max_pods(M5_XLARGE), EKS_DAEMONS.values())
    assert empty.resources.cpu_m == 3_920 - 150
    assert empty.bottleneck(asked) == (pods, limit)
    assert empty.holds(asked) == pods


def test_daemons_that_do_not_land_take_nothing() -> None:
    tainted = a_group(taints=(Taint("dedicated", "ml"),), room=Resources(2_000, 8_000), max_pods=10)
    shy, bold = a_class("shy", cpu_m=500), a_class("bold", cpu_m=300, tolerations=(Toleration(exists=True),))
    cluster = Cluster(node_groups=(tainted,), daemon_sets=(DaemonSet(shy), DaemonSet(bold)))
    empty = empty_node_of(tainted.shape, cluster)
    assert (empty.resources.cpu_m, empty.pods) == (1_700, 9)
