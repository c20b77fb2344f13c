"""README.md of a plan: what it promises, its files, the commands in order, how to watch and to undo it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sim.adapters.pachyderm.write import changed_fields
from sim.deploy import commands
from sim.deploy.autoscalers import VALUES, ValuesPlan
from sim.deploy.clusters import CLUSTER, NEW, ClusterPlan
from sim.deploy.places import Home
from sim.deploy.roles import POLICY, TRUST_POLICY, Role, role_steps
from sim.deploy.sources import BEFORE, Spec
from sim.model.scenario import Scenario
from sim.texts import markdown, quoted

PLACEHOLDERS = "placeholders.yaml"
PROMISES = {
    "cost_usd_per_day": ("cost per day", "$"),
    "job_latency_p50_s": ("job latency, median", "s"),
    "job_latency_p95_s": ("job latency, p95", "s"),
    "jobs_completed": ("jobs completed", ""),
}
FILES = {
    "scenario.yaml": "the plan itself: `pachsim run scenario.yaml` simulates it again",
    "prediction.json": "what the simulator promises, with intervals",
    CLUSTER: "the whole ClusterConfig",
    NEW: "only what is new in it, for `eksctl create nodegroup` and `create fargateprofile`",
    VALUES: "values of the Cluster Autoscaler's Helm chart",
    TRUST_POLICY: "trust policy of the Fargate pod execution role",
    "changes.diff": "what was decided, against what came in",
    "priority-classes.yaml": "priority classes that pods of the plan name",
    PLACEHOLDERS: "pods that hold room warm",
}


@dataclass(frozen=True, slots=True)
class Parts:
    """What a README tells of."""

    scenario: Scenario
    prediction: Mapping[str, Any]
    homes: tuple[Home, ...]
    specs: tuple[Spec, ...]
    cluster: ClusterPlan | None
    values: ValuesPlan | None
    manifests: tuple[str, ...]
    role: Role
    names: tuple[str, ...]


def readme(parts: Parts) -> str:
    """Return the file."""
    return "\n".join(_lines(parts)) + "\n"


def _lines(parts: Parts) -> Iterator[str]:
    scenario = parts.scenario
    yield f"# {markdown(scenario.name)}: from the plan to the cluster\n"
    if scenario.question:
        yield f"{markdown(scenario.question)}\n"
    yield from _promises(parts.prediction)
    yield from _where(parts.homes)
    yield from _warnings(parts.prediction["warnings"])
    yield from _decided(parts)
    yield from _files(parts.names)
    yield from _deploy(parts)
    autoscaler = parts.values is not None
    yield "## Watch it work\n"
    yield from _shell(commands.watch(scenario, parts.specs, autoscaler=autoscaler))
    yield (
        "Hold `cost_usd_per_day` and `job_latency_p95_s` of `prediction.json` against the bill and against "
        "`pachctl list job`: one span of that length should lie in `range`, the mean of many in `ci95`.\n"
    )
    yield "## Roll back\n"
    replaced = parts.values is not None and parts.values.before is not None
    yield "Pipelines that were not there before: `pachctl delete pipeline NAME`, the last in the DAG first.\n"
    undo = commands.roll_back(parts.cluster, parts.specs, autoscaler=autoscaler, values=replaced)
    if PLACEHOLDERS in parts.manifests:
        undo.append(f"kubectl delete -f {PLACEHOLDERS}")
    if parts.cluster:
        undo += commands.roll_back_beside(parts.scenario, parts.cluster, autoscaler=autoscaler)
    if undo:
        yield from _shell(undo)
    yield "Tags of Auto Scaling groups and priority classes may stay: nothing is done for them alone.\n"
    if parts.cluster:
        config = parts.cluster.config
        yield "Only for a cluster that was made for this plan, as all that is on it goes too:\n"
        yield from _shell(
            [f"eksctl delete cluster --name {quoted(config.name)} --region {quoted(config.region)} --wait"]
        )


def _promises(prediction: Mapping[str, Any]) -> Iterator[str]:
    count = prediction["replications"]
    about = f"{count} replication{'' if count == 1 else 's'}, seed {prediction['seed']}"
    yield "| promised | mean | 95 % interval of the mean | lowest to highest |"
    yield "|---|---|---|---|"
    for name, (words, unit) in PROMISES.items():
        figure = prediction["metrics"][name]
        interval, spread = figure["ci95"], figure["range"] or (None, None)
        cells = [_amount(figure["mean"], unit), *(_span(pair, unit) for pair in (interval, spread))]
        yield f"| {words} | {' | '.join(cells)} |"
    yield f"\nSimulated over {prediction['horizon_s'] / 86_400:g} days: {about}."
    yield f"This holds {prediction['promise']}.\n"


def _where(homes: Sequence[Home]) -> Iterator[str]:
    if homes:
        yield "| pipeline | workers | where |"
        yield "|---|---|---|"
        yield from (
            f"| {home.load.pipeline.name} | {home.workers} | {markdown(home.words)} |" for home in homes
        )
        yield ""


def _warnings(warnings: Sequence[str]) -> Iterator[str]:
    if warnings:
        yield "## What to know before\n"
        yield from (f"- {markdown(warning)}" for warning in warnings)
        yield ""


def _decided(parts: Parts) -> Iterator[str]:
    changed = [
        f"- `{spec.file}`: {field}"
        for spec in parts.specs
        for field in changed_fields(spec.before, spec.after)
    ]
    if parts.cluster:
        found = parts.cluster.changes
        changed += [f"- `{CLUSTER}`: new node group {name}" for name in found.new_groups]
        changed += [f"- `{CLUSTER}`: new Fargate profile {markdown(name)}" for name in found.new_profiles]
        changed += [
            f"- `{CLUSTER}`: changed Fargate profile {markdown(name)}" for name in found.changed_profiles
        ]
        changed += [
            f"- `{CLUSTER}`: node group {name}, {_sizes(before)} -> {_sizes(after)}"
            for name, before, after in found.resized
        ]
        changed += [
            f"- `{CLUSTER}`: node group {name}, {', '.join(keys)}: **eksctl leaves these as they are**; "
            "give the group a new name, create it and delete the old one"
            for name, keys in found.fixed
        ]
        gone = (*found.gone_groups, *found.gone_profiles)
        changed += [f"- `{CLUSTER}`: {markdown(name)} is gone" for name in gone]
    if changed:
        yield f"## What was decided\n\nAgainst what came in (`{BEFORE}/`), all of it in `changes.diff`:\n"
        yield from changed
        yield ""


def _files(names: Sequence[str]) -> Iterator[str]:
    yield "## Files\n"
    yield from (f"- `{name}`: {words}" for name, words in FILES.items() if name in names)
    if any(name.startswith("pipelines/") for name in names):
        yield "- `pipelines/`: the specs, as `pachctl` takes them"
    yield ""


Step = tuple[str, str, list[str]]
"""A title, empty for more of the step before; what to know; the commands, none where it is not needed."""


def _deploy(parts: Parts) -> Iterator[str]:
    """Yield the commands in order, step by step."""
    kubectl = [f"kubectl apply -f {name}" for name in parts.manifests]
    plan = parts.cluster
    steps: list[Step] = [
        *(_cluster_steps(parts, plan) if plan else ()),
        ("Pods", "Before the pipelines:", kubectl),
        *(_autoscaler_steps(parts.values) if parts.values else ()),
        ("Pipelines", "Each is created where it is not there yet:", commands.update_pipelines(parts.specs)),
        ("Last", "Once the pipelines run in their new places:", commands.retire(plan) if plan else []),
    ]
    yield "## Deploy, in this order\n"
    number = 0
    for title, told, lines in steps:
        if lines:
            number += bool(title)
            yield f"### {number}. {title}\n\n{told}\n" if title else f"{told}\n"
            yield from _shell(lines)


def _cluster_steps(parts: Parts, plan: ClusterPlan) -> Iterator[Step]:
    autoscaler = parts.values is not None
    own_role = parts.role.said == POLICY and plan.config.fargate_profiles
    role = role_steps(plan.config.name, plan.config.region) if own_role else []
    yield "Role", "Make the Fargate pod execution role, then export again with it:", role
    yield "Cluster", "A new cluster:", commands.create_cluster()
    yield "", "Or the cluster you have; what is there already is left alone:", commands.change_cluster(plan)
    account = commands.service_account(plan) if autoscaler else []
    yield "", "Either way, what the autoscaler may do:", account
    yield "", "The same Fargate profiles without a file:", commands.one_line_profiles(plan)
    tagged = commands.tags(plan) if autoscaler else []
    yield "", "By these tags the autoscaler knows empty node groups; eksctl does not write them:", tagged
    yield "", "Minimum sizes by the clock:", commands.schedules(parts.scenario, plan)


def _autoscaler_steps(values: ValuesPlan) -> Iterator[Step]:
    told = (
        "Under the name of your release if it has another; any chart release of the cluster's Kubernetes "
        "minor will do:"
    )
    if not values.chart:
        told = "Yours comes from a manifest: give its command line these `extraArgs`, or install:"
    yield "Autoscaler", told, commands.install_autoscaler()


def _shell(lines: Sequence[str]) -> Iterator[str]:
    yield "```sh"
    yield from lines
    yield "```\n"


def _sizes(sizes: Mapping[str, int]) -> str:
    return ", ".join(f"{key} {value}" for key, value in sizes.items())


def _span(pair: Sequence[float | None], unit: str) -> str:
    low, high = pair
    return "–" if low is None or high is None else f"{_amount(low, unit)} to {_amount(high, unit)}"


def _amount(value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    return f"${value:,.2f}" if unit == "$" else f"{value:,.1f} {unit}".rstrip()
