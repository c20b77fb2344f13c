"""The recorded disruption loop: passes with their waits, and what a command leaves behind."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sim.decisions.karpenter.candidates import Candidate, Disruptable, candidates
from sim.decisions.karpenter.commands import Command
from sim.decisions.karpenter.disruption_budgets import allowed_disruptions
from sim.decisions.karpenter.labels import CHEAPEST_FIRST
from sim.decisions.karpenter.methods import METHODS, Method
from sim.decisions.karpenter.new_claims import NewClaim
from sim.decisions.karpenter.node_pools import DisruptionReason
from sim.decisions.karpenter.rescheduling import is_provisionable
from sim.decisions.karpenter.validation import VALIDATION_S, validated
from tests.oracle.karpenter_world import Case, Catalogues, budgets_of, pods_of, surroundings_of

NOMINATED_S = 20
MOST_STEPS = 5


class Loop:
    """A world in time: rows of nodes and pods as they are now, and what each method remembers."""

    def __init__(self, case: Case, catalogues: Catalogues) -> None:
        self.world: Case = copy.deepcopy(case["world"])
        self.catalogues = catalogues
        self.mutations = case.get("mutations", {})
        self.at_s = 0
        self.asleep: set[str] = set()
        self.replacements = 0
        self.nominated_until: dict[str, float] = {
            row["name"]: NOMINATED_S for row in self.rows if row.get("nominated")
        }
        self.start = datetime.fromisoformat(self.world["now"])

    @property
    def rows(self) -> list[Case]:
        found: list[Case] = self.world.get("nodes", [])
        return found

    def view(self) -> Disruptable:
        """Return what is seen at this instant."""
        now = copy.deepcopy(self.world)
        for row in now.get("nodes", ()):
            row["nominated"] = self.nominated_until.get(row["name"], 0) > self.at_s
        for row in now.get("pods", ()):
            row["running_s"] = row.get("running_s", 0) + self.at_s
        world = surroundings_of(now, self.catalogues)
        pending = tuple(
            pod
            for node, pod, marked in pods_of(now).values()
            if node is None and marked and is_provisionable(pod)
        )
        gate = bool(now["options"].get("spot_to_spot_consolidation"))
        return Disruptable(world, pending, tuple(budgets_of(now)), gate)

    def update_conditions(self) -> None:
        """Bring the condition Consolidatable of every claim up to date."""
        after = {row["name"]: row.get("consolidate_after_s") for row in self.world["node_pools"]}
        for row in self.rows:
            after_s = after.get(row.get("node_pool", ""))
            event_s: float = row["last_pod_event_age_s"] if "last_pod_event_age_s" in row else row["age_s"]
            row["consolidatable"] = after_s is not None and event_s + self.at_s >= after_s

    def allowed(self, view: Disruptable, reason: DisruptionReason) -> dict[str, int]:
        now = self.start + timedelta(seconds=self.at_s)
        return {
            pool.name: allowed_disruptions(pool, view.world.nodes, reason, now) for pool in view.world.pools
        }

    def steps(self) -> Iterator[Case]:
        """Yield each pass as the bank writes it, until one does nothing."""
        for number in range(MOST_STEPS):
            step, command = self.step(number)
            yield step
            if command is None:
                return

    def step(self, number: int) -> tuple[Case, Command | None]:
        self.update_conditions()
        view, began_s = self.view(), self.at_s
        found, _ = candidates(view)
        told: Case = {
            "at_s": began_s,
            "allowed_disruptions": {one.value: self.allowed(view, one) for one in DisruptionReason},
            **told_candidates(found),
        }
        command, rejected = self.decide(self.mutations.get(str(number), ()), began_s)
        told |= {"end_s": self.at_s, "commands": [command] if command else [], "rejected": rejected}
        return told, command

    def decide(self, mutations: list[Case], began_s: int) -> tuple[Command | None, int]:
        """Run the methods in order; those that validate wait, and what happens meanwhile happens."""
        rejected = 0
        for method in METHODS:
            if method.name in self.asleep:
                continue
            view = self.view()
            outcome = method.decide(view, self.wanted(view, method), self.allowed(view, method.reason))
            command = outcome.command
            if command is None:
                if not outcome.held_back and method.validates:
                    self.asleep.add(method.name)
                continue
            if method.validates:
                command = self.look_again(method, command, mutations, began_s)
            if command is not None:
                self.execute(command)
                return command, rejected
            rejected += 1
        return None, rejected

    def wanted(self, view: Disruptable, method: Method) -> list[Candidate]:
        found, _ = candidates(view)
        return [one for one in found if method.wants(one)]

    def look_again(
        self, method: Method, command: Command, mutations: list[Case], began_s: int
    ) -> Command | None:
        until_s = self.at_s + VALIDATION_S
        for one in mutations:
            if self.at_s <= began_s + one["at_s"] < until_s:
                self.mutate(one)
        self.at_s = until_s
        view = self.view()
        return validated(view, command, self.wanted(view, method), self.allowed(view, method.reason))

    def mutate(self, change: Case) -> None:
        gone = set(change.get("end_pods", ()))
        pods = [row for row in self.world.get("pods", ()) if row["name"] not in gone]
        self.world["pods"] = [*pods, *change.get("add_pods", ())]
        for row in self.rows:
            if row["name"] == change.get("do_not_disrupt_node"):
                row["annotations"] = {"karpenter.sh/do-not-disrupt": "true"}
        if gone or any(row.get("node") for row in change.get("add_pods", ())):
            self.asleep.clear()

    def execute(self, command: Command) -> None:
        """Mark the nodes, launch the replacements, nominate where pods will go."""
        going = {candidate.name for candidate in command.nodes}
        for row in self.rows:
            row["deleting"] = row.get("deleting", False) or row["name"] in going
        for one in command.to_existing:
            self.nominated_until[one.node.name] = self.at_s + NOMINATED_S
        for claim in command.replacements:
            self.replacements += 1
            option, zone, capacity_type = launched(claim)
            self.rows.append(
                {
                    "name": f"replacement-{self.replacements}",
                    "node_pool": claim.pool.name,
                    "type": option,
                    "zone": zone,
                    "capacity_type": capacity_type,
                    "state": "launched",
                    "age_s": -self.at_s,
                    "replacement": True,
                }
            )
            self.asleep.clear()


def launched(claim: NewClaim) -> tuple[str, str, str]:
    """Return what the bank's own cloud makes of a claim: type, zone, capacity type."""
    offered = [
        (one.usd_per_hour, option.name, one.zone, one.capacity_type)
        for option in claim.options
        for one in option.open_to(claim.requirements)
    ]
    capacity_type = next(kind for kind in CHEAPEST_FIRST if any(one[3] == kind for one in offered))
    _, option, zone, _ = min(one for one in offered if one[3] == capacity_type)
    return option, zone, capacity_type


def told_candidates(found: list[Candidate]) -> dict[str, Any]:
    """Return the candidates of each method as the bank writes them."""
    names = {"empty": "candidates_empty", "drift": "candidates_drifted", "multi": "candidates_underutilized"}
    return {
        names[method.name]: [
            {
                "node": one.name,
                "price": one.usd_per_hour,
                "disruption_cost": one.disruption_cost,
                "savings_ratio": one.savings_ratio,
                "reschedulable_pods": len(one.pods),
            }
            for one in found
            if method.wants(one)
        ]
        for method in METHODS
        if method.name in names
    }
