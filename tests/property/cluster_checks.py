"""What must hold of any log of pods, nodes and Fargate: each rule a function."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise

from sim.model.log import NodeState, PodEnd
from sim.model.pods import Effect
from tests.property.ledger import Ledger, Row, peaks


def check_rows_are_in_order_of_time(ledger: Ledger) -> None:
    for name, table in ledger.log.tables.items():
        if "time_us" in table.columns and len(table):
            times = table.column("time_us").tolist()
            assert times == sorted(times), name
            assert times[0] >= 0, name
            assert times[-1] < ledger.log.end_us, name


# -- pods -------------------------------------------------------------------------------------


def check_pods_live_in_causal_order(ledger: Ledger) -> None:
    """Follow each pod: created, refused, bound or granted and Ready, pulled, running, ended; once each."""
    created = dict(enumerate(ledger.log["pods"].column("time_us").tolist()))
    steps = [created]
    placed = ("fargate_granted", "fargate_ready", "pod_bound")
    refused = ledger.rows("pod_unschedulable")
    unschedulable = {pod: time_us for time_us, pod in reversed(refused)}
    steps.append(unschedulable)
    steps += [ledger.once(table) for table in (*placed, "image_pulls", "pod_pulled", "pod_running")]
    ended = ledger.once("pod_ended")
    for pod, created_us in created.items():
        lived = [step[pod] for step in steps if pod in step]
        assert lived == sorted(lived), f"pod {pod}"
        assert lived[0] == created_us
        assert ended.get(pod, ledger.log.end_us) >= lived[-1], f"pod {pod} went on after its end"
    fargate = {row[1] for row in ledger.rows("fargate_pods")}
    bound, ready, running = ledger.once("pod_bound"), ledger.once("fargate_ready"), ledger.once("pod_running")
    assert not fargate & bound.keys()
    assert ready.keys() <= fargate
    assert running.keys() <= bound.keys() | ready.keys()
    assert len(refused) == len(unschedulable) or not ledger.log["pod_ended"], "refused twice without a reason"


def check_pods_end_with_their_node(ledger: Ledger) -> None:
    """Find pods on Ready nodes only that selector and tolerations allow, and gone when the node is."""
    ready, gone = ledger.first(NodeState.READY), ledger.first(NodeState.GONE)
    ended = {pod: (time_us, reason) for time_us, pod, reason in ledger.rows("pod_ended")}
    pods, classes = ledger.rows("pods"), ledger.classes()
    for time_us, pod, node in ledger.rows("pod_bound"):
        group, spec = ledger.group_of(node), classes[pods[pod][1]]
        assert ready[node] <= time_us < gone.get(node, ledger.log.end_us)
        assert dict(spec.node_selector).items() <= dict(group.labels).items()
        hard = [taint for taint in group.taints if taint.effect is not Effect.PREFER_NO_SCHEDULE]
        assert all(any(tolerated.tolerates(taint) for tolerated in spec.tolerations) for taint in hard)
        if node in gone:
            ended_us, reason = ended[pod]
            assert ended_us <= gone[node]
            if reason == PodEnd.NODE_GONE:
                assert ended_us == gone[node]


def check_replacements_follow_what_they_replace(ledger: Ledger) -> None:
    ended = ledger.once("pod_ended")
    pods = ledger.rows("pods")
    for time_us, cls, source, replaces in pods:
        if replaces >= 0:
            assert ended[replaces] <= time_us
            assert pods[replaces][1:3] == (cls, source)
    replaced = Counter(row[3] for row in pods if row[3] >= 0)
    assert max(replaced.values(), default=1) == 1


# -- nodes ------------------------------------------------------------------------------------


def check_nodes_never_hold_more_than_they_can(ledger: Ledger) -> None:
    """Replay what is bound to each node, DaemonSets included: never more than its allocatable."""
    pods, requests = ledger.rows("pods"), ledger.requests()
    ended = ledger.once("pod_ended")
    names = ledger.log.names["pod_class"]
    changes: defaultdict[int, list[tuple[int, Row]]] = defaultdict(list)
    for time_us, pod, node in ledger.rows("pod_bound"):
        taken = requests[pods[pod][1]]
        changes[node].append((time_us, taken))
        if pod in ended:
            changes[node].append((ended[pod], tuple(-amount for amount in taken)))
    for node, node_changes in changes.items():
        group = ledger.group_of(node)
        daemons = [
            requests[names.index(daemon.pod_class.name)]
            for daemon in ledger.scenario.cluster.daemon_sets
            if daemon.pod_class.selects(dict(group.labels))
            and all(daemon.pod_class.tolerates(taint) for taint in group.taints)
        ]
        room = group.allocatable
        allowed = (room.cpu_m, room.memory_mib, room.ephemeral_mib, room.gpu, group.max_pods)
        for amount, most in enumerate(allowed):
            used = sum(daemon[amount] for daemon in daemons)
            load = peaks((time_us, taken[amount]) for time_us, taken in node_changes)
            assert used + max(load) <= max(most, used), f"node {node} of {group.name}"


def check_anti_affinity(ledger: Ledger) -> None:
    pods, classes, ended = ledger.rows("pods"), ledger.classes(), ledger.once("pod_ended")
    stays: defaultdict[tuple[int, str], list[tuple[int, int]]] = defaultdict(list)
    for time_us, pod, node in ledger.rows("pod_bound"):
        spec = classes[pods[pod][1]]
        if spec.anti_affinity and spec.grace_us == 0:
            stays[node, spec.owner].append((time_us, ended.get(pod, ledger.log.end_us)))
    for together in stays.values():
        together.sort()
        assert all(before[1] <= after[0] for before, after in pairwise(together))


def check_groups_stay_within_their_sizes(ledger: Ledger) -> None:
    """Instances listed and not being deleted are at most max_size, and never more than the target was."""
    listed = dict(enumerate(ledger.log["nodes"].column("time_us").tolist()))
    left = ledger.first(NodeState.TERMINATING, NodeState.GONE)
    groups = ledger.log["nodes"].column("group").tolist()
    for index, group in enumerate(ledger.scenario.cluster.node_groups):
        members = [node for node in listed if groups[node] == index]
        size = [(listed[node], 1) for node in members] + [
            (left[node], -1) for node in members if node in left
        ]
        assert max(peaks(size), default=0) <= group.max_size, group.name
        for time_us, _, of, delta, target in ledger.rows("scale_ups"):
            if of == index:
                assert 0 < delta <= target <= group.max_size
                there = sum(change for at_us, change in size if at_us <= time_us)
                # a schedule may have raised the group since the autoscaler's last look at AWS
                assert there <= target or group.scheduled_minimums, f"{group.name} has {there} of {target}"


def check_nodes_live_in_causal_order(ledger: Ledger) -> None:
    requested = ledger.log["nodes"].column("time_us").tolist()
    allowed: dict[NodeState, set[NodeState | None]] = {
        NodeState.LAUNCHED: {None},
        NodeState.READY: {NodeState.LAUNCHED},
        NodeState.TERMINATING: {NodeState.LAUNCHED, NodeState.READY, None},
        NodeState.FAILED: {None},
        NodeState.GONE: {NodeState.TERMINATING, NodeState.READY, NodeState.FAILED, None},
    }
    at: dict[int, NodeState | None] = {}
    for time_us, node, code in ledger.rows("node_states"):
        state = NodeState(code)
        assert time_us >= requested[node]
        before = at.get(node)
        assert before is not NodeState.GONE
        if state in allowed:
            assert before in allowed[state], f"node {node}: {before!r} to {state!r}"
            at[node] = state
        else:
            assert before in (NodeState.READY, NodeState.TERMINATING), f"node {node}: {state!r}"


def check_scheduled_minimums(ledger: Ledger) -> None:
    """Find max_size nodes ten minutes past the hour, as the test's schedule says, if AWS has them."""
    listed = ledger.log["nodes"].column("time_us").tolist()
    left = ledger.first(NodeState.TERMINATING, NodeState.GONE)
    groups = ledger.log["nodes"].column("group").tolist()
    for index, group in enumerate(ledger.scenario.cluster.node_groups):
        if group.scheduled_minimums and not group.fail_windows:
            at_us = 10 * 60 * 1_000_000
            there = [
                node
                for node, time_us in enumerate(listed)
                if groups[node] == index and time_us <= at_us < left.get(node, ledger.log.end_us)
            ]
            assert len(there) == group.max_size


# -- Fargate ----------------------------------------------------------------------------------


def check_fargate_quotas(ledger: Ledger) -> None:
    """Replay grants: vCPU in use within the quota, launches within burst and rate."""
    quotas = ledger.scenario.cluster.fargate_quotas
    vcpu = {pod: vcpu_m for _, pod, vcpu_m, _, _ in ledger.rows("fargate_pods")}
    ended = ledger.once("pod_ended")
    granted = ledger.once("fargate_granted")
    load = [(time_us, vcpu[pod]) for pod, time_us in granted.items()]
    load += [(ended[pod], -vcpu[pod]) for pod in granted if pod in ended]
    assert max(peaks(load), default=0) <= quotas.vcpu * 1_000
    times = sorted(granted.values())
    for k in range(quotas.launch_burst, len(times)):
        waited_s = (times[k] - times[k - quotas.launch_burst]) / 1e6
        assert waited_s * quotas.launch_per_s >= 1 - 1e-6, "more launches than tokens"


CHECKS = [check for name, check in sorted(globals().items()) if name.startswith("check_")]
