"""kube-scheduler as cluster-autoscaler.md §5 tells it, on clusters small enough to follow by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.engine.entities import PodState
from sim.engine.kubernetes.kube_scheduler import KubeScheduler
from sim.engine.kubernetes.node_table import FIXED_ROWS, NodeTable
from sim.engine.ports import Ports
from sim.model.cluster import Cluster, NodeGroup, SchedulerOptions
from sim.model.log import PodEnd
from sim.model.pods import Controller, Effect, Image, PodClass, Taint, Toleration
from sim.model.resources import MIB
from tests.unit.engine.clusters import FOR_EVER, World, a_class, a_group

ONE_POD = 4000  # millicores: a pod that fills a node


class UpstreamWorld(World):
    """A cluster of one version, by default the one that the sheet tells of, with nodes elsewhere."""

    def __init__(
        self,
        *groups: NodeGroup,
        options: SchedulerOptions | None = None,
        seed: int = 1,
        version: str = "1.31",
        other_nodes: bool = True,
    ) -> None:
        cluster = Cluster(node_groups=groups or (a_group(),), kubernetes_version=version)
        super().__init__(cluster, seed=seed)
        options = options or self.cluster.scheduler
        self.scheduler = KubeScheduler(self.clock, self.state, options, self.streams, other_nodes=other_nodes)
        self.state.connect(Ports(self.scheduler, self.kubelet))

    def run(self, until_s: float) -> None:
        """Run; the columns must then say what the state says."""
        super().run(until_s)
        anew = NodeTable(self.state)
        table = self.scheduler.table
        for row in range(FIXED_ROWS):
            np.testing.assert_array_equal(table.row(row), anew.row(row))
        for owner in {(cls.spec.namespace, cls.spec.owner) for cls in self.state.classes}:
            np.testing.assert_array_equal(
                table.row(table.owner_row(*owner)), anew.row(anew.owner_row(*owner))
            )

    def placed_on(self) -> list[int]:
        """Return the node of each pod that was bound, in order of binding."""
        return [node for _, _, node in self.log["pod_bound"].rows().tolist()]

    def bound(self) -> dict[int, float]:
        """Return when each pod was bound, in seconds."""
        return {pod: time_us / 1e6 for time_us, pod, _ in self.log["pod_bound"].rows().tolist()}


class TestBackoff:
    @pytest.mark.parametrize(
        ("ready_s", "bound_s"),
        [
            pytest.param(0.5, 1.0, id="a node during the back-off: at the end of it"),
            pytest.param(1.0, 1.0, id="a node at the end of the back-off"),
            pytest.param(5.25, 5.25, id="a node after the back-off: at once"),
        ],
    )
    def test_one_failure(self, ready_s: float, bound_s: float) -> None:
        world = UpstreamWorld()
        world.pods((0, a_class("worker"), FOR_EVER))
        world.node_at(ready_s)
        world.run(100)
        assert world.seconds("pod_unschedulable") == [0.0]
        assert world.bound() == {0: bound_s}

    def test_backoff_ends_at_a_whole_second(self) -> None:
        """Failed at 0.3, back-off until 1.3, moved at 0.5: flushed at 2."""
        world = UpstreamWorld()
        world.pods((0.3, a_class("worker"), FOR_EVER))
        world.node_at(0.5)
        world.run(10)
        assert world.bound() == {0: 2.0}

    @pytest.mark.parametrize(
        ("ready_s", "bound_s"),
        [(0.5, 1), (1.5, 3), (3.5, 7), (8, 15), (16, 25), (26, 35), (34.9, 35), (36, 45)],
    )
    def test_events_that_do_not_help_lengthen_the_wait(self, ready_s: float, bound_s: float) -> None:
        """A pod leaves some node ten times a second: tries at 0, 1, 3, 7, 15, 25, 35, 45 s."""
        world = UpstreamWorld(a_group("small", 500), a_group("big"))
        world.node(0)
        world.pods((0, a_class("worker"), FOR_EVER))
        world.pods(*((n / 10 + 0.05, a_class("tick", 100, 100), 0.03) for n in range(500)))
        world.node_at(ready_s, 1)
        world.run(100)
        assert world.bound()[0] == bound_s

    def test_another_backoff(self) -> None:
        world = UpstreamWorld(
            options=SchedulerOptions(initial_backoff_us=4_000_000, max_backoff_us=8_000_000)
        )
        world.pods((0, a_class("worker"), FOR_EVER))
        world.node_at(0.5)
        world.run(10)
        assert world.bound() == {0: 4.0}

    def test_zero_backoff(self) -> None:
        world = UpstreamWorld(options=SchedulerOptions(initial_backoff_us=0, max_backoff_us=0))
        world.pods((0.3, a_class("worker"), FOR_EVER))
        world.node_at(0.5)
        world.run(10)
        assert world.bound() == {0: 0.5}

    def test_pods_that_cannot_use_a_node_are_not_moved_by_it(self) -> None:
        """A node of the wrong group is no event: the class is tried at once when the right one comes."""
        right = a_group("right", labels=(("pool", "right"),))
        world = UpstreamWorld(right, a_group("wrong"))
        world.pods((0, a_class("worker", node_selector=(("pool", "right"),)), FOR_EVER))
        for time_s in range(2, 12):
            world.node_at(time_s, 1)
        world.node_at(12.25, 0)
        world.run(20)
        assert world.bound() == {0: 12.25}


class TestOrder:
    def test_priority_goes_first_then_age(self) -> None:
        world = UpstreamWorld()
        world.pods(
            (0, a_class("old", ONE_POD), FOR_EVER),
            (1, a_class("new", ONE_POD), FOR_EVER),
            (2, a_class("urgent", ONE_POD, priority=5), FOR_EVER),
        )
        for time_s in (10, 20, 30):
            world.node_at(time_s)
        world.run(100)
        assert world.bound() == {2: 10.0, 0: 20.0, 1: 30.0}

    def test_a_retried_pod_goes_behind_newer_arrivals(self) -> None:
        """The old pod fails again at 1 s, after the new one failed at 0.7 s: the new one is placed first."""
        world = UpstreamWorld(a_group("small", 500), a_group("big"))
        world.node(0)
        world.pods(
            (0, a_class("old", ONE_POD), FOR_EVER),
            (0.4, a_class("tick", 100, 100), 0.1),
            (0.7, a_class("new", ONE_POD), FOR_EVER),
        )
        world.node_at(10, 1)
        world.node_at(20, 1)
        world.run(100)
        assert world.bound() == {1: 0.4, 2: 10.0, 0: 20.0}

    def test_a_thousand_alike_fail_together_and_take_turns_with_others(self) -> None:
        """Two classes that failed at one instant share what comes by age, pod by pod."""
        world = UpstreamWorld()
        a, b = a_class("a", 2000), a_class("b", 2000)
        world.pods(*[(0, spec, FOR_EVER) for _ in range(500) for spec in (a, b)])
        world.node_at(5)
        world.node_at(10)
        world.run(20)
        assert len(world.log["pod_unschedulable"]) == 1000
        assert world.bound() == {0: 5.0, 1: 5.0, 2: 10.0, 3: 10.0}

    def test_a_pod_deleted_while_waiting_is_skipped(self) -> None:
        world = UpstreamWorld()
        world.pods(*[(0, a_class("worker", ONE_POD), FOR_EVER)] * 3)
        cls = world.state.pod_class(a_class("worker", ONE_POD))
        world.at(1, lambda: world.state.end(cls.pending[1], PodEnd.SCALED_DOWN))
        world.node_at(5)
        world.node_at(10)
        world.run(20)
        assert world.bound() == {0: 5.0, 2: 10.0}


class TestPlacement:
    def test_without_nodes_a_pod_with_images_waits_for_one(self) -> None:
        image = (Image("opencv", 400_000_000),)
        world = UpstreamWorld()
        world.pods((0, a_class("worker", 500, 500, images=image), FOR_EVER))
        world.node_at(3)
        world.run(60)
        assert world.seconds("pod_unschedulable") == [0.0]
        assert world.bound() == {0: 3.0}

    def test_pods_spread_over_empty_nodes(self) -> None:
        world = UpstreamWorld()
        for _ in range(3):
            world.node()
        world.pods(*[(n, a_class("worker", 500, 500), FOR_EVER) for n in range(9)])
        world.run(20)
        placed = world.placed_on()
        assert all(sorted(placed[n : n + 3]) == [0, 1, 2] for n in (0, 3, 6))

    def test_requests_decide_and_defaults_stand_in_for_missing_ones(self) -> None:
        """Five containers without requests count 500m and 1000 MiB: the other node looks emptier."""
        world = UpstreamWorld()
        world.node()
        world.pods((0, a_class("none", 0, 0, unset_cpu_m=500, unset_memory_mib=1000), FOR_EVER))
        world.at(1, world.node)
        world.pods((2, a_class("worker", 100, 100), FOR_EVER))
        world.run(10)
        assert world.placed_on() == [0, 1]

    def test_defaults_beyond_what_a_node_has_count_as_all_of_it(self) -> None:
        """Twenty containers without requests count 2000m, and fill both nodes: it is 30 + 70 against 10 + 85.

        Counted beyond, the full node would have 5 + 70.
        """
        world = UpstreamWorld()
        world.node()
        world.pods((0, a_class("cpu", ONE_POD, 1600), FOR_EVER))
        world.at(1, world.node)
        world.pods(
            (2, a_class("memory", 2000, 3200), FOR_EVER), (3, a_class("none", 0, 0, unset_cpu_m=2000), 1.0)
        )
        world.run(10)
        assert world.placed_on() == [0, 1, 0]

    def test_ties_are_broken_evenly(self) -> None:
        """Of 200 seeds about half choose either of two empty nodes; four standard deviations are 28."""
        firsts = 0
        for seed in range(200):
            world = UpstreamWorld(seed=seed)
            world.node()
            world.node()
            world.pods((0, a_class("worker"), FOR_EVER))
            world.run(1)
            firsts += world.placed_on() == [0]
        assert abs(firsts - 100) < 28

    def test_nodes_to_be_removed_are_avoided_as_long_as_others_have_room(self) -> None:
        """TaintToleration's 300 points outweigh every other score."""
        world = UpstreamWorld()
        avoided, _ = world.node(), world.node()
        world.state.set_avoid(avoided, avoid=True)
        world.pods(*[(n, a_class("worker", 1000, 1000), FOR_EVER) for n in range(5)])
        world.run(10)
        assert world.placed_on() == [1, 1, 1, 1, 0]

    def test_groups_with_soft_taints_are_avoided(self) -> None:
        soft = a_group("soft", taints=(Taint("gpu", effect=Effect.PREFER_NO_SCHEDULE),))
        world = UpstreamWorld(soft, a_group("plain"))
        world.node(0)
        world.node(1)
        world.pods(*[(n, a_class("worker"), FOR_EVER) for n in range(4)])
        world.run(10)
        assert world.placed_on() == [1, 1, 1, 1]

    def test_spread_weighs_twice_what_free_room_does(self) -> None:
        """Free room speaks for the first node by 95 - 47, spread for the second by 100 - 66, twice."""
        world = UpstreamWorld(a_group("a"), a_group("b", labels=(("pool", "b"),)))
        world.node(0)
        world.node_at(1, 1)
        worker = a_class("worker", 100, 100, spread=True)
        filler = a_class("filler", 2000, 2000, node_selector=(("pool", "b"),))
        world.pods((0, worker, FOR_EVER), (2, filler, FOR_EVER), (3, worker, FOR_EVER))
        world.run(10)
        assert world.placed_on() == [0, 1, 1]

    def test_a_soft_taint_weighs_three_times_what_free_room_does(self) -> None:
        """Room speaks for the tainted node by 97 - 10, spread by twice 100 - 22; the taint against it."""
        soft = a_group("soft", taints=(Taint("gpu", effect=Effect.PREFER_NO_SCHEDULE),))
        world = UpstreamWorld(a_group("plain"), soft)
        world.node(0)
        world.node_at(2, 1)
        worker = a_class("worker", 100, 100, spread=True)
        world.pods((0, a_class("filler", 3000, 3000), FOR_EVER), *[(1, worker, FOR_EVER)] * 5)
        world.pods((3, worker, FOR_EVER))
        world.run(10)
        assert world.placed_on() == [0] * 7

    def test_closed_nodes_take_nothing_until_they_open(self) -> None:
        world = UpstreamWorld()
        node = world.node()
        world.state.close(node)
        world.at(5, lambda: world.state.reopen(node))
        world.pods((0, a_class("worker"), FOR_EVER))
        world.run(10)
        assert world.bound() == {0: 5.0}

    def test_max_pods(self) -> None:
        world = UpstreamWorld(a_group(max_pods=2))
        world.node()
        world.pods(*[(0, a_class("worker", 100, 100), 20.0)] * 3)
        world.run(100)
        assert world.bound() == {0: 0.0, 1: 0.0, 2: 20.0}

    def test_default_spread_goes_by_owner_and_zone(self) -> None:
        """Zone b has a larger node, which LeastAllocated likes; pods of one owner still alternate."""
        small, large = a_group("small", zone="a"), a_group("large", 5000, 5000, zone="b")
        world = UpstreamWorld(small, large)
        world.node(0)
        world.node(1)
        world.pods(*[(n, a_class("worker", 100, 100, spread=True), FOR_EVER) for n in range(6)])
        world.run(10)
        assert sorted(world.placed_on()) == [0, 0, 0, 1, 1, 1]

    def test_a_node_that_has_the_image_is_preferred(self) -> None:
        """1000 MiB on one of two nodes: 100 x (500 - 23) / (1000 - 23) = 48 points for being there."""
        image = Image("user", 1000 * MIB)
        for seed in range(10):
            world = UpstreamWorld(seed=seed)
            world.node()
            world.pods(*[(n, a_class("worker", 100, 100, images=(image,)), 0.1) for n in (0, 30)])
            world.at(29, world.node)
            world.run(100)
            assert world.placed_on() == [0, 0]
            assert world.seconds("pod_pulled") == [pytest.approx(1000 * MIB / 40e6)]

    def test_anti_affinity_is_one_pod_a_node(self) -> None:
        world = UpstreamWorld()
        world.node()
        world.node()
        world.pods(*[(0, a_class("db", 100, 100, anti_affinity=True), FOR_EVER)] * 3)
        world.run(10)
        assert sorted(world.placed_on()) == [0, 1]


