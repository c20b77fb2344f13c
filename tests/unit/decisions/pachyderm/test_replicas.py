"""Replicas against the rules of pachyderm.md §2.2 and §2.3."""

import pytest

from sim.decisions.pachyderm.replicas import Reason, target_replicas


@pytest.mark.parametrize(
    ("parallelism", "current", "tasks", "target", "reason", "look_again"),
    [
        pytest.param(5, 0, 0, 1, Reason.FIRST_WORKER, True, id="woken up: one worker, whatever the tasks"),
        pytest.param(5, 0, 40, 1, Reason.FIRST_WORKER, True, id="even with many tasks"),
        pytest.param(5, 1, None, 1, Reason.NO_TASKS, True, id="counting failed"),
        pytest.param(5, 1, 0, 1, Reason.NO_TASKS, True, id="no tasks yet: still preprocessing"),
        pytest.param(5, 1, 1, 1, Reason.ENOUGH_WORKERS, True, id="one task: re-checked for the whole run"),
        pytest.param(5, 1, 20, 5, Reason.MORE_TASKS, False, id="one jump to full width"),
        pytest.param(5, 1, 3, 3, Reason.MORE_TASKS, True, id="as many as there are tasks"),
        pytest.param(5, 3, 2, 3, Reason.ENOUGH_WORKERS, True, id="never fewer while running"),
        pytest.param(1, 0, 0, 1, Reason.FIRST_WORKER, False, id="parallelism 1 arms no timer"),
    ],
)
def test_autoscaling(
    parallelism: int, current: int, tasks: int | None, target: int, reason: Reason, look_again: bool
) -> None:
    replicas = target_replicas(parallelism, current, tasks, autoscaling=True)
    assert (replicas.target, replicas.reason, replicas.look_again) == (target, reason, look_again)


@pytest.mark.parametrize("current", [0, 2, 5, 9])
def test_without_autoscaling_it_is_always_the_parallelism(current: int) -> None:
    replicas = target_replicas(5, current, 1, autoscaling=False)
    assert (replicas.target, replicas.look_again) == (5, False)
