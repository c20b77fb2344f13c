"""Pipelines: real specs and what the scenario says of their load, put together.

A worker pod's class follows from the spec: labels, selector, tolerations, priority and requests by the
Pachyderm version; an RC that re-creates it, no grace, emptyDir volumes, three images (pachyderm.md §1).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sim.adapters.pachyderm.spec import ReadSpec, SpecDefaults, read_cluster_defaults, read_spec
from sim.decisions.pachyderm.requests import (
    STOCK_DEFAULTS,
    RequestRules,
    WorkerRequests,
    request_rules,
    worker_requests,
)
from sim.documents.fields import Field
from sim.errors import InputError
from sim.loader.compile.places import at_path
from sim.loader.compile.pod_patch import patched
from sim.loader.compile.pods import PodMaker
from sim.loader.notes import Notes
from sim.loader.shape.workload import DatumsFile, PachydermFile, PipelineFile
from sim.model.arrivals import TraceArrivals
from sim.model.distributions import Constant, Distribution
from sim.model.paths import name_of
from sim.model.pipelines import (
    DEFAULT_GPU,
    DEFAULT_PROJECT,
    ClusterDefaults,
    CronInput,
    Kind,
    Pipeline,
    accelerator,
    leaves,
    worker_labels,
)
from sim.model.pods import Controller, PodClass
from sim.model.resources import MIB, mib_up, pod_requests
from sim.model.scenario import PipelineLoad
from sim.model.units import parse_duration

SAFE_TO_EVICT = "cluster-autoscaler.kubernetes.io/safe-to-evict"
SCALE_UP_DELAY = "cluster-autoscaler.kubernetes.io/pod-scale-up-delay"
USER, STORAGE = "user", "storage"


@dataclass(frozen=True, slots=True)
class PlacedLoad:
    """A pipeline with its load, what the file says of it, where, and what to call it in messages."""

    load: PipelineLoad
    said: PipelineFile
    at: Field
    spec_at: Field
    path: str

    def error(self, key: str, problem: str, *, allowed: str = "", near: str | None = None) -> InputError:
        """Return an error about a key of the entry, or of the spec where the entry has none."""
        for place in (self.at, self.spec_at):
            child = place.child(key) if isinstance(place.value, dict) else None
            if child is not None:
                return InputError(
                    problem,
                    field=f"{self.path}.{key}",
                    allowed=allowed,
                    nearest=near,
                    file=place.document.file,
                    line=child.line(),
                )
        file, line = self.at.document.file, self.at.line()
        return InputError(problem, field=self.path, allowed=allowed, nearest=near, file=file, line=line)


CRON_SOURCE = "pachyderm v2.11.6 src/server/pps/server/monitor.go makeCronCommits"


@dataclass(frozen=True, slots=True)
class PipelineMaker:
    """What turns a pipeline's entry into its load, for one Pachyderm and one set of priorities."""

    rules: RequestRules
    defaults: ClusterDefaults
    spec_defaults: SpecDefaults
    namespace: str
    pods: PodMaker
    notes: Notes

    def placed(self, said: PipelineFile, at: Field) -> list[PlacedLoad]:
        """Return the load of each pipeline that an entry's spec holds."""
        specs = [spec for spec in said.spec if not said.name or said.name in names_of(spec.value)]
        if not specs:
            names = ", ".join(name_of(spec.value) for spec in said.spec)
            raise at.error(f"names the pipeline {said.name}, which its spec does not hold", allowed=names)
        return [self._placed(said, spec, at) for spec in specs]

    def _placed(self, said: PipelineFile, spec: Field, at: Field) -> PlacedLoad:
        path = f"pipelines[{name_of(spec.value) or at.path[-1]}]"
        try:
            read = read_spec(spec, defaults=self.spec_defaults)
            load = self._load(said, read, at)
        except InputError as error:
            raise _under(error, path, spec, at) from None
        self.notes.add(read.notices)
        self._note_egress(said, load.pipeline, at)
        if (resource := accelerator(load.pipeline)) != DEFAULT_GPU:
            self.notes.warn(
                f"pipeline {load.pipeline.shown_name} asks for {resource}, and nodes are simulated with "
                f"{DEFAULT_GPU} alone: it is placed where so many of those are, not where its own are"
            )
        self._note_cron(load.pipeline, path)
        return PlacedLoad(load, said, at, spec, path)

    def _load(self, said: PipelineFile, read: ReadSpec, at: Field) -> PipelineLoad:
        pipeline = read.pipeline
        worker = worker_requests(pipeline, self.rules, self.defaults)
        if worker.problems:
            raise at.error(
                f"has a pod that Kubernetes refuses: {'; '.join(worker.problems)}", allowed="a pod it takes"
            )
        limits = {each.name: each.limit_memory_bytes for each in worker.containers}
        memory = {each.name: each.memory_bytes for each in worker.containers}
        user_limit = limits[USER]
        return PipelineLoad(
            pipeline=pipeline,
            pod_class=self._worker(pipeline, worker),
            datum_s=self._datum_s(said, pipeline, at),
            memory_peak_mib=said.memory_peak,
            memory_limit_mib=None if user_limit is None else user_limit // MIB,
            sidecar_memory_mib=mib_up(memory[STORAGE]),
            download_bytes=said.download,
            upload_bytes=said.upload,
            outputs_per_datum=said.outputs_per_datum,
            failure=said.failure,
            join_matches=said.join_matches,
            groups=said.groups,
            output_layout=said.output_files,
            recovers=said.recovers,
            egress_s=said.egress_time or Constant(0),
        )

    def _note_egress(self, said: PipelineFile, pipeline: Pipeline, at: Field) -> None:
        """Warn of an egress whose time nobody says, and refuse the time of none."""
        has = "egress" in dict(pipeline.kept)
        if said.egress_time is not None and not has:
            raise at.error("says egress_time, and its spec has no egress", allowed="egress in the spec")
        if has and said.egress_time is None:
            self.notes.warn(
                f"pipeline {pipeline.shown_name}: egress is simulated as taking no time, while it holds all "
                "its workers and the next job's serial phase; say egress_time"
            )

    def _note_cron(self, pipeline: Pipeline, path: str) -> None:
        for leaf in leaves(pipeline.input):
            if isinstance(leaf, CronInput):
                self.notes.assume(f"{path}.input.cron.spec", f"{leaf.spec} in UTC", CRON_SOURCE)

    def _datum_s(self, said: PipelineFile, pipeline: Pipeline, at: Field) -> Distribution | None:
        if (
            said.datum_time is None
            and pipeline.kind is Kind.TRANSFORM
            and not isinstance(said.commits, TraceArrivals)
        ):
            raise at.missing("datum_time", "how long user code takes for one datum, such as 18s")
        if isinstance(said.commits, TraceArrivals):
            if said.datum_time is not None:
                self.notes.warn(
                    f"pipeline {pipeline.name}: datum_time is used, not what the trace says of it"
                )
            if said.datums is not None and said.datums != DatumsFile(initial=said.datums.initial):
                self.notes.warn(f"pipeline {pipeline.name}: datums per commit are those of the trace")
        return said.datum_time

    def _worker(self, pipeline: Pipeline, worker: WorkerRequests) -> PodClass:
        annotations = dict(pipeline.annotations)
        delay = annotations.get(SCALE_UP_DELAY)
        spec = PodClass(
            name=pipeline.full_name,
            requests=pod_requests(worker.containers),
            container_requests=pod_requests(tuple(each for each in worker.containers if not each.init)),
            owner=f"{pipeline.project}-{pipeline.name}-v1".lower().replace("_", "-"),
            controller=Controller.REPLICATION_CONTROLLER,
            namespace=self.namespace,
            labels=worker_labels(pipeline),
            node_selector=pipeline.node_selector,
            tolerations=pipeline.tolerations,
            priority=self.pods.priority(pipeline.priority_class_name, "schedulingSpec.priorityClassName"),
            grace_us=0,
            safe_to_evict={"true": True, "false": False}.get(annotations.get(SAFE_TO_EVICT, "")),
            local_storage=True,
            spread=True,
            scale_up_delay_us=parse_duration(delay) if delay else 0,
            images=self.pods.images.of_worker(pipeline.image),
            unset_cpu_m=worker.unset_cpu_m,
            unset_memory_mib=worker.unset_memory_mib,
        )
        patch = dict(pipeline.kept).get("podPatch")
        return patched(spec, json.loads(patch), self.notes) if patch else spec