class TestPreemption:
    def placeholder(self, **rest: object) -> PodClass:
        rest = {"priority": -10, "controller": Controller.REPLICA_SET, **rest}
        return a_class("placeholder", ONE_POD, 1000, **rest)

    def test_a_placeholder_makes_way_within_a_second(self) -> None:
        """The worker fails at 5, is nominated, and placed after its back-off; the placeholder waits again."""
        world = UpstreamWorld()
        world.node()
        world.pods((0, self.placeholder(), FOR_EVER))
        world.pods((5, a_class("worker", ONE_POD), FOR_EVER))
        world.run(20)
        assert world.log["pod_ended"].rows().tolist() == [[5_000_000, 0, PodEnd.PREEMPTED]]
        assert world.bound() == {0: 0.0, 1: 6.0}
        assert world.seconds("pod_unschedulable") == [5.0, 5.0]  # the worker, and the new placeholder
        [replacement] = world.state.pod_class(self.placeholder()).pending
        assert replacement.state is PodState.PENDING

    def test_victims_get_their_grace(self) -> None:
        world = UpstreamWorld()
        world.node()
        world.pods((0, self.placeholder(grace_us=30_000_000), FOR_EVER))
        world.pods((5, a_class("worker", ONE_POD), FOR_EVER))
        world.run(100)
        assert world.bound() == {0: 0.0, 1: 35.0}

    def test_nominated_room_is_kept_from_those_less_important(self) -> None:
        world = UpstreamWorld()
        world.node()
        world.pods((0, self.placeholder(), FOR_EVER))
        world.pods((5, a_class("worker", ONE_POD), FOR_EVER))
        world.pods((5.5, a_class("late", ONE_POD), FOR_EVER))
        world.run(20)
        assert world.bound() == {0: 0.0, 1: 6.0}

    def test_each_of_several_workers_finds_its_own_placeholder(self) -> None:
        world = UpstreamWorld()
        for _ in range(3):
            world.node()
        world.pods(*[(0, self.placeholder(), FOR_EVER)] * 3)
        world.pods(*[(5, a_class("worker", ONE_POD), FOR_EVER)] * 4)
        world.run(20)
        assert len(world.log["pod_ended"]) == 3
        assert world.seconds("pod_bound", {3, 4, 5, 6}) == [6.0, 6.0, 6.0]

    def test_equals_do_not_preempt_each_other(self) -> None:
        world = UpstreamWorld()
        world.node()
        world.pods((0, a_class("first", ONE_POD), FOR_EVER), (1, a_class("second", ONE_POD), FOR_EVER))
        world.run(20)
        assert len(world.log["pod_ended"]) == 0

    def test_nobody_makes_way_where_anti_affinity_stays(self) -> None:
        """Two of one owner never share a node, so the second must not cost the placeholder its place."""
        world = UpstreamWorld()
        world.node()
        world.pods((0, a_class("placeholder", 100, 100, priority=-10), FOR_EVER))
        world.pods(*[(5, a_class("worker", 100, 100, anti_affinity=True), FOR_EVER)] * 2)
        world.run(20)
        assert len(world.log["pod_ended"]) == 0
        assert world.bound() == {0: 0.0, 1: 5.0}

    @pytest.mark.parametrize("least", [-10, 0], ids=["may preempt as well", "may not"])
    def test_whoever_goes_elsewhere_leaves_the_kept_room_to_others(self, least: int) -> None:
        """Half of the room is there, kept for the worker, when a node comes that only the worker may use."""
        world = UpstreamWorld(a_group(), a_group("dedicated", taints=(Taint("dedicated"),)))
        world.node()
        half = a_class("half", ONE_POD // 2, priority=least)
        world.pods((0, half, FOR_EVER), (0, replace(half, name="slow", grace_us=60_000_000), FOR_EVER))
        tolerations = (Toleration("dedicated", exists=True),)
        world.pods((5, a_class("worker", ONE_POD, priority=10, tolerations=tolerations), FOR_EVER))
        world.node_at(10, group=1)
        late = a_class("late", ONE_POD // 4)
        world.pods((6, late, FOR_EVER), (12, late, FOR_EVER))
        world.run(20)
        assert world.bound() == {0: 0.0, 1: 0.0, 2: 10.0, 4: 12.0}

    def test_from_1_33_on_an_idle_scheduler_places_a_preemptor_at_once(self) -> None:
        """The recorded worlds in which victims have no grace: the instant of the preemption, not 6 s."""
        world = UpstreamWorld(version="1.33")
        world.node()
        world.pods((0, self.placeholder(), FOR_EVER))
        world.pods((5, a_class("worker", ONE_POD), FOR_EVER))
        world.run(20)
        assert world.bound() == {0: 0.0, 1: 5.0}

    def test_a_nomination_dies_with_the_pod(self) -> None:
        """Nobody is told up to 1.31, as in the recorded preemption-081; the node stays empty for a while."""
        world = UpstreamWorld()
        world.node()
        world.pods((0, self.placeholder(), FOR_EVER))
        world.pods((5, a_class("worker", ONE_POD), FOR_EVER))
        worker = world.state.pod_class(a_class("worker", ONE_POD))
        world.at(5.5, lambda: world.state.end(worker.pending[0], PodEnd.SCALED_DOWN))
        world.run(20)
        assert world.bound() == {0: 0.0}  # the new placeholder waits until it is left over


COMING = st.lists(
    st.tuples(st.floats(0, 60).map(lambda time_s: round(time_s, 2)), st.integers(0, 5), st.floats(0, 40)),
    min_size=1,
    max_size=60,
)
READY = st.lists(st.floats(0, 60).map(lambda time_s: round(time_s, 1)), min_size=1, max_size=6)


def a_busy_world(
    pods: list[tuple[float, int, float]], ready_s: list[float], seed: int, version: str
) -> UpstreamWorld:
    """Return a world of two groups in two zones, and pods of six classes and four priorities."""
    replaced = Controller.REPLICA_SET
    classes = [
        a_class("tiny", 100, 100, controller=replaced),
        a_class("half", 2000, 500, controller=replaced, spread=True),
        a_class("full", ONE_POD, 4000, controller=replaced),
        a_class("urgent", 2500, 2500, controller=replaced, priority=10),
        a_class("placeholder", 1000, 3000, controller=replaced, priority=-10),
        a_class("slow", 1000, 1000, controller=replaced, priority=-5, grace_us=3_000_000),
    ]
    world = UpstreamWorld(
        a_group(zone="a"), a_group("other", 6000, 6000, zone="b"), seed=seed, version=version
    )
    for number, time_s in enumerate(ready_s):
        world.node_at(time_s, number % 2)
    world.pods(*((time_s, classes[which], run_s) for time_s, which, run_s in sorted(pods)))
    return world


@pytest.mark.parametrize("version", ["1.31", "1.33"])
@settings(max_examples=40)
@given(pods=COMING, ready_s=READY, seed=st.integers(0, 10))
def test_nothing_is_lost_or_overcommitted(
    version: str, pods: list[tuple[float, int, float]], ready_s: list[float], seed: int
) -> None:
    """Whatever comes, checks hold at every step, columns agree with the state, and all pods complete."""
    world = a_busy_world(pods, ready_s, seed, version)
    world.run(10_000)
    assert len(world.log["pod_ended"]) == len(world.log["pods"])
    ended = world.log["pod_ended"].column("reason").tolist()
    assert ended.count(PodEnd.COMPLETED) == len(pods)


@pytest.mark.parametrize("version", ["1.31", "1.33"])
@settings(max_examples=60)
@given(
    pods=st.lists(
        st.tuples(st.integers(0, 6000), st.integers(0, 3), st.integers(0, 4000)), min_size=1, max_size=60
    ),
    ready=st.lists(st.integers(0, 6000), min_size=1, max_size=6),
)
def test_pods_that_sleep_are_placed_as_if_they_had_been_tried_all_the_time(
    version: str, pods: list[tuple[int, int, int]], ready: list[int]
) -> None:
    """One world lets hopeless classes sleep, the other makes every attempt that upstream makes.

    Nothing ends at a whole second, when attempts are made: within an instant their order may differ.
    """
    classes = [
        a_class("tiny", 100, 100),
        a_class("half", 2000, 500, spread=True),
        a_class("full", ONE_POD, 4000),
        a_class("gpu", 500, 500, node_selector=(("pool", "gpu"),)),
    ]
    gpu = a_group("gpu", labels=(("pool", "gpu"),), zone="b")
    worlds = [UpstreamWorld(a_group(zone="a"), gpu, version=version) for _ in range(2)]
    asleep, awake = worlds
    queue = awake.scheduler.queue
    queue._sleep = queue._await_event  # type: ignore[method-assign]  # what the test is about
    for world in worlds:
        for number, time in enumerate(ready):
            world.node_at(time / 100 + 0.00071, number % 2)
        coming = [
            (time / 100 + 0.00137, classes[which], run / 100 + 0.00219) for time, which, run in sorted(pods)
        ]
        world.pods(*coming)
        world.run(10_000)
    for table in ("pod_bound", "pod_unschedulable", "pod_ended"):
        assert asleep.log[table].rows().tolist() == awake.log[table].rows().tolist()
