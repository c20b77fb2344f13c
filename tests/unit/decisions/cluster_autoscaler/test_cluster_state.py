"""Source: clusterstate/clusterstate.go, utils/backoff/exponential_backoff.go (1.31.5).

cluster-autoscaler.md §1.3, §1.4.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.decisions.cluster_autoscaler.backoff import Backoff, after_failure
from sim.decisions.cluster_autoscaler.cluster_state import ClusterStateRegistry
from sim.decisions.cluster_autoscaler.readiness import Failure, RegisteredNodes
from sim.model.autoscaler import AutoscalerOptions
from sim.model.log import BackoffReason, Reason
from sim.model.units import HOUR, MINUTE
from tests.unit.decisions.cluster_autoscaler.autoscaling import SECOND, FakeCloud

OPTIONS = AutoscalerOptions()
PROVISION_US = 15 * MINUTE


def backoff_lengths(*failures_s: int) -> list[int]:
    backoff: Backoff | None = None
    lengths = []
    for failure_s in failures_s:
        backoff = after_failure(backoff, failure_s * SECOND, OPTIONS)
        lengths.append(backoff.duration_us // SECOND)
    return lengths


@pytest.mark.parametrize(
    ("failures_s", "expected_s"),
    [
        pytest.param([0], [300], id="5 minutes at first"),
        pytest.param([0, 300], [300, 300], id="the last instant of a block is inside it: the same again"),
        pytest.param([0, 301], [300, 600], id="doubles behind a block"),
        pytest.param([0, 301, 902, 2_103, 4_000], [300, 600, 1_200, 1_800, 1_800], id="up to 30 minutes"),
        pytest.param([0, 301, 301 + 3 * 3_600], [300, 600, 1_200], id="remembered for three hours"),
        pytest.param([0, 301, 302 + 3 * 3_600], [300, 600, 300], id="then forgotten"),
    ],
)
def test_backoff_lengths(failures_s: list[int], expected_s: list[int]) -> None:
    assert backoff_lengths(*failures_s) == expected_s


@given(st.lists(st.integers(0, 10**6), min_size=1).map(sorted))
def test_backoff_stays_between_initial_and_max(failures_s: list[int]) -> None:
    assert all(300 <= length <= 1_800 for length in backoff_lengths(*failures_s))


class World:
    """A registry of one group, looked at by hand."""

    def __init__(self) -> None:
        self.cloud = FakeCloud([0], [[]], [set()])
        self.registry = ClusterStateRegistry(1, OPTIONS)
        self.nodes: list[int] = []
        self.starting: dict[int, tuple[int, int]] = {}

    def scale_up(self, nodes: list[int], now_us: int) -> None:
        self.cloud.targets[0] += len(nodes)
        self.cloud.instances[0] = self.cloud.instances[0] + nodes
        self.registry.register_scale_up(0, len(nodes), now_us)
        self.registry.recalculate(self.cloud)

    def look(self, now_us: int) -> list[Failure]:
        ready = RegisteredNodes({*self.nodes, *self.starting}, [len(self.nodes)], self.starting)
        return self.registry.update_nodes(ready, self.cloud, now_us)

    @property
    def upcoming(self) -> int:
        return self.registry.upcoming_nodes()[0]


@pytest.fixture
def world() -> World:
    world = World()
    world.look(0)
    world.scale_up([1, 2], 10 * SECOND)
    return world


def test_what_was_asked_for_is_upcoming_until_it_is_ready(world: World) -> None:
    world.look(20 * SECOND)
    assert world.upcoming == 2
    world.nodes = [1]
    world.look(30 * SECOND)
    assert world.upcoming == 1
    world.nodes = [1, 2]
    world.look(40 * SECOND)
    assert world.upcoming == 0
    assert world.registry.is_idle


def test_a_terminating_node_hides_an_upcoming_one(world: World) -> None:
    """README §7.2 of the recordings: out of the target, but still counted as there."""
    world.nodes = [1, 2]
    world.look(20 * SECOND)
    world.cloud.targets[0] -= 1
    world.scale_up([3], 30 * SECOND)
    world.look(40 * SECOND)
    assert world.upcoming == 0


def test_a_registered_node_without_gpus_is_upcoming_for_15_minutes(world: World) -> None:
    world.nodes = [1]
    world.starting = {2: (0, 20 * SECOND)}
    world.look(30 * SECOND)
    assert (world.upcoming, world.registry.readiness[0].not_started) == (1, [2])
    world.look(20 * SECOND + 15 * MINUTE)
    assert (world.upcoming, world.registry.readiness[0].unready) == (0, 1)


def test_a_scale_up_times_out_strictly_after_the_provision_time(world: World) -> None:
    assert world.look(10 * SECOND + PROVISION_US) == []
    (failure,) = world.look(20 * SECOND + PROVISION_US)
    assert failure == Failure(0, 20 * SECOND + PROVISION_US + 5 * MINUTE, BackoffReason.TIMEOUT)
    assert world.registry.scale_up_refusal(0, failure.until_us) is Reason.BackoffReason
    assert world.registry.scale_up_refusal(0, failure.until_us + 1) is Reason.NoReason


def test_each_increase_moves_the_deadline_of_all(world: World) -> None:
    world.look(20 * SECOND)
    world.scale_up([3], 10 * MINUTE)
    assert world.look(20 * MINUTE) == []
    assert len(world.look(25 * MINUTE + 1)) == 1


def test_unregistered_instances_are_old_after_the_provision_time_since_first_seen(world: World) -> None:
    world.look(20 * SECOND)
    world.look(20 * SECOND + PROVISION_US)
    assert world.registry.old_unregistered(0, 20 * SECOND + PROVISION_US) == []
    world.look(30 * SECOND + PROVISION_US)
    assert world.registry.old_unregistered(0, 30 * SECOND + PROVISION_US) == [1, 2]
    assert world.upcoming == 0  # long unregistered ones are not waited for


def test_a_creation_error_backs_off_once_for_each_newly_failed_instance(world: World) -> None:
    world.look(20 * SECOND)
    world.cloud.failed[0] = {2}
    (failure,) = world.look(30 * SECOND)
    assert failure.reason is BackoffReason.OUT_OF_RESOURCES
    assert world.registry.created_with_errors(0) == [2]
    assert world.look(40 * SECOND) == []


def test_a_cluster_is_unhealthy_with_more_than_3_and_45_percent_unready(world: World) -> None:
    for unready, ready, healthy in ((3, 0, True), (4, 4, False), (4, 5, True)):
        world.nodes = list(range(100, 100 + ready))
        world.starting = dict.fromkeys(range(unready), (0, -HOUR))
        world.look(50 * SECOND)
        assert world.registry.is_cluster_healthy() is healthy


def test_a_group_is_unhealthy_when_nodes_it_had_are_missing(world: World) -> None:
    world.nodes = list(range(1, 11))
    world.cloud.instances[0] = list(world.nodes)
    world.cloud.targets[0] = 10
    world.look(20 * SECOND)
    assert world.registry.scale_up_refusal(0, 20 * SECOND) is Reason.NoReason
    world.nodes = [1, 2, 3]
    world.look(30 * SECOND)
    assert world.registry.scale_up_refusal(0, 30 * SECOND) is Reason.NotReadyReason


def test_a_target_that_nothing_came_of_is_to_be_lowered_after_the_provision_time(world: World) -> None:
    world.cloud.instances[0] = [1]
    world.nodes = [1]
    world.look(20 * SECOND)
    assert world.registry.size_to_fix(0, 20 * SECOND + PROVISION_US) == 0
    assert world.registry.size_to_fix(0, 20 * SECOND + PROVISION_US + 1) == -1
