"""Triggers at work: branches that follow others, at the ticks of a cron expression or when commits finish.

A trigger that moved a branch is looked at before those that watch that branch, so that a chain moves at once.

Source: pachyderm/pachyderm v2.11.6, src/server/pfs/server/trigger.go triggerCommit, master.go runCronTrigger;
pachyderm.md §3.7.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sim.decisions.pachyderm.triggers import Since, is_triggered
from sim.engine.clock import Phase
from sim.engine.pachyderm.repos import Branch, BranchKey, Commit, branch_key
from sim.model.cron import cron_times, parse_cron
from sim.model.pipelines import PfsInput, Trigger, leaves

if TYPE_CHECKING:
    from sim.engine.clock import Clock
    from sim.model.pipelines import Pipeline
    from sim.model.scenario import Scenario

Move = Callable[[BranchKey, Commit], None]


class Triggers:
    """The branches of a cluster that follow others; ``move`` gives one a new head."""

    def __init__(
        self, clock: Clock, scenario: Scenario, branches: Mapping[BranchKey, Branch], move: Move
    ) -> None:
        """Find them; of two triggers of one branch the later pipeline's holds."""
        self._clock = clock
        self._start = scenario.start.astimezone(UTC)
        self._branches = branches
        self._move = move
        self._of: dict[BranchKey, Trigger] = {}
        for load in scenario.pipelines:
            self._of |= dict(_of(load.pipeline))

    def begin(self, pipeline: Pipeline) -> None:
        """Let the branches that a pipeline's triggers move begin where those are that they watch."""
        for key, trigger in _of(pipeline):
            self._branches[key].head = self._watched(key, trigger).head

    def start(self) -> None:
        """Put the first tick of each cron trigger on the clock."""
        for key, trigger in self._of.items():
            if trigger.cron:
                self._await(key, cron_times(parse_cron(trigger.cron), self._start))

    def finished(self, key: BranchKey, commit: Commit) -> None:
        """Look at what watches a branch one of whose commits is finished without an error."""
        project, repo, branch = key
        for target, trigger in self._of.items():
            if target[:2] != (project, repo) or trigger.branch != branch or trigger.cron:
                continue
            head = self._branches[target].head
            if head is not commit and is_triggered(trigger, self._since(head, commit)):
                self._move(target, commit)
                self.finished(target, commit)

    def _await(self, key: BranchKey, ticks: Iterator[int]) -> None:
        due_us = next(ticks, None)
        if due_us is not None:
            self._clock.call_at(due_us, Phase.ARRIVALS, self._tick, (key, ticks))

    def _tick(self, tick: tuple[BranchKey, Iterator[int]]) -> None:
        key, ticks = tick
        head = self._watched(key, self._of[key]).head
        if head is not self._branches[key].head:
            self._move(key, head)
        self._await(key, ticks)

    def _watched(self, key: BranchKey, trigger: Trigger) -> Branch:
        return self._branches[key[0], key[1], trigger.branch]

    def _since(self, head: Commit, commit: Commit) -> Since:
        return Since(
            commits=commit.ordinal - head.ordinal,
            size_bytes=commit.size_bytes - head.size_bytes,
            old_finishing=self._at(head.finishing_us),
            new_finishing=self._at(commit.finishing_us),
        )

    def _at(self, time_us: int) -> datetime:
        return self._start + timedelta(microseconds=time_us)


def _of(pipeline: Pipeline) -> Iterator[tuple[BranchKey, Trigger]]:
    """Yield the branches that a pipeline's inputs have moved, each with its trigger."""
    for leaf in leaves(pipeline.input):
        if isinstance(leaf, PfsInput) and leaf.trigger is not None:
            yield branch_key(leaf, pipeline), leaf.trigger
