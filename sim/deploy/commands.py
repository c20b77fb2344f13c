"""The commands of a plan's README, step by step: what to type to deploy it, to watch it and to undo it.

Source: eksctl 0.231.0-dev command line (aws.md §9.5), tags of Auto Scaling groups (aws.md §9.4), the
autoscaler's chart 9.59.0 (aws.md §10), pachctl 2.11.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from zoneinfo import ZoneInfo

from sim.adapters.eksctl.write import SERVICE_ACCOUNT, SYSTEM, profile_command, profiles_of
from sim.deploy.autoscalers import VALUES
from sim.deploy.clusters import CLUSTER, NEW, ClusterPlan
from sim.deploy.sources import BEFORE, Spec
from sim.model.cluster_config import NodeGroupConfig
from sim.model.cron import recurrence_fields
from sim.model.pipelines import DEFAULT_PROJECT, leaves
from sim.model.scenario import Scenario
from sim.texts import quoted, within_quotes

TEMPLATE = "k8s.io/cluster-autoscaler/node-template"
CHART = "https://kubernetes.github.io/autoscaler"
SCALING = {"minSize": "--nodes-min", "desiredCapacity": "--nodes", "maxSize": "--nodes-max"}
Lines = list[str]


def create_cluster() -> Lines:
    """Return what makes the whole cluster."""
    return [f"eksctl create cluster -f {CLUSTER}"]


def change_cluster(plan: ClusterPlan) -> Lines:
    """Return what brings an existing cluster to the plan; eksctl leaves alone what is there already."""
    found, lines = plan.changes, Lines()
    for name in found.changed_profiles:
        lines.append(
            f"{_eksctl('delete', 'fargateprofile', plan)} --name {quoted(name)} --wait  # cannot be changed"
        )
    if plan.config.node_groups:
        lines.append(f"eksctl create nodegroup -f {_file(plan, 'managedNodeGroups', 'nodeGroups')}")
    if plan.config.fargate_profiles:
        lines.append(f"eksctl create fargateprofile -f {_file(plan, 'fargateProfiles')}")
    for name, _, sizes in found.resized:
        lines.append(_scale(plan, name, sizes))
    return lines


def service_account(plan: ClusterPlan) -> Lines:
    """Return what lets the autoscaler change groups, whether the cluster is new or not."""
    if not plan.makes_account:
        return []
    if "iam" not in plan.new and not plan.document["iam"].get("serviceAccounts"):
        return [f"eksctl create podidentityassociation -f {CLUSTER}"]
    return [
        f"eksctl utils associate-iam-oidc-provider -f {_file(plan, 'iam')} --approve",
        f"eksctl create iamserviceaccount -f {_file(plan, 'iam')} --approve",
    ]


def _file(plan: ClusterPlan, *parts: str) -> str:
    """Return the file that has what is new of these parts."""
    return NEW if {*parts} & {*plan.new} else CLUSTER


def one_line_profiles(plan: ClusterPlan) -> Lines:
    """Return the same Fargate profiles as commands of one line, where their flags can say them."""
    config = plan.config
    commands = (profile_command(config.name, config.region, each) for each in profiles_of(plan.document))
    return [command for command in commands if command]


def tags(plan: ClusterPlan) -> Lines:
    """Return what lets the autoscaler see labels and taints of groups that are empty (aws.md §9.4)."""
    lines = Lines()
    for group in plan.config.node_groups:
        wanted = list(_wanted_tags(group))
        if not wanted:
            continue
        told = "ResourceId=$ASG,ResourceType=auto-scaling-group,PropagateAtLaunch=false"
        lines.append(_auto_scaling_group(plan, group))
        lines += [
            f'aws autoscaling create-or-update-tags --region {quoted(plan.config.region)} --tags "{told},'
            f'Key={TEMPLATE}/{within_quotes(key)},Value={within_quotes(value)}"'
            for key, value in wanted
        ]
    return lines


def _wanted_tags(group: NodeGroupConfig) -> Iterator[tuple[str, str]]:
    """Yield the tags that eksctl does not write, of a group that may be empty."""
    if group.min_size > 0:
        return
    if not group.propagate_asg_tags:
        yield from ((f"label/{key}", value) for key, value in group.labels)
    for taint in group.taints:
        yield f"taint/{taint.key}", f"{taint.value}:{taint.effect.value}"


def schedules(scenario: Scenario, plan: ClusterPlan) -> Lines:
    """Return the scheduled actions that hold minimum sizes by the clock."""
    zone = scenario.start.tzinfo
    named = f" --time-zone {quoted(zone.key)}" if isinstance(zone, ZoneInfo) else ""
    configs = {group.name: group for group in plan.config.node_groups}
    lines = Lines()
    for group in scenario.cluster.node_groups:
        if group.scheduled_minimums:
            lines.append(_auto_scaling_group(plan, configs[group.name]))
        for n, minimum in enumerate(group.scheduled_minimums, 1):
            recurrence = quoted(recurrence_fields(minimum.cron))
            lines.append(
                f"aws autoscaling put-scheduled-update-group-action --region {quoted(plan.config.region)} "
                f'--auto-scaling-group-name "$ASG" --scheduled-action-name {quoted(group.name)}-minimum-{n} '
                f"--recurrence {recurrence}{named} --min-size {minimum.min_size}"
            )
    return lines


def install_autoscaler() -> Lines:
    """Return what installs or updates the chart."""
    return [
        f"helm repo add autoscaler {CHART}",
        f"helm upgrade --install {SERVICE_ACCOUNT} autoscaler/cluster-autoscaler --namespace {SYSTEM} "
        f"--values {VALUES}",
    ]


def update_pipelines(specs: Sequence[Spec], folder: str = "") -> Lines:
    """Return what creates or updates the pipelines, each after those it reads."""
    return [f"pachctl update pipeline -f {quoted(folder + spec.file)}" for spec in _in_order(specs)]


def _in_order(specs: Sequence[Spec]) -> list[Spec]:
    """Return specs so that each comes after those whose output it reads; the loader has refused cycles."""
    waiting, ordered, done = list(specs), list[Spec](), set[tuple[str, str]]()
    outputs = {(spec.pipeline.project, spec.pipeline.name) for spec in specs}
    while waiting:
        ready = [spec for spec in waiting if _reads(spec) & outputs <= done] or waiting
        ordered += ready
        done |= {(spec.pipeline.project, spec.pipeline.name) for spec in ready}
        waiting = [spec for spec in waiting if spec not in ready]
    return ordered


def _reads(spec: Spec) -> set[tuple[str, str]]:
    return {(leaf.project, leaf.repo) for leaf in leaves(spec.pipeline.input)}


def watch(scenario: Scenario, specs: Sequence[Spec], *, autoscaler: bool) -> Lines:
    """Return what shows the plan at work."""
    namespace = quoted(scenario.pachyderm.namespace)
    lines = [
        f"kubectl get pods -n {namespace} -l suite=pachyderm,component=worker -o wide --watch",
        "kubectl get nodes -L eks.amazonaws.com/compute-type,eks.amazonaws.com/nodegroup --watch",
    ]
    if scenario.cluster.fargate_profiles:
        lines.append(
            f"kubectl get pods -n {namespace} -l component=worker "
            "-o custom-columns='POD:.metadata.name,SIZE:.metadata.annotations.CapacityProvisioned'"
        )
    if autoscaler:
        lines.append(f"kubectl get configmap -n {SYSTEM} cluster-autoscaler-status -o yaml")
        lines.append(f"kubectl logs -n {SYSTEM} -l app.kubernetes.io/instance={SERVICE_ACCOUNT} --tail 50")
    lines += [f"pachctl list job -p {quoted(spec.pipeline.name)}{_project(spec)}" for spec in specs]
    return lines


def _project(spec: Spec) -> str:
    project = spec.pipeline.project
    return "" if project == DEFAULT_PROJECT else f" --project {quoted(project)}"


def roll_back(plan: ClusterPlan | None, specs: Sequence[Spec], *, autoscaler: bool, values: bool) -> Lines:
    """Return what undoes the plan, the pipelines first; ``values``: others came in than those exported."""
    changed = [spec for spec in specs if spec.before != spec.after]
    lines = update_pipelines(changed, f"{BEFORE}/")
    if autoscaler and values:
        lines.append(
            f"helm upgrade {SERVICE_ACCOUNT} autoscaler/cluster-autoscaler --namespace {SYSTEM} "
            f"--values {BEFORE}/{VALUES}"
        )
    elif autoscaler:
        lines.append(f"helm rollback {SERVICE_ACCOUNT} --namespace {SYSTEM}  # or uninstall, if it is new")
    if plan is None:
        return lines
    found = plan.changes
    lines += [_scale(plan, name, sizes) for name, sizes, _ in found.resized]
    for name in (*found.new_profiles, *found.changed_profiles):
        lines.append(f"{_eksctl('delete', 'fargateprofile', plan)} --name {quoted(name)} --wait")
    if found.changed_profiles or found.gone_profiles:
        lines.append(f"eksctl create fargateprofile -f {BEFORE}/{CLUSTER}")
    if found.gone_groups:
        lines.append(f"eksctl create nodegroup -f {BEFORE}/{CLUSTER}")
    lines += [f"{_eksctl('delete', 'nodegroup', plan)} --name {quoted(name)}" for name in found.new_groups]
    return lines


def roll_back_beside(scenario: Scenario, plan: ClusterPlan, *, autoscaler: bool) -> Lines:
    """Return what undoes the commands beside those on groups and profiles."""
    lines, configs = Lines(), {group.name: group for group in plan.config.node_groups}
    for group in scenario.cluster.node_groups:
        if not group.scheduled_minimums or group.name in plan.changes.new_groups:
            continue
        lines.append(_auto_scaling_group(plan, configs[group.name]))
        lines += [
            f"aws autoscaling delete-scheduled-action --region {quoted(plan.config.region)} "
            f'--auto-scaling-group-name "$ASG" --scheduled-action-name {quoted(group.name)}-minimum-{n}'
            for n, _ in enumerate(group.scheduled_minimums, 1)
        ]
    if autoscaler and "iam" in plan.new:
        lines.append(
            f"{_eksctl('delete', 'iamserviceaccount', plan)} --name {SERVICE_ACCOUNT} --namespace {SYSTEM}"
            "  # unless it was there before"
        )
    return lines


def retire(plan: ClusterPlan) -> Lines:
    """Return what takes away the groups and profiles that the plan no longer has."""
    groups = [
        f"{_eksctl('delete', 'nodegroup', plan)} --name {quoted(name)}" for name in plan.changes.gone_groups
    ]
    return groups + [
        f"{_eksctl('delete', 'fargateprofile', plan)} --name {quoted(name)} --wait"
        for name in plan.changes.gone_profiles
    ]


def _scale(plan: ClusterPlan, name: str, sizes: Mapping[str, int]) -> str:
    flags = " ".join(f"{flag} {sizes[key]}" for key, flag in SCALING.items() if key in sizes)
    return f"{_eksctl('scale', 'nodegroup', plan)} --name {quoted(name)} {flags}"


def _eksctl(verb: str, what: str, plan: ClusterPlan) -> str:
    return f"eksctl {verb} {what} --cluster {quoted(plan.config.name)} --region {quoted(plan.config.region)}"


def _auto_scaling_group(plan: ClusterPlan, group: NodeGroupConfig) -> str:
    """Return what finds the name of a group's Auto Scaling group."""
    region, cluster, name = (quoted(each) for each in (plan.config.region, plan.config.name, group.name))
    if group.managed:
        return (
            f"ASG=$(aws eks describe-nodegroup --region {region} --cluster-name {cluster} --nodegroup-name "
            f"{name} --query 'nodegroup.resources.autoScalingGroups[0].name' --output text)"
        )
    return (
        f"ASG=$(aws autoscaling describe-auto-scaling-groups --region {region} --filters "
        f"Name=tag:alpha.eksctl.io/cluster-name,Values={cluster} "
        f"Name=tag:alpha.eksctl.io/nodegroup-name,Values={name} "
        "--query 'AutoScalingGroups[0].AutoScalingGroupName' --output text)"
    )