def names_of(spec: Any) -> tuple[str, str]:
    """Return what a spec's pipeline may be called: its name, or its project's before it."""
    name, pipeline = name_of(spec), spec.get("pipeline") if isinstance(spec, dict) else None
    project = name_of({"pipeline": pipeline.get("project")}) if isinstance(pipeline, dict) else ""
    return name, f"{project or DEFAULT_PROJECT}/{name}"


def pipeline_maker(said: PachydermFile, at: Field, pods: PodMaker, notes: Notes) -> PipelineMaker:
    """Return the maker for a Pachyderm version and its cluster defaults."""
    try:
        rules = request_rules(said.options.version)
    except InputError as error:
        raise error.inside("pachyderm.version", file=at.document.file, line=at.line()) from None
    _warn_of_old_version(said.options.version, rules, notes)
    defaults, spec_defaults = STOCK_DEFAULTS, SpecDefaults({})
    if said.cluster_defaults is not None:
        defaults, spec_defaults, notices = read_cluster_defaults(said.cluster_defaults[0])
        notes.add(notices)
    elif rules >= RequestRules.V2_8:
        notes.assume(
            "pachyderm.cluster_defaults",
            "user and sidecar each 1 cpu, 256Mi, 1Gi of disk",
            "pachyderm.md §1.3 (src/internal/clusterstate/v2.8.0/defaults.go)",
        )
    if rules < RequestRules.V2_8:
        spec_defaults = SpecDefaults({})  # such a cluster has none
    return PipelineMaker(rules, defaults, spec_defaults, said.options.namespace, pods, notes)


def _warn_of_old_version(version: str, rules: RequestRules, notes: Notes) -> None:
    """Warn where only requests follow the version (pachyderm.md §2.4 and §3.2)."""
    if rules < RequestRules.V2_8 or version.removeprefix("v").split(".")[1] == "8":
        notes.warn(
            f"pachyderm {version}: requests and datum sets follow it, jobs run as from 2.9 on: datums "
            "are listed outside the workers"
        )


def _under(error: InputError, path: str, spec: Field, at: Field) -> InputError:
    """Return an error of a spec with the pipeline's path before its field."""
    if error.file and error.field.startswith("pipelines["):
        return error
    place = at_path(spec, *error.field.split("."))
    return error.inside(path, file=spec.document.file, line=place.line())
