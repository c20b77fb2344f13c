"""What breaks an invariant is named with what it went through, second by second."""

from __future__ import annotations

import pytest

from sim.engine.entities import Pod
from sim.errors import SimulationError
from sim.model.cluster import Cluster
from sim.model.log import PodEnd
from tests.unit.engine.clusters import World, a_class, a_group


def test_a_transition_that_cannot_be_tells_the_pods_life() -> None:
    world = World(Cluster(node_groups=(a_group(),)))
    world.node_at(20)
    world.pods((5, a_class("work"), 10))
    kept: list[Pod] = []
    world.at(25, lambda: kept.extend(world.state.nodes[0].pods))
    world.run(40)
    with pytest.raises(SimulationError, match="pod 0 of work") as raised:
        world.state.end(kept[0], PodEnd.COMPLETED)
    assert raised.value.history == (
        "created at 5 s",
        "unschedulable at 5 s",
        "bound at 20 s",
        "running at 20 s",
        "ended COMPLETED at 30 s",
    )


def test_a_node_removed_with_pods_on_it_tells_its_life() -> None:
    world = World(Cluster(node_groups=(a_group(),)))
    world.node_at(20)
    world.pods((5, a_class("work"), -1))
    world.run(40)
    with pytest.raises(SimulationError, match="node nodes-1 is removed with 1 pods on it") as raised:
        world.state.remove_node(world.state.nodes[0])
    assert raised.value.history == ("READY at 20 s",)
