"""Fargate: each pod that a profile takes gets a microVM of its own, as the quotas allow.

The next one starts when there is a launch token and when the vCPU of its size fit under the quota beside
those of all pods started and not ended. One that the quota refuses is tried again with back-off: pods of a
size keep their order, and smaller ones pass a larger one that does not fit. Then its microVM becomes Ready,
which is when the image pull and the bill begin, all images are pulled, and the containers start. A pod that
Fargate cannot run, or whose vCPU exceed the whole quota, stays pending for ever.

Every delay is drawn when the pod is created, so the n-th pod of a class has the same luck whatever
the quota. Source: aws.md §1 to §4 and §8.2; that all images share one pull rate is an assumption.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sim.decisions.aws.fargate import fargate_size, usable_memory_mib
from sim.decisions.aws.fargate_admission import FargateCandidate, profile_of, refusals
from sim.decisions.aws.quota_retries import next_try_us
from sim.decisions.aws.token_bucket import launch_bucket
from sim.engine.clock import Phase
from sim.engine.kubernetes.containers import Containers, PerClass, pull_duration_us
from sim.model.billing import billed_ephemeral_mib
from sim.model.pods import Controller

if TYPE_CHECKING:
    from sim.engine.clock import Call, Clock
    from sim.engine.entities import ClassState, Pod
    from sim.engine.state import ClusterState
    from sim.engine.streams import Streams
    from sim.model.cluster import Cluster
    from sim.model.latency import Latencies
    from sim.model.machines import FargateSize
    from sim.model.pods import PodClass

ABOVE_QUOTA = "its vCPU exceed the whole Fargate quota"


class Launch:
    """What a pod has in store: its size, its delays, and whether it has been granted."""

    __slots__ = ("granted", "rate", "ready_us", "refused_us", "size", "start_us")

    def __init__(self, size: FargateSize, ready_us: int, rate: int, start_us: int) -> None:
        """Prepare a launch; ``rate`` is that of its pull, in millionths of a byte per second."""
        self.size = size
        self.ready_us = ready_us
        self.rate = rate
        self.start_us = start_us
        self.granted = False
        self.refused_us = -1  # when it was first tried, if the quota refused it


class SizeQueue:
    """Pods that wait for one amount of vCPU, in order; ``is_blocked``: the quota refused one of them."""

    __slots__ = ("is_blocked", "pods")

    def __init__(self) -> None:
        """Start empty."""
        self.pods: deque[Pod] = deque()
        self.is_blocked = False


class Fargate:
    """Takes charge of the pods that a profile of the cluster selects."""

    def __init__(
        self, clock: Clock, state: ClusterState, cluster: Cluster, latency: Latencies, streams: Streams
    ) -> None:
        """Start with nothing in use."""
        self.clock = clock
        self.state = state
        self.cluster = cluster
        self._vcpu_quota_m = round(cluster.fargate_quotas.vcpu * 1000)
        self._vcpu_used_m = 0
        self._bucket = launch_bucket(cluster.fargate_quotas)
        self._waiting: dict[int, SizeQueue] = {}  # by vCPU of the size
        self._launches: dict[Pod, Launch] = {}
        self._grant_due_us = -1
        self._sizes: dict[int, FargateSize | None] = {}
        self._reasons: dict[int, tuple[str, ...]] = {}
        self._containers = Containers(clock, state, latency, streams)
        self._ready = PerClass(streams, "fargate-ready", latency.fargate.ready_s)
        self._rate = PerClass(streams, "fargate-pull", latency.image_pull.bytes_per_s)
        self._pull = latency.image_pull

    def usable_memory_mib(self, cls: ClassState) -> int:
        """Return what the containers of a pod of an admissible class can use together."""
        size = self._size(cls)
        assert size is not None, "no pod of this class ever runs"
        return usable_memory_mib(size)

    def profile_of(self, spec: PodClass) -> int | None:
        """Return the first profile that selects pods of a class."""
        profiles = self.cluster.fargate_profiles
        profile = profile_of(spec.namespace, dict(spec.labels), profiles)
        return None if profile is None else profiles.index(profile)

    def add(self, pod: Pod) -> None:
        """Queue a new pod for launch, or refuse it for good."""
        size = self._size(pod.cls)
        if size is None:
            self._refuse(pod)
            return
        billed_mib = billed_ephemeral_mib(pod.cls.ephemeral_mib)
        row = (self.clock.now_us, pod.id, size.vcpu_m, size.memory_mib, billed_mib)
        self.state.log.tables["fargate_pods"].add(row)
        cls = pod.cls
        start_us = self._containers.start_delays.next_us(cls)
        self._launches[pod] = Launch(size, self._ready.next_us(cls), self._rate.next_us(cls), start_us)
        self._waiting.setdefault(size.vcpu_m, SizeQueue()).pods.append(pod)
        self._grant_at(self.clock.now_us)

    def forget(self, pod: Pod) -> None:
        """Free the vCPU of a pod that ended, or let it wait no longer."""
        launch = self._launches.pop(pod, None)
        if launch is not None and launch.granted:
            self._vcpu_used_m -= launch.size.vcpu_m
        if any(queue.pods for queue in self._waiting.values()):
            self._grant_at(self.clock.now_us)

    # -- admission --------------------------------------------------------------------------

    def _size(self, cls: ClassState) -> FargateSize | None:
        """Return the size of a class's pods, or None with reasons when Fargate cannot run them."""
        if cls.index not in self._sizes:
            spec = cls.spec
            sizes = self.cluster.fargate_sizes
            daemon = spec.controller is Controller.DAEMON_SET
            reasons = [r.value for r in refusals(FargateCandidate(spec.requests, daemon_set=daemon), sizes)]
            size = fargate_size(spec.requests, sizes)
            if size is not None and size.vcpu_m > self._vcpu_quota_m:
                reasons.append(ABOVE_QUOTA)
            self._sizes[cls.index] = None if reasons else size
            self._reasons[cls.index] = tuple(reasons)
        return self._sizes[cls.index]

    def _refuse(self, pod: Pod) -> None:
        self.state.refuse(pod)
        names = self.state.log.names["reason"]
        for reason in self._reasons[pod.cls.index]:
            if reason not in names:
                names.append(reason)
            row = (self.clock.now_us, pod.id, names.index(reason))
            self.state.log.tables["fargate_refusals"].add(row)

    # -- launch -----------------------------------------------------------------------------

    def _grant_at(self, time_us: int) -> None:
        """Have launches granted at an instant, unless that is due already."""
        if not self.clock.now_us <= self._grant_due_us <= time_us:
            self._grant_due_us = time_us
            self.clock.at(time_us, Phase.SCHEDULE, self._grant, time_us)

    def _grant(self, call: Call[int]) -> None:
        if call.argument != self._grant_due_us:
            return
        self._grant_due_us = -1
        now_us = self.clock.now_us
        while tries := sorted(self._tries()):
            try_us, _, vcpu_m = tries[0]
            due_us = max(try_us, self._bucket.ready_at_us(now_us))
            if due_us > now_us:
                self._grant_at(due_us)
                return
            pod = self._waiting[vcpu_m].pods.popleft()
            self._launch(pod, self._launches[pod])

    def _tries(self) -> Iterator[tuple[int, int, int]]:
        """Yield of the first pod of each size that fits under the quota: when it is tried, number, vCPU."""
        now_us = self.clock.now_us
        for vcpu_m, queue in self._waiting.items():
            while queue.pods and queue.pods[0] not in self._launches:  # deleted while it waited
                queue.pods.popleft()
            if not queue.pods:
                queue.is_blocked = False
                continue
            pod = queue.pods[0]
            launch = self._launches[pod]
            if queue.is_blocked:  # refused as the ones before it were
                launch.refused_us = pod.created_us
            if self._vcpu_used_m + vcpu_m > self._vcpu_quota_m:
                queue.is_blocked = True
                launch.refused_us = pod.created_us
                continue
            yield now_us if launch.refused_us < 0 else next_try_us(launch.refused_us, now_us), pod.id, vcpu_m

    def _launch(self, pod: Pod, launch: Launch) -> None:
        now_us = self.clock.now_us
        self._bucket = self._bucket.taken(now_us)
        self._vcpu_used_m += launch.size.vcpu_m
        launch.granted = True
        self.state.log.tables["fargate_granted"].add((now_us, pod.id))
        pod.call = self.clock.at(now_us + launch.ready_us, Phase.NODES_READY, self._became_ready, pod)

    def _became_ready(self, call: Call[Pod]) -> None:
        pod = call.argument
        pod.call = None
        launch = self._launches[pod]
        self.state.place_on_fargate(pod)
        size_bytes = sum(image.size_bytes for image in pod.cls.spec.images)
        weight = sum(map(self._pull.weight, pod.cls.spec.images))
        pull_us = pull_duration_us(weight, launch.rate) if size_bytes else 0
        self._containers.start(pod, self.clock.now_us + pull_us, size_bytes, launch.start_us)
