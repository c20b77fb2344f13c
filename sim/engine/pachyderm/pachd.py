"""pachd: repositories, pipelines and commits put together, and what arrives in them.

What repositories hold at the start counts as done: an older job processed it, and its results are there.
Source repositories get commits from their arrivals, cron inputs from their expression; such a commit is
opened and finished at one instant. What a trigger moves begins where the branch is that it watches. Spouts
and services run workers but no jobs: what a spout writes is a source repository of the scenario.

Source: pachyderm/pachyderm v2.11.6, src/server/pfs/server/server_commit.go, src/server/pps/server/
api_server.go propagateJobs and monitor.go makeCronCommits; pachyderm.md §2.2, §3.1 and §3.7.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import repeat
from typing import TYPE_CHECKING

from sim.engine.arrivals import arrival_times
from sim.engine.clock import Phase
from sim.engine.pachyderm.context import PipelineContext
from sim.engine.pachyderm.controller import Controller
from sim.engine.pachyderm.datums import DatumModel, Draws
from sim.engine.pachyderm.memory import FargateMemory, MemoryRule, container_killed
from sim.engine.pachyderm.preprocessing import Preprocessing
from sim.engine.pachyderm.registry import Registry
from sim.engine.pachyderm.repos import (
    MASTER,
    Branch,
    BranchKey,
    Commit,
    branch_key,
    downstream,
    in_topological_order,
    input_keys,
    output_key,
)
from sim.engine.pachyderm.steps import Poll
from sim.engine.pachyderm.transfers import Link
from sim.engine.pachyderm.triggers import Triggers
from sim.engine.pachyderm.workers import Workers
from sim.model.arrivals import TraceArrivals
from sim.model.cron import MICROSECOND, cron_times, parse_cron
from sim.model.distributions import Constant, Counts
from sim.model.layout import FLAT, Layout
from sim.model.pipelines import DEFAULT_PROJECT, CronInput, Kind, PfsInput, leaves

if TYPE_CHECKING:
    import numpy as np

    from sim.engine.pachyderm.jobs import Job
    from sim.engine.state import ClusterState
    from sim.engine.streams import Streams
    from sim.model.scenario import PipelineLoad, Scenario
    from sim.model.scenario import Repo as RepoSpec

Brought = tuple[int, int, int, float]
"""A commit: when, new files, changed files, and the seconds of each new datum where a trace says so."""


@dataclass(frozen=True, slots=True)
class Running:
    """A pipeline at work: what it reads and writes, its jobs and its workers."""

    inputs: tuple[Branch, ...]
    output: Branch
    registry: Registry
    controller: Controller


class Pachd:
    """All of Pachyderm in one simulation; it acts through the clock from its creation on.

    ``fargate_mib`` says how much memory the containers of a class's pods have together on Fargate.
    """

    def __init__(
        self, state: ClusterState, scenario: Scenario, streams: Streams, fargate_mib: FargateMemory
    ) -> None:
        """Set up repositories, pipelines and arrivals."""
        self.clock = state.clock
        self.state = state
        self.log = state.log
        self._commits = state.log["commits"]
        self.options = scenario.pachyderm
        self.streams = streams
        self.branches: dict[BranchKey, Branch] = {}
        for spec in scenario.repos:
            self._add_branch((spec.project, spec.name, spec.branch), spec.files, spec.file_bytes)
        for load in scenario.pipelines:
            for key in [*input_keys(load.pipeline), output_key(load.pipeline)]:
                self._add_branch(key)
        self._layouts = _layouts(scenario)
        self._triggers = Triggers(
            self.clock, scenario, {key: self._add_branch(key) for key in _watched(scenario)}, self._move
        )
        self._memory = (fargate_mib, container_killed(scenario))
        cap = self.options.transfer_cap_bytes_per_s
        self._link = None if cap is None else Link(self.clock, self.options.transfer_bytes_per_s, cap)
        fixed = streams.delays("preprocessing", self.options.preprocessing_s)
        self._preprocessing = Preprocessing(self.clock, self.options, fixed)
        self.pipelines = self._pipelines(scenario)
        self._readers = self._readers_of_each_branch(scenario)
        for spec in scenario.repos:
            if spec.commits is not None:
                self._await((spec.project, spec.name, spec.branch), _commits(spec, scenario, streams))
        for load in scenario.pipelines:
            for leaf in leaves(load.pipeline.input):
                if isinstance(leaf, CronInput):
                    source = ((time_us, 1, 0, 0.0) for time_us in _ticks(leaf, scenario.start))
                    self._await(branch_key(leaf, load.pipeline), source)
        self._triggers.start()

    # -- set-up -----------------------------------------------------------------------------

    def _add_branch(self, key: BranchKey, files: int = 0, file_bytes: int = 0) -> Branch:
        if key not in self.branches:
            self.branches[key] = Branch(len(self.branches), files, file_bytes)
            project, repo, branch = key
            self.log.names["repo"].append(_shown(f"{project}/{repo}") + f"@{branch}" * (branch != MASTER))
        return self.branches[key]

    def _pipelines(self, scenario: Scenario) -> dict[str, Running]:
        """Return pipelines by full name, in topological order; the log numbers them as the scenario does."""
        loads = {load.pipeline.full_name: (index, load) for index, load in enumerate(scenario.pipelines)}
        self.log.names["pipeline"].extend(map(_shown, loads))
        polled = sorted(loads)
        running = {}
        for spec in in_topological_order(load.pipeline for _, load in loads.values()):
            index, load = loads[spec.full_name]
            poll_us = self.options.poll_us
            poll = Poll(polled.index(spec.full_name) * poll_us, len(polled) * poll_us)
            running[spec.full_name] = self._pipeline(index, load, poll)
        return running

    def _pipeline(self, index: int, load: PipelineLoad, poll: Poll) -> Running:
        spec, model = load.pipeline, DatumModel(load)
        keys, written = input_keys(spec), output_key(spec)
        layouts = tuple(self._layouts.get(key[:2], FLAT) for key in keys)
        context = PipelineContext(index, load, self.options, self.state, self.streams, layouts)
        memory = MemoryRule(load, self._memory[0], container_killed=self._memory[1])
        workers = Workers(context, model, memory, self._link)
        controller = Controller(context, poll, workers)
        registry = Registry(context, model, controller, self._preprocessing, partial(self._finish, written))
        inputs = tuple(self.branches[key] for key in keys)
        output = self.branches[written]
        self._triggers.begin(spec)
        if spec.kind is Kind.TRANSFORM:
            registry.begin_with([branch.head for branch in inputs], output.head)
        return Running(inputs, output, registry, controller)

    def _readers_of_each_branch(self, scenario: Scenario) -> dict[BranchKey, list[Running]]:
        transforms = [load.pipeline for load in scenario.pipelines if load.pipeline.kind is Kind.TRANSFORM]
        ordered = in_topological_order(transforms)
        return {
            key: [self.pipelines[spec.full_name] for spec in downstream(key, ordered)]
            for key in self.branches
        }

    # -- commits ----------------------------------------------------------------------------

    def _await(self, key: BranchKey, commits: Iterator[Brought]) -> None:
        """Put the next commit of a source on the clock."""
        brought = next(commits, None)
        if brought is not None:
            self.clock.call_at(brought[0], Phase.ARRIVALS, self._arrive, (key, commits, brought))

    def _arrive(self, arrival: tuple[BranchKey, Iterator[Brought], Brought]) -> None:
        key, commits, (_, new, changed, datum_s) = arrival
        self._commit(key, new, changed, datum_s)
        self._await(key, commits)

    def _commit(self, key: BranchKey, new: int, changed: int, datum_s: float) -> None:
        """Open and finish a source commit, with output commits and jobs all the way downstream."""
        branch = self.branches[key]
        changed = branch.commit(new, changed, self.clock.now_us)
        self._propagate(key, new, changed, datum_s)
        self._triggers.finished(key, branch.head)

    def _move(self, key: BranchKey, commit: Commit) -> None:
        """Make a commit of another branch a branch's head; a job that reads it waits until it is finished."""
        branch = self.branches[key]
        before, branch.head = branch.head, commit
        self._propagate(key, commit.new - before.new, commit.changed - before.changed, 0.0)

    def _propagate(self, key: BranchKey, new: int, changed: int, datum_s: float) -> None:
        """Open output commits and jobs all the way downstream of a branch's new head."""
        commit_row = len(self._commits)
        self._commits.add((self.clock.now_us, self.branches[key].index, new, changed))
        created: list[tuple[Registry, Job]] = []
        for pipeline in self._readers[key]:
            inputs = [read.head for read in pipeline.inputs]
            job = pipeline.registry.create(commit_row, inputs, pipeline.output.open_commit(), datum_s)
            pipeline.controller.job_created(job)
            created.append((pipeline.registry, job))
        for registry, job in created:
            if not job.missing:
                registry.inputs_ready(job)

    def _finish(self, key: BranchKey, commit: Commit) -> None:
        """Finish an output commit: jobs that read it may begin, branches that watch its own may move."""
        commit.finished = True
        waiting, commit.waiting = commit.waiting, []
        for read in waiting:
            read()
        if not commit.failed:
            self._triggers.finished(key, commit)


