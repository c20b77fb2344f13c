"""Adversaries: studies made to fool a search, with numbers drawn anew for each.

Every kind has a configuration that looks best in the window that is measured and breaks the constraint in
the long run, and one that holds it. A study is a scenario and what varies, as a user writes them. What is
true is not said here: ``fooled`` finds it out by long runs.

- *overload*: a queue whose cheap choice is loaded by 1.02 to 1.2; the window ends before that shows.
- *workers*: the same for the workers of a pipeline, where pachd's own times count too.
- *night*: jobs of an evening that are still running when the window ends.
- *growing*: a repository that only grows, so datum sets do too, and the limit is passed after weeks.
- *starving*: a DAG in which one branch, a small part of all jobs, never keeps up.
- *mean*: a limit on the mean, which jobs that never finish would not enter.
- *survivors*: pods that fit an empty node, but no node as it is.
- *stuck*: a rare pod that fits nowhere, against a limit of none.
- *trace*: rows of a trace that fit nowhere.
- *spot*: one Spot node, rarely interrupted, that takes hours to come back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

Draw: TypeAlias = np.random.Generator
Document: TypeAlias = dict[str, Any]

START = "2026-01-05T00:00Z"
GROUP = "cluster.eksctl.managedNodeGroups[w]"
WORKERS = "pipelines[p].parallelismSpec.constant"
FIRST_COME = {"kind": "first-fit", "initial_backoff": "0s", "max_backoff": "0s"}
ON_FARGATE = {"node": "fargate"}


@dataclass(frozen=True, slots=True)
class Adversary:
    """A study: its scenario, what varies, what has to hold, and files beside them by name."""

    base: Document
    vary: Document
    constraint: Document
    files: Mapping[str, str] = field(default_factory=dict)


def overload(draw: Draw) -> Adversary:
    """Return M/M/c whose smallest choice of c is overloaded."""
    slots, work_s = int(draw.integers(2, 9)), draw.uniform(180, 480)
    per_hour = draw.uniform(1.02, 1.2) * slots * 3600 / work_s
    base = _nodes(
        [_pods("calls", 1, f"{per_hour:.3f}", f"{work_s:.0f}s")],
        "m5.large",
        horizon=f"{draw.integers(8, 25)}h",
        groups={"w": {"allocatable": {"cpu": 1, "memory": "6Gi"}}},
        daemonsets=[],
        scheduler=FIRST_COME,
    )
    base["latency"] = {"container_start": "0s"}
    vary = {"nodes": {f"{n}": _sized(n) for n in range(slots, slots + 3)}}
    return Adversary(base, vary, {"metric": "pod_start_p95_s", "at_most": "2h"})


def workers(draw: Draw) -> Adversary:
    """Return a pipeline whose smallest choice of workers gets more than they can do."""
    count, datum_s = int(draw.integers(1, 4)), draw.uniform(40, 200)
    per_hour = draw.uniform(1.0, 1.15) * count * 3600 / datum_s
    loaded = _loaded(_pipeline("p", "r", count, {"datumSetSpec": {"number": 1}}), per_hour, datum_s, draw)
    base = _fargate([loaded], horizon=f"{draw.integers(8, 25)}h")
    vary = {WORKERS: list(range(count, count + 3))}
    return Adversary(base, vary, {"metric": "job_latency_p95_s", "at_most": f"{draw.integers(2, 6)}h"})


def night(draw: Draw) -> Adversary:
    """Return an evening's jobs of about an hour each, of which few are done at midnight."""
    jobs, job_m = int(draw.integers(8, 16)), draw.uniform(40, 80)
    pipeline = _pipeline("p", "r", 1)
    pipeline["commits"] = {"cron": f"*/{60 // jobs} {draw.integers(18, 22)} * * *"}
    pipeline["datums"] = {"new_per_commit": 1}
    pipeline["datum_time"] = {"lognormal": {"median": f"{job_m:.0f}m", "p95": f"{1.4 * job_m:.0f}m"}}
    base = _fargate([pipeline], horizon="1d")
    limit_h = jobs * job_m / 60 * draw.uniform(0.6, 0.9)
    return Adversary(
        base, {WORKERS: [1, 2, 3, 6]}, {"metric": "job_latency_p95_s", "at_most": f"{60 * limit_h:.0f}m"}
    )


def growing(draw: Draw) -> Adversary:
    """Return a repository that only grows: sets as they come take longer each day, sets of ten do not."""
    count, files, datum_s = int(draw.integers(6, 13)), int(draw.integers(300, 900)), draw.uniform(10, 30)
    pipeline = _pipeline("p", "r", count)
    pipeline["commits"] = {"cron": f"0 {draw.integers(1, 10)} * * *"}
    pipeline["datums"] = {"new_per_commit": files}
    pipeline["datum_time"] = {"constant": f"{datum_s:.1f}s"}
    base = _fargate([pipeline], horizon="7d")
    a_day_s = files * datum_s / (4 * count)  # by which the last set of a morning grows
    vary = {
        "workers": {
            "as they come": {WORKERS: count},
            "sets of ten": {WORKERS: count + 1, "pipelines[p].datumSetSpec.number": 10},
            "sets of ten, more": {WORKERS: count + 4, "pipelines[p].datumSetSpec.number": 10},
        }
    }
    limit_s = max(a_day_s * draw.uniform(8, 20), 1.5 * files * datum_s / count)
    return Adversary(base, vary, {"metric": "job_latency_p95_s", "at_most": f"{limit_s:.0f}s"})


