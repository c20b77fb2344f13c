"""Ages: repositories as they will be once the same arrivals have come for so long, and when sets settle.

Without a datum set spec, or with ``perWorker``, Pachyderm cuts the datums of a job into sets by all the
datums that its inputs hold, not by those that are new: N // (4 P) of them make a set (pachyderm.md §3.3). In
a repository that only grows, a commit of n files makes fewer and fewer sets, until one set holds all n: from
4 P commits on. That age, `settled_after_us`, is where to look for what a configuration does in the end.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

from sim.decisions.pachyderm.requests import sets_by_phase
from sim.engine.pachyderm.repos import BranchKey, branch_key, in_topological_order, output_key
from sim.model.cron import YEAR
from sim.model.distributions import Constant
from sim.model.pipelines import (
    SETS_PER_WORKER,
    Combine,
    CronInput,
    Input,
    Kind,
    PfsInput,
    Pipeline,
    leaves,
)
from sim.model.scenario import PipelineLoad, Repo, Scenario
from sim.model.units import SECOND
from sim.study.offered_load import EVERYTHING, arrival_rates, cron_rate, source_rates

MORE = 1.25  # sets settle a little later than on average
SEVERAL = 1.5  # any number above one


def aged(scenario: Scenario, age_us: int) -> Scenario:
    """Return a scenario whose repositories hold what so long brings on average, already processed."""
    more_s = (age_us - scenario.age_us) / SECOND
    if not more_s:
        return scenario
    rates = source_rates(scenario)
    repos = {(repo.project, repo.name, repo.branch): repo for repo in scenario.repos}
    for key, repo in repos.items():
        if repo.commits is not None:
            brought = rates[key] * more_s * repo.new_per_commit.mean
            repos[key] = replace(repo, files=max(0, repo.files + round(brought)))
    for key, leaf in _cron_inputs(scenario):
        held = repos[key].files if key in repos else 0
        ticks = max(0, held + round(cron_rate(leaf, scenario) * more_s))
        repos[key] = replace(repos.get(key, Repo(key[1], key[0])), files=ticks)
    return replace(scenario, repos=tuple(repos.values()), age_us=age_us)


def settled_after_us(scenario: Scenario) -> int:
    """Return the age from which sets no longer grow, at most a year; 0 where they never do."""
    ages = [0.0]
    for spec, rate in _cut_by_what_is_held(scenario):
        per_worker = SETS_PER_WORKER if spec.datum_set_spec is None else spec.datum_set_spec.per_worker
        if rate > 0:
            ages.append(MORE * spec.parallelism * per_worker / rate * SECOND)
    return min(round(max(ages)), YEAR)


def growing(scenario: Scenario) -> list[str]:
    """Return the pipelines whose datum sets grow with what their repositories hold."""
    return [spec.shown_name for spec, rate in _cut_by_what_is_held(scenario) if rate > 0]


def cure(scenario: Scenario, names: list[str]) -> str:
    """Return the setting that ends the growth of sets: as many datums in one as make four sets a worker."""
    new = _new_at_once(scenario)
    specs = [load.pipeline for load in scenario.pipelines if load.pipeline.shown_name in names]
    number = max(1, round(min(new[spec.full_name] / (SETS_PER_WORKER * spec.parallelism) for spec in specs)))
    return f"datumSetSpec: {{number: {number}}} on {' and '.join(names)}"


def _cut_by_what_is_held(scenario: Scenario) -> Iterator[tuple[Pipeline, float]]:
    """Yield pipelines that cut sets so, whose jobs have several new datums, with their commits a second."""
    new, rates = _new_at_once(scenario), arrival_rates(scenario)
    for load in scenario.pipelines:
        spec, cuts = load.pipeline, load.pipeline.datum_set_spec
        if sets_by_phase(scenario.pachyderm.version):
            continue
        if spec.kind is Kind.TRANSFORM and (cuts is None or cuts.per_worker) and new[spec.full_name] > 1:
            yield spec, rates[spec.shown_name]


def _new_at_once(scenario: Scenario) -> dict[str, float]:
    """Return how many new datums a job of each pipeline has, roughly: what matters is whether several."""
    files: dict[BranchKey, float] = {}
    for repo in scenario.repos:
        if repo.commits is not None:
            varies = not isinstance(repo.new_per_commit, Constant)
            files[repo.project, repo.name, repo.branch] = max(
                repo.new_per_commit.mean, SEVERAL if varies else 0.0
            )
    found: dict[str, float] = {}
    by_name = {load.pipeline.full_name: load for load in scenario.pipelines}
    for spec in in_topological_order(load.pipeline for load in scenario.pipelines):
        load = by_name[spec.full_name]
        found[spec.full_name] = new = 0.0 if spec.input is None else _of_input(spec.input, files, load)
        files[output_key(spec)] = new * load.outputs_per_datum
    return found


def _of_input(node: Input, files: Mapping[BranchKey, float], load: PipelineLoad) -> float:
    if isinstance(node, CronInput):
        return 1.0
    if isinstance(node, PfsInput):
        if node.trigger is not None:  # a batch of commits
            watched = files.get((node.project, node.repo, node.trigger.branch), 0.0)
            return min(SEVERAL * watched, 1.0) if node.glob == EVERYTHING else SEVERAL * watched
        new = files.get((node.project, node.repo, node.branch), 0.0)
        return min(new, 1.0) if node.glob == EVERYTHING else new
    parts = [_of_input(each, files, load) for each in node.inputs]
    if node.combine is Combine.UNION:
        return sum(parts)
    if node.combine is Combine.CROSS:
        return SEVERAL * math.prod(max(part, 1.0) for part in parts)
    return parts[0] * (load.join_matches if node.combine is Combine.JOIN else load.groups)


def _cron_inputs(scenario: Scenario) -> Iterator[tuple[BranchKey, CronInput]]:
    for load in scenario.pipelines:
        for leaf in leaves(load.pipeline.input):
            if isinstance(leaf, CronInput):
                yield branch_key(leaf, load.pipeline), leaf
