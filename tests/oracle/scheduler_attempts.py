"""Each recorded attempt of kube-scheduler, judged anew in the recorded world."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sim.decisions.kubernetes.preemption import Victims, choose_node
from sim.engine.clock import Call, Phase
from sim.engine.entities import Node, Pod
from tests.oracle.scheduler_world import Case, World, at_us

LARGE = 100  # nodes from which on a search is recorded


class JudgedWorld(World):
    """A world in which what was recorded happens, and the product is asked what it would have done."""

    def __init__(self, case: Case, version: str) -> None:
        self.differences: list[str] = []
        super().__init__(case, version)
        by_time: defaultdict[int, list[Case]] = defaultdict(list)
        for attempt in case["trace"]:
            if attempt["event"] == "attempt":
                by_time[at_us(attempt["t"])].append(attempt)
        for time_us, attempts in by_time.items():
            self.clock.at(time_us, Phase.SCHEDULE, self._attempts, attempts)

    def add(self, pod: Pod) -> None:
        if not self.direct:
            pod.cls.enqueue(pod)

    def forget(self, pod: Pod) -> None:
        pod.cls.dequeue(pod)
        self.scheduler.preemptor.release(pod)

    def _attempts(self, call: Call[list[Case]]) -> None:
        for attempt in call.argument:
            self._judge(attempt)
            self._make_true(attempt)

    def _differ(self, attempt: Case, what: str, recorded: Any, simulated: Any) -> None:
        if recorded != simulated:
            self.differences.append(
                f"attempt {attempt['t']} {attempt['pod']}, {what}: recorded {recorded}, simulated {simulated}"
            )

    def _judge(self, attempt: Case) -> None:
        pod = self.pods[attempt["pod"]]
        scheduler, placement = self.scheduler, self.scheduler.placement
        view = scheduler.view(pod.cls)
        self._differ(attempt, "no nodes", attempt["outcome"] == "no nodes", not scheduler.table.nodes)
        if not scheduler.table.nodes:
            return
        if "start" in attempt:
            placement.start = attempt["start"]
        scheduler.table.take_snapshot()
        nominated = pod.nominated
        if nominated is not None and scheduler.fits_where_nominated(pod, view):
            numbers = [nominated.id]
        else:
            feasible = placement.feasible(view, scheduler.preemptor.kept_for_others(pod))
            found = [scheduler.table.nodes[i] for i in feasible]
            numbers = [node.id for node in found]
            if attempt.get("scores") and len(found) > 1:
                self._judge_scores(attempt, numbers, placement.score(view, feasible).tolist())
        self._differ(attempt, "feasible", sorted(attempt.get("feasible") or ()), sorted(numbers))
        if "next" in attempt:
            self._differ(attempt, "next start", attempt["next"], placement.start)
        if attempt["outcome"] == "unschedulable":
            self._judge_preemption(attempt, pod)

    def _judge_scores(self, attempt: Case, numbers: list[int], scores: list[float]) -> None:
        total = dict(zip(attempt["feasible"], attempt["scores"]["total"], strict=True))
        ours = dict(zip(numbers, scores, strict=True))
        if total.keys() == ours.keys():
            shift = max(total.values()) - max(ours.values())
            shifted = {number: score + shift for number, score in ours.items()}
            self._differ(attempt, "totals", total, {number: shifted[number] for number in total})
        best = max(scores)
        ours_best = sorted(number for number, score in ours.items() if score == best)
        self._differ(attempt, "best", sorted(attempt["best"]), ours_best)

    def _judge_preemption(self, attempt: Case, pod: Pod) -> None:
        preemptor, view = self.scheduler.preemptor, self.scheduler.view(pod.cls)
        found: list[tuple[Node, Victims]] = []
        if preemptor.is_eligible(pod):
            found = preemptor.candidates(pod, view)
        recorded = attempt.get("preempt") or {}
        ours = {
            self.told[node.id]["name"]: sorted(self.names[victim.pod_id] for victim in victims.pods)
            for node, victims in found
        }
        theirs = {node: sorted(victims) for node, victims in (recorded.get("candidates") or {}).items()}
        self._differ(attempt, "candidates", theirs, ours)
        if found and recorded:
            node, victims = found[choose_node([victims for _, victims in found])]
            self._differ(attempt, "preempted on", recorded["node"], self.told[node.id]["name"])
            self._differ(attempt, "violations", recorded["violations"], victims.violations)

    def _make_true(self, attempt: Case) -> None:
        pod, preemptor = self.pods[attempt["pod"]], self.scheduler.preemptor
        if attempt["outcome"] == "bound":
            pod.cls.dequeue(pod)
            self.scheduler.place(pod, self.nodes[attempt["node"]], self.scheduler.view(pod.cls))
            return
        recorded = attempt.get("preempt") or {}
        for name in recorded.get("cleared") or ():
            preemptor.release(self.pods[name])
        node = self.nodes.get(attempt.get("nominated") or "")
        if recorded and node is not None:
            for other in list(preemptor.nominated.get(node, [])):
                if other.cls.spec.priority < pod.cls.spec.priority:
                    preemptor.release(other)
        if pod.nominated is not node:
            preemptor.release(pod)
            if node is not None:
                preemptor.nominate(pod, node)
        for name in recorded.get("victims") or ():
            preemptor.take_away(self.pods[name])


def differing_attempts(case: Case, version: str) -> list[str]:
    """Return the first differences of the attempts of a case."""
    world = JudgedWorld(case, version)
    world.run()
    return world.differences[:3]