def starving(draw: Draw) -> Adversary:
    """Return a DAG whose deep branch has too few workers, and too few jobs to be seen in a percentile."""
    fast = draw.uniform(15, 30)
    deep_s = draw.uniform(600, 1200)
    clean, tables = _pipeline("clean", "raw", 2), _pipeline("tables", "clean", 2)
    clean = _loaded(clean, fast, 60, draw)
    tables["datum_time"] = {"exponential": {"mean": "40s"}}
    deep = _loaded(_pipeline("p", "scans", 1), draw.uniform(1.1, 1.6) * 3600 / deep_s, deep_s, draw)
    base = _fargate([clean, tables, deep], horizon=f"{draw.integers(10, 20)}h")
    return Adversary(base, {WORKERS: [1, 2, 3]}, {"metric": "job_latency_p95_s", "at_most": "6h"})


def mean(draw: Draw) -> Adversary:
    """Return a pipeline with one worker too few, and a limit on the mean of the latency."""
    count, datum_s = int(draw.integers(1, 3)), draw.uniform(200, 400)
    per_hour = draw.uniform(1.1, 1.4) * count * 3600 / datum_s
    base = _fargate(
        [_loaded(_pipeline("p", "r", count), per_hour, datum_s, draw)], horizon=f"{draw.integers(8, 16)}h"
    )
    vary = {WORKERS: list(range(count, count + 3))}
    return Adversary(base, vary, {"metric": "job_latency_mean_s", "at_most": f"{draw.integers(3, 6)}h"})


def survivors(draw: Draw) -> Adversary:
    """Return large pods, a small part of all, that fit an empty small node but not beside its agent."""
    base = _nodes(
        [
            _pods("small", 0.25, f"{draw.uniform(20, 60):.1f}", "6m"),
            _pods("large", float(draw.uniform(2.6, 3.4)), f"{draw.uniform(1, 4):.2f}", "6m"),
        ],
        "m5.xlarge",
        horizon=f"{draw.integers(8, 25)}h",
        size=2,
    )
    base["base_load"] = [{"name": "agent", "requests": {"cpu": 1.5, "memory": "2Gi"}, "replicas": 2}]
    return Adversary(base, _types("m5.xlarge"), {"metric": "pod_start_p95_s", "at_most": "10m"})


def stuck(draw: Draw) -> Adversary:
    """Return a pod a month that no small node has room for, beside its agent."""
    base = _nodes(
        [
            _pods("small", 0.25, f"{draw.uniform(2, 6):.1f}", "6m"),
            _pods("large", 3.0, f"{draw.uniform(0.0005, 0.002):.5f}", "6m"),
        ],
        "m5.xlarge",
        horizon="1d",
        size=2,
    )
    base["base_load"] = [{"name": "agent", "requests": {"cpu": 1.5, "memory": "2Gi"}, "replicas": 2}]
    return Adversary(base, _types("m5.xlarge"), {"metric": "pods_stuck", "at_most": 0})


def trace(draw: Draw) -> Adversary:
    """Return a trace with some rows that only the larger nodes have room for."""
    rows = int(draw.integers(80, 160))
    wide = draw.random(rows) < draw.uniform(0.06, 0.15)
    at_s = np.sort(draw.uniform(0, 11 * 3600, rows))
    lines = ["job_id,arrival_s,datums,datum_seconds,cpu,memory_gib,gpu"]
    for n, (second, large) in enumerate(zip(at_s, wide, strict=True)):
        lines.append(f"j{n},{second:.0f},1,{draw.uniform(100, 900):.0f},{7 if large else 1},2,0")
    base = _nodes(
        [{"name": "replay", "arrivals": {"trace": {"file": "rows.csv"}}}], "m5.xlarge", horizon="12h"
    )
    group = base["cluster"]["eksctl"]["managedNodeGroups"][0]
    group |= {"minSize": 0, "desiredCapacity": 0, "maxSize": 6}
    group["tags"] = {"k8s.io/cluster-autoscaler/node-template/resources/ephemeral-storage": "71Gi"}
    base["cluster"]["autoscaler"] = {"expander": "least-waste"}
    files = {"rows.csv": "\n".join([*lines, ""])}
    return Adversary(base, _types("m5.xlarge"), {"metric": "pod_start_p95_s", "at_most": "10m"}, files)


