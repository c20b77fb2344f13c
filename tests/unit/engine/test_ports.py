"""Another autoscaler in the socket: sixty lines that know no groups and buy nodes by their shape."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from sim.engine.aws.ec2 import NodeGroups
from sim.engine.clock import Clock, Phase
from sim.engine.entities import ClassState, Node
from sim.engine.run import simulate
from sim.engine.state import ClusterState
from sim.engine.streams import Streams
from sim.model.arrivals import TimesArrivals
from sim.model.cluster import Cluster, NodeShape, SchedulerKind, SchedulerOptions
from sim.model.distributions import Constant
from sim.model.latency import Ec2Latency, Latencies
from sim.model.log import NodeState
from sim.model.resources import Resources
from sim.model.scenario import PodLoad, Scenario
from sim.model.units import SECOND
from sim.report.bill import make_bill
from sim.report.frames import Tables
from sim.report.intervals import lives
from tests.unit.engine.scenes import MONDAY, a_class

EVERY_US, IDLE_US = 10 * SECOND, 60 * SECOND
Room = list[int]


class CheapestShape:
    """Buys for what waits the cheapest shape that holds it, and gives up nodes empty for a minute."""

    def __init__(self, clock: Clock, state: ClusterState, capacity: NodeGroups, _: Streams) -> None:
        self.clock = clock
        self.state = state
        self.capacity = capacity
        self.coming: dict[int, int] = {}  # node id: shape
        self.empty_since_us: dict[Node, int] = {}

    def start(self) -> None:
        self.clock.call_at(EVERY_US, Phase.LOOK, self.look, None)

    def cluster_changed(self) -> None:
        """Look every ten seconds all the same."""

    pod_unschedulable = cluster_changed

    def look(self, _: None) -> None:
        self.clock.looked_us = self.clock.now_us
        self.state.touched.clear()
        self.buy()
        self.sell()
        self.clock.call_at(self.clock.now_us + EVERY_US, Phase.LOOK, self.look, None)

    def buy(self) -> None:
        for node in self.state.nodes:
            self.coming.pop(node.id, None)
        rooms = [[node.free_cpu_m, node.free_memory_mib] for node in self.state.nodes]
        rooms += [self.room(shape) for shape in self.coming.values()]
        for cls in self.waiting():
            if not any(self.take(cls, room) for room in rooms):
                shape = self.cheapest(cls)
                self.coming[self.capacity.launch(shape)] = shape
                rooms.append(self.room(shape))
                self.take(cls, rooms[-1])

    def waiting(self) -> Iterator[ClassState]:
        for cls in self.state.refused.values():
            yield from (cls for _ in cls.pending)

    def room(self, shape: int) -> Room:
        room = self.state.shapes[shape].allocatable
        return [room.cpu_m, room.memory_mib]

    def take(self, cls: ClassState, room: Room) -> bool:
        fits = cls.cpu_m <= room[0] and cls.memory_mib <= room[1]
        if fits:
            room[:] = room[0] - cls.cpu_m, room[1] - cls.memory_mib
        return fits

    def cheapest(self, cls: ClassState) -> int:
        shapes = [s for s, allowed in enumerate(cls.allowed) if allowed and self.take(cls, self.room(s))]
        return min(shapes, key=lambda shape: self.state.shapes[shape].usd_per_hour)

    def sell(self) -> None:
        now_us = self.clock.now_us
        empty = [node for node in self.state.nodes if not node.pods]
        self.empty_since_us = {node: self.empty_since_us.get(node, now_us) for node in empty}
        for node, since_us in self.empty_since_us.items():
            if now_us - since_us >= IDLE_US:
                self.capacity.terminate(node.id)


def a_shape(cpu_m: int, usd_per_hour: float, name: str, zone: str) -> NodeShape:
    room = Resources(cpu_m, 16_000)
    return NodeShape(room, room, 58, name, zone=zone, usd_per_hour=usd_per_hour, volume_gib=0)


SHAPES = (a_shape(8_000, 0.40, "big", "b"), a_shape(4_000, 0.20, "small", "a"))
LATENCY = Latencies(
    ec2=Ec2Latency(Constant(5.0), Constant(25.0), terminate_s=Constant(0.0)), container_start_s=Constant(0.0)
)


def a_world(kind: SchedulerKind) -> Scenario:
    """Return two pods of six cores at one minute, and four of three 10 s later, for ten minutes each."""
    few = [
        PodLoad(f"{cpu_m}-{n}", TimesArrivals((at_us,)), a_class(f"{cpu_m}-{n}", cpu_m), Constant(600.0))
        for at_us, cpu_m, count in ((60 * SECOND, 6_000, 2), (70 * SECOND, 3_000, 4))
        for n in range(count)
    ]
    cluster = Cluster(loose_shapes=SHAPES, scheduler=SchedulerOptions(kind))
    scenario = Scenario("shapes", MONDAY, 3_600 * SECOND, cluster, pods=tuple(few), latency=LATENCY)
    return replace(scenario, prices=replace(scenario.prices, control_plane_hour=0.0, nat_gateways=0))


@pytest.mark.parametrize("kind", SchedulerKind)
def test_an_autoscaler_without_groups_runs_a_cluster(kind: SchedulerKind) -> None:
    scenario = a_world(kind)
    log = simulate(scenario, 1, checks=True, autoscaler=CheapestShape)

    assert set(log["nodes"].column("group").tolist()) == {-1}
    shape_of = log["nodes"].column("shape").tolist()
    assert set(shape_of) == {0, 1}
    cpu_of = [row[0] for row in log["pod_classes"].rows().tolist()]
    class_of = log["pods"].column("pod_class").tolist()
    for _, pod, node in log["pod_bound"].rows().tolist():
        assert cpu_of[class_of[pod]] <= SHAPES[shape_of[node]].allocatable.cpu_m
    assert len(log["pod_ended"]) == 6
    assert len(log["node_states"].where("state", NodeState.GONE)) == len(shape_of)


def test_each_node_costs_what_its_shape_does() -> None:
    """A pod asks at a look; 5 s later its node is launched, 25 s after that up, and 660 s later gone.

    Those that came first are bound first: no small pod is on a big node.
    """
    scenario = a_world(SchedulerKind.FIRST_FIT)
    log = simulate(scenario, 1, autoscaler=CheapestShape)
    paid_h = (25 + 600 + 60) / 3_600
    bill = make_bill(log, scenario, lives(log), 0)
    assert bill.total_usd == pytest.approx(paid_h * (4 * 0.20 + 2 * 0.40), rel=1e-9)
    frame = Tables(log, scenario).nodes
    assert sorted(frame["shape"]) == ["big b"] * 2 + ["small a"] * 4
    assert set(frame["name"]) == {"big b-1", "big b-2", *(f"small a-{n}" for n in range(1, 5))}
    assert set(frame["group"]) == {""}
