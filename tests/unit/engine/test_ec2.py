"""EC2 as the sheets say: launch, boot, Spot, failing capacity, GPUs, scheduled minimums."""

from __future__ import annotations

from sim.model.cluster import ScheduledMinimum
from sim.model.log import NodeState
from sim.model.units import MINUTE, SECOND
from tests.unit.engine.scenes import FOR_EVER, Scene, a_class, a_group, flags


def test_a_stale_autoscaler_asks_for_a_size_not_for_one_more() -> None:
    """SetDesiredCapacity(1) on a group raised to 1 by a schedule is no news (cluster-autoscaler.md §3.9).

    The view of AWS is up to a minute old: looks come every 7 s, the last refresh before 602 was at 567.
    """
    warm = (ScheduledMinimum("10 * * * *", 1),)
    group = a_group(max_size=1, scheduled_minimums=warm)
    options = flags(aws_refresh_interval_us=MINUTE, scan_interval_us=7 * SECOND)
    scene = Scene([group], [(597, a_class(), FOR_EVER)], options, until_s=900)
    assert scene.scale_ups() == [(602, "nodes", 1)]
    assert scene.seconds("nodes") == [600]
    assert scene.when(NodeState.READY) == [660]