def _layouts(scenario: Scenario) -> dict[tuple[str, str], Layout]:
    """Return how files lie in each repository of which something is said."""
    found = {(repo.project, repo.name): repo.layout for repo in scenario.repos}
    outputs = {(each.pipeline.project, each.pipeline.name): each.output_layout for each in scenario.pipelines}
    return {key: layout for key, layout in (found | outputs).items() if layout != FLAT}


def _watched(scenario: Scenario) -> list[BranchKey]:
    """Return the branches that triggers watch or move."""
    found: list[BranchKey] = []
    for load in scenario.pipelines:
        for leaf in leaves(load.pipeline.input):
            if isinstance(leaf, PfsInput) and leaf.trigger is not None:
                found.append((leaf.project, leaf.repo, leaf.trigger.branch))
                found.append(branch_key(leaf, load.pipeline))
    return found


def _ticks(leaf: CronInput, start: datetime) -> Iterator[int]:
    """Return when a cron input ticks, in UTC: after the scenario's start, or its own if that is later.

    A delay counts from the input's own start, wherever that lies (monitor.go getLatestCronTime).
    """
    own = datetime.fromisoformat(leaf.start) if leaf.start else start
    begin = max(start, own).astimezone(UTC)
    ahead_us = (begin - start) // MICROSECOND
    return (ahead_us + time_us for time_us in cron_times(parse_cron(leaf.spec), begin, own))


def _commits(spec: RepoSpec, scenario: Scenario, streams: Streams) -> Iterator[Brought]:
    """Return the commits of a source repository, one at a time."""
    assert spec.commits is not None
    name = f"{spec.project}/{spec.name}"
    if isinstance(spec.commits, TraceArrivals):
        trace = spec.commits
        return zip(trace.times_us, trace.datums, repeat(0), trace.datum_s, strict=False)
    times = arrival_times(spec.commits, streams.stream(f"arrivals/{name}"), scenario.start)
    new = _counts(spec.new_per_commit, streams.stream(f"commits/{name}/new"))
    changed = _counts(spec.changed_per_commit, streams.stream(f"commits/{name}/changed"))
    return zip(times, new, changed, repeat(0.0), strict=False)


def _counts(counts: Counts, rng: np.random.Generator) -> Iterator[int]:
    if isinstance(counts, Constant):
        return repeat(int(counts.value))
    return Draws(lambda count: counts.sample(rng, count)).whole_numbers()


def _shown(full_name: str) -> str:
    """Return a name without the default project."""
    return full_name.removeprefix(f"{DEFAULT_PROJECT}/")
