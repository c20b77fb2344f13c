"""Which pending pods a scale-up may help.

Pods that fit what is there, or what is coming, are packed there and left out. The rest must be
older than the scale-up delay, and the oldest of them at least two seconds old (half a minute with
GPUs): more may be on the way.

Source: Cluster Autoscaler 1.31.5, core/podlistprocessor/filter_out_schedulable.go,
core/static_autoscaler.go (filterOutYoungPods, allPodsAreNew).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from sim.decisions.cluster_autoscaler.packing import are_many, place_waiting

if TYPE_CHECKING:
    from sim.decisions.cluster_autoscaler.chance import Chance
    from sim.decisions.cluster_autoscaler.hinting_simulator import HintingSimulator
    from sim.decisions.cluster_autoscaler.snapshot import Snapshot
    from sim.decisions.cluster_autoscaler.snapshot_node import PodView

UNSCHEDULABLE_POD_TIME_BUFFER_US = 2_000_000
UNSCHEDULABLE_POD_WITH_GPU_TIME_BUFFER_US = 30_000_000

P = TypeVar("P", bound="PodView")


def filter_out_schedulable(
    snapshot: Snapshot,
    pods: Sequence[P],
    simulator: HintingSimulator,
    chance: Chance | None = None,
) -> list[P]:
    """Place what fits, higher priorities first, and return the rest; the snapshot keeps the placed."""
    if are_many(len(pods), snapshot):
        left = place_waiting(snapshot, pods, simulator)
        simulator.drop_old_hints()
        return left
    listed = list(pods) if chance is None else chance.shuffled(pods)
    if len({cls.spec.priority for cls in {pod.cls for pod in listed}}) > 1:
        listed.sort(key=lambda pod: -pod.cls.spec.priority)
    placed = simulator.try_schedule_pods(snapshot, listed)
    simulator.drop_old_hints()
    return [] if len(placed) == len(listed) else [pod for pod in listed if pod.id not in placed]


def filter_out_young(pods: Iterable[P], now_us: int, new_pod_scale_up_delay_us: int) -> list[P]:
    """Return the pods older than the delay; a pod's own annotation may only raise it."""
    return [
        pod
        for pod in pods
        if now_us - pod.created_us > max(new_pod_scale_up_delay_us, pod.cls.spec.scale_up_delay_us)
    ]


def scale_up_timers(pods: Iterable[PodView], new_pod_scale_up_delay_us: int) -> Iterator[int]:
    """Yield when one of the pods stops being too new for one of these rules."""
    for pod in pods:
        yield pod.created_us + max(new_pod_scale_up_delay_us, pod.cls.spec.scale_up_delay_us) + 1
        yield pod.created_us + UNSCHEDULABLE_POD_TIME_BUFFER_US
        yield pod.created_us + UNSCHEDULABLE_POD_WITH_GPU_TIME_BUFFER_US


def all_pods_are_new(pods: Sequence[PodView], now_us: int) -> bool:
    """Say whether even the oldest pod, or the oldest that asks for GPUs, is too new."""
    if min(pod.created_us for pod in pods) + UNSCHEDULABLE_POD_TIME_BUFFER_US > now_us:
        return True
    with_gpu = [pod.created_us for pod in pods if pod.cls.gpu > 0]
    return bool(with_gpu) and min(with_gpu) + UNSCHEDULABLE_POD_WITH_GPU_TIME_BUFFER_US > now_us