def spot(draw: Draw) -> Adversary:
    """Return one node that is rarely interrupted and long in coming back, against a limit on p99."""
    pipeline = _pipeline("p", "r", 1, {"schedulingSpec": {"nodeSelector": {"pool": "w"}}})
    pipeline["spec"]["metadata"] = {"labels": {}}
    pipeline["spec"]["resourceRequests"] = {"cpu": 0.5, "memory": "1Gi"}
    pipeline["spec"]["sidecarResourceRequests"] = {"cpu": 0.2, "memory": "256Mi"}
    pipeline["commits"] = {"cron": "*/20 * * * *"}
    pipeline["datums"] = {"new_per_commit": 1}
    pipeline["datum_time"] = {"gamma": {"mean": "7m", "cv": 0.15}}
    base = _fargate([pipeline], horizon="1d")
    group = {**_group("w", "m5.large", 1), "spot": True, "labels": {"pool": "w"}}
    base["cluster"]["eksctl"]["managedNodeGroups"].append(group)
    rare = {"interruptions_per_hour": float(draw.uniform(3e-4, 3e-3)), "provision": f"{draw.integers(3, 8)}h"}
    base["cluster"]["groups"] = {"w": rare}
    purchase = {
        "spot": {f"{GROUP}.spot": True},
        "on-demand": {f"{GROUP}.spot": False, "cluster.groups.w.interruptions_per_hour": 0},
    }
    return Adversary(base, {"purchase": purchase}, {"metric": "job_latency_p99_s", "at_most": "11m"})


KINDS: dict[str, Callable[[Draw], Adversary]] = {
    each.__name__: each
    for each in (overload, workers, night, growing, starving, mean, survivors, stuck, trace, spot)
}


def _nodes(pods: list[Document], instance: str, *, horizon: str, size: int = 1, **cluster: Any) -> Document:
    """Return plain pods on one node group of a fixed size."""
    return {
        "horizon": horizon,
        "start": START,
        "cluster": {
            "eksctl": _eksctl([_group("w", instance, size)]),
            "autoscaler": {"enabled": False},
            **cluster,
        },
        "base_load": [],
        "pods": pods,
    }


def _fargate(pipelines: list[Document], *, horizon: str) -> Document:
    """Return pipelines whose workers run on Fargate, with a node for the rest."""
    profile = {"name": "fp", "selectors": [{"namespace": "pachyderm", "labels": ON_FARGATE}]}
    eksctl = {**_eksctl([_group("sys", "m5.xlarge", 1)]), "fargateProfiles": [profile]}
    return {
        "horizon": horizon,
        "start": START,
        "pachyderm": {"namespace": "pachyderm"},
        "cluster": {"eksctl": eksctl, "autoscaler": {"enabled": False}, "fargate": {"vcpu_quota": 60}},
        "images": {"worker": "100MB", "pachd": "150MB", "x": "200MB"},
        "pipelines": pipelines,
    }


def _pipeline(name: str, repo: str, count: int, more: Document | None = None) -> Document:
    """Return a pipeline that reads every file of a repository as a datum."""
    spec = {
        "pipeline": {"name": name},
        "metadata": {"labels": ON_FARGATE},
        "input": {"pfs": {"repo": repo, "glob": "/*"}},
        "parallelismSpec": {"constant": count},
        "autoscaling": False,
        "resourceRequests": {"cpu": 1, "memory": "1Gi"},
        "transform": {"image": "x", "cmd": ["sh"]},
        **(more or {}),
    }
    return {"spec": spec}


def _loaded(pipeline: Document, per_hour: float, datum_s: float, draw: Draw) -> Document:
    """Return the pipeline under Poisson commits of one datum each."""
    return {
        **pipeline,
        "commits": {"poisson": {"rate": f"{per_hour:.3f}/h"}},
        "datums": {"new_per_commit": 1},
        "datum_time": {"gamma": {"mean": f"{datum_s:.1f}s", "cv": float(draw.uniform(0.2, 1.0))}},
    }


def _pods(name: str, cpu: float, per_hour: str, mean_duration: str) -> Document:
    return {
        "name": name,
        "requests": {"cpu": round(cpu, 2), "memory": "1Gi"},
        "arrivals": {"poisson": {"per_hour": float(per_hour)}},
        "duration": {"exponential": {"mean": mean_duration}},
    }


def _eksctl(groups: list[Document]) -> Document:
    return {
        "apiVersion": "eksctl.io/v1alpha5",
        "kind": "ClusterConfig",
        "metadata": {"name": "c", "region": "us-east-1", "version": "1.33"},
        "managedNodeGroups": groups,
    }


def _group(name: str, instance: str, size: int) -> Document:
    return {
        "name": name,
        "instanceTypes": [instance],
        "minSize": size,
        "desiredCapacity": size,
        "maxSize": size,
    }


def _sized(size: int) -> Document:
    return {f"{GROUP}.{key}": size for key in ("maxSize", "desiredCapacity", "minSize")}


def _types(smallest: str) -> Document:
    return {f"{GROUP}.instanceTypes": [[smallest], ["m5.2xlarge"], ["m5.4xlarge"]]}
