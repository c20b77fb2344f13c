"""The compiled choice of a node and its twin of numpy: the same node, the same next start, the same logs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.decisions.kubernetes.scheduling import scheduler_rules
from sim.engine.entities import Node
from sim.engine.kubernetes import placement as engine
from sim.engine.kubernetes.class_view import ClassView, Ties
from sim.engine.kubernetes.node_table import NodeTable
from sim.engine.kubernetes.placement import Placement
from sim.engine.run import simulate
from sim.kernels.choice import choose
from sim.kernels.kernel import Kernel, Patience, compile_now
from sim.model.cluster import Cluster, NodeGroup, SchedulerKind
from sim.model.pods import Image, PodClass
from sim.model.resources import MIB, Resources
from tests.unit.engine.clusters import World, a_class, a_group

GIB = 1024 * MIB
RULES = scheduler_rules("1.33")
IMAGES = (Image("user", 1000 * MIB), Image("base", GIB // 2))
GPU_ROOM = Resources(7910, 29_000, ephemeral_mib=90, gpu=4)
GROUPS = (
    a_group("small", 3920, 14_162, max_pods=58),
    a_group("large", 15_890, 60_000, max_pods=200, labels=(("pool", "large"),)),
    NodeGroup.alike("gpu", GPU_ROOM, GPU_ROOM, max_pods=30),
)
CLASSES = st.builds(
    a_class,
    st.sampled_from(["worker", "other"]),
    st.sampled_from([0, 100, 1333, 3920]),
    st.sampled_from([0, 300, 7001]),
    unset_cpu_m=st.sampled_from([0, 100, 3000]),
    unset_memory_mib=st.sampled_from([0, 200, 10_000]),
    images=st.sampled_from([(), IMAGES[:1], IMAGES]),
    node_selector=st.sampled_from([(), (), (("pool", "large"),)]),
    anti_affinity=st.booleans(),
)
TRAINING = Resources(1000, 1000, ephemeral_mib=20, gpu=1)
GPU = PodClass("training", TRAINING, TRAINING, "training")


@contextmanager
def chosen_by(kernel: Kernel[..., tuple[int, int]]) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "CHOICE", kernel)
        yield


NEVER = Kernel(choose, 10**9, Patience())


@pytest.fixture(scope="module")
def at_once() -> Kernel[..., tuple[int, int]]:
    kernel = Kernel(choose, 10**9, Patience())
    kernel.compiled = compile_now(choose) or choose
    return kernel


def a_half_full_table(world: World, nodes: int, rng: np.random.Generator) -> NodeTable:
    """Return the table of nodes that hold anything, some of them closed, avoided, or with images."""
    for number in range(nodes):
        group = int(rng.integers(len(GROUPS)))
        node = Node(number, f"{number}", group, GROUPS[group].shape, 0, group=group)
        node.free_cpu_m -= int(rng.choice((0, 700, 1333, node.free_cpu_m)))
        node.free_memory_mib -= int(rng.choice((0, 300, 7001, node.free_memory_mib)))
        node.free_gpu -= int(rng.integers(node.free_gpu + 1))
        node.free_ephemeral_mib -= int(rng.choice((0, node.free_ephemeral_mib)))
        node.free_pods -= int((rng.random() < 0.05) * node.free_pods)
        node.open = bool(rng.random() < 0.9)
        node.avoid = bool(rng.random() < 0.2)
        node.images = {image.name: 0 for image in IMAGES if rng.random() < 0.5}
        world.state.add_node(node)
    return NodeTable(world.state)


@settings(max_examples=60)
@given(
    nodes=st.one_of(st.integers(1, 8), st.integers(180, 220)),
    classes=st.lists(CLASSES, min_size=1, max_size=3),
    seed=st.integers(0, 2**32),
)
def test_twins_agree(
    at_once: Kernel[..., tuple[int, int]], nodes: int, classes: list[PodClass], seed: int
) -> None:
    """Pods are put where they go, so that ties, full nodes and pods of one owner come up."""
    rng = np.random.default_rng(seed)
    world = World(Cluster(node_groups=GROUPS))
    table = a_half_full_table(world, nodes, rng)
    placements = [Placement(table), Placement(table)]
    views = []
    for spec in (*classes, GPU):
        cls = world.state.pod_class(spec)
        views.append(
            [ClassView(cls, world.state, table, Ties(np.random.default_rng(seed)), RULES) for _ in "ab"]
        )
    for node in table.nodes:
        table.images_changed(node)
    placements[0].start = placements[1].start = int(rng.integers(2 * nodes))  # some nodes may have gone
    for _ in range(20):
        pair = views[rng.integers(len(views))]
        found = []
        for kernel, placement, view in zip((NEVER, at_once), placements, pair, strict=True):
            with chosen_by(kernel):
                found.append((placement.choose(view), placement.start, view.ties.next))
        assert found[0] == found[1]
        chosen = found[0][0]
        if chosen is not None:
            chosen.take(pair[0].cls)
            table.count(chosen, pair[0].counters, pair[0].unset, 1)
            table.load(chosen)


def test_a_world_has_the_same_log(at_once: Kernel[..., tuple[int, int]]) -> None:
    """Two thousand pods on up to 200 nodes, which boot, are tainted and go."""
    from benchmarks import worlds

    pytest.importorskip("numba", reason="the extra 'fast' is not installed")
    scenario = worlds.pods(4_000, SchedulerKind.UPSTREAM)
    logs = []
    for kernel in (NEVER, at_once):
        with chosen_by(kernel):
            logs.append(simulate(scenario, 1))
    for name, table in logs[0].tables.items():
        assert np.array_equal(table.rows(), logs[1][name].rows()), name
