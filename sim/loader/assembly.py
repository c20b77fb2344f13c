"""load: a scenario file, and the files it refers to, as one validated ``Scenario``.

Read the YAML, apply ``--set``, read every field, then put the parts together: cluster, pods, pipelines, DAG,
prices. Whatever is wrong is an InputError with file, line, field, value and what is allowed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable
from dataclasses import replace
from pathlib import Path
from typing import ParamSpec, TypeVar

from sim.catalog import Catalog
from sim.documents.fields import Field, root
from sim.documents.yaml_read import Document, read_file
from sim.errors import InputError, nearest
from sim.loader.compile.checks import (
    check_names,
    check_pipelines_fit,
    settled_pods,
    warn_of_homeless_base_load,
    warn_of_memory,
    warn_of_quota,
    warn_of_templates,
    with_wanted_zones_last,
)
from sim.loader.compile.cluster import ClusterReader, under_eksctl
from sim.loader.compile.dag import joined_repos
from sim.loader.compile.edition import check_edition
from sim.loader.compile.globs import note_globs
from sim.loader.compile.images import ImageSizes
from sim.loader.compile.nat import nat_gateways
from sim.loader.compile.pipelines import PlacedLoad, pipeline_maker
from sim.loader.compile.places import at_path
from sim.loader.compile.pods import BUILT_IN_PRIORITIES, PodMaker
from sim.loader.compile.prices import compiled_prices
from sim.loader.compile.profiles import check_profiles
from sim.loader.compile.provisioning import warn_of_late_nodes
from sim.loader.compile.scheduling import warn_of_scheduling
from sim.loader.compile.support import extended_from_us
from sim.loader.notes import Notes, defaults_in_force
from sim.loader.origin import origin_of
from sim.loader.overrides import blamed, named, overridden
from sim.loader.shape.scenario import SCENARIO, ScenarioFile
from sim.loader.shape.world import LatencyFile, SloFile
from sim.loader.values.flags import AUTOSCALER
from sim.model.latency import Latencies
from sim.model.notices import MADE_UP, PLACEHOLDER
from sim.model.scenario import BaseLoad, Scenario, Slo, WarmUp
from sim.study.ages import aged


def load(path: str | Path, sets: Iterable[str] = ()) -> Scenario:
    """Return the scenario of a file, with each ``path=value`` of ``sets`` put in first.

    Raises InputError for anything in the file, or in the files it refers to, that cannot be used.

    Examples
    --------
    >>> load("scenarios/edges-fargate.yaml", ["pipelines[edges].parallelismSpec.constant=10"]).name
    'edges-fargate'
    """
    sets = (sets,) if isinstance(sets, str) else tuple(sets)
    documents = read_file(Path(path))
    if len(documents) > 1:
        raise root(documents[1]).error("is a second document", allowed="one scenario in a file")
    document = overridden(documents[0], sets)
    try:
        scenario = replace(compiled(named(document)), origin=origin_of(document))
    except InputError as error:
        problem = str(error)
        raise blamed(error, sets, lambda: problem == _problem(documents[0])) from None
    if PLACEHOLDER in Path(path).read_text(encoding="utf-8"):
        return replace(scenario, warnings=(MADE_UP, *scenario.warnings))
    return scenario


def _problem(document: Document) -> str:
    try:
        compiled(named(document))
    except InputError as error:
        return str(error)
    return ""


def compiled(document: Document, catalog: Catalog | None = None) -> Scenario:
    """Return the scenario of a document; a catalog that is used again has its tables read already."""
    at = root(document)
    said: ScenarioFile = SCENARIO.read(at)
    if said.warmup is not None and said.warmup >= said.horizon:
        raise at_path(at, "warmup").error(allowed="shorter than the horizon")
    return _Assembly(said, at, catalog or Catalog()).scenario()


class _Assembly:
    """One scenario being put together from what its file says."""

    def __init__(self, said: ScenarioFile, at: Field, catalog: Catalog) -> None:
        self.said = said
        self.at = at
        self.catalog = catalog
        self.notes = Notes()
        images = dict(said.images or {})
        if said.latency.image_pull.size is not None:
            images.setdefault("user", said.latency.image_pull.size)
        self.images = ImageSizes(images, self.notes, said.latency.image_pull.zstd)
        priorities = BUILT_IN_PRIORITIES | dict(said.cluster.priority_classes or {})
        self.pods = PodMaker(priorities, self.images, self.notes)

    def scenario(self) -> Scenario:
        """Return it."""
        said = self.said
        reader = ClusterReader(said, self.at, self.catalog, self.notes)
        config, eksctl = reader.config()
        region = said.region or config.region
        self._check_region(region, eksctl)
        if eksctl is not None and region != config.region:
            self.notes.warn(f"region {region} of the scenario replaces {config.region} of the ClusterConfig")
        cluster = reader.cluster(config, eksctl, region, self.pods)
        loads = self._pipelines()
        repos = joined_repos(loads, said.repos, self.at, self.notes)
        check_edition(said.pachyderm, loads, self.at, self.notes)
        warn_of_memory(loads, cluster, self.notes)
        note_globs([each.load for each in loads], repos, self.notes)
        pods = tuple(
            settled_pods(_located(place, self.pods.plain, each, place), cluster, self.notes)
            for each, place in zip(said.pods, self._items("pods"), strict=True)
        )
        work = {each.load.pipeline.shown_name for each in loads} | {each.name for each in said.pods}
        base_load = self._base_load(work, autoscaler=cluster.autoscaler.enabled and bool(cluster.node_groups))
        plain = (*(each.pod_class for each in pods), *(each.pod_class for each in base_load))
        bound = (*(each.load.pod_class for each in loads), *plain)
        cluster = with_wanted_zones_last(cluster, bound, self.notes)
        check_names(loads, (*self._items("base_load"), *self._items("pods")))
        warn_of_templates(loads, pods, cluster, self.notes)
        warn_of_late_nodes(cluster, _latencies(said.latency), self.notes)
        warn_of_quota(loads, cluster, self.notes)
        others = [each.pod_class for each in pods] + [each.pod_class for each in base_load]
        check_profiles(loads, others, cluster, self.notes)
        check_pipelines_fit(loads, cluster)
        warn_of_homeless_base_load(base_load, cluster, self.notes)
        warn_of_scheduling([*(each.load.pod_class for each in loads), *others], cluster, self.notes)
        self.images.check_names()
        fargate_at = (eksctl or self.at) if cluster.fargate_profiles else None
        gateways = said.prices.nat_gateways
        if gateways is None:
            with under_eksctl():
                gateways = nat_gateways(config, eksctl, region, self.notes)
        prices = compiled_prices(
            said.prices,
            said.discounts,
            cluster,
            self.catalog,
            notes=self.notes,
            nat_gateways=gateways,
            fargate_at=fargate_at,
            extended_from_us=extended_from_us(said, cluster.kubernetes_version, self.catalog, self.notes),
        )
        scenario = Scenario(
            name=said.name or Path(self.at.document.file).stem,
            question=said.question,
            start=said.start,
            horizon_us=said.horizon,
            warmup_us=said.warmup or 0,
            warmup_is=WarmUp.AUTO if said.warmup is None else WarmUp.GIVEN,
            drain_us=said.drain,
            seed=said.seed,
            pachyderm=said.pachyderm.options,
            cluster=cluster,
            repos=repos,
            pipelines=tuple(each.load for each in loads),
            pods=pods,
            base_load=base_load,
            latency=_latencies(said.latency),
            prices=prices,
            slos=self._slos(said.slo, loads),
            images=tuple(self.images.used.values()),
            finite=said.finite,
            assumptions=(*defaults_in_force(SCENARIO, self.at, AUTOSCALER), *self.notes.assumptions),
            warnings=tuple(self.notes.warnings),
        )
        return aged(scenario, said.age)

    def _check_region(self, region: str, eksctl: Field | None) -> None:
        try:
            self.catalog.prices(region)
        except InputError as error:
            own = self.at.child("region")
            with under_eksctl(really=own is None and eksctl is not None):
                place = own or at_path(eksctl or self.at, "metadata", "region")
                raise place.error(allowed=error.allowed, near=error.nearest) from None

    def _items(self, key: str) -> list[Field]:
        place = self.at.child(key)
        return place.items() if place else []

    def _pipelines(self) -> list[PlacedLoad]:
        version_at = at_path(self.at, "pachyderm", "version")
        maker = pipeline_maker(self.said.pachyderm, version_at, self.pods, self.notes)
        entries = zip(self.said.pipelines, self._items("pipelines"), strict=True)
        return [placed for entry, place in entries for placed in maker.placed(entry, place)]

    def _base_load(self, taken: Container[str], *, autoscaler: bool) -> tuple[BaseLoad, ...]:
        if self.said.base_load is None:
            return self.pods.default_base_load(
                self.said.pachyderm.options.namespace,
                taken,
                pachyderm=bool(self.said.pipelines),
                autoscaler=autoscaler,
            )
        places = zip(self.said.base_load, self._items("base_load"), strict=True)
        return tuple(_located(place, self.pods.base, each) for each, place in places)

    def _slos(self, said: SloFile, loads: list[PlacedLoad]) -> tuple[Slo, ...]:
        pipelines = [each.load.pipeline for each in loads]
        called = Counter(each.name for each in pipelines)
        names = {each.name: each.shown_name for each in pipelines if called[each.name] == 1}
        names |= {each.shown_name: each.shown_name for each in pipelines}
        overall = [Slo(quantile, seconds) for quantile, seconds in said.job_latency]
        own = []
        for name, quantiles in (said.pipelines or {}).items():
            if name not in names:
                place = at_path(self.at, "slo", "pipelines", name)
                allowed = ", ".join(names) or "a pipeline of the scenario"
                raise place.error("names no pipeline", allowed=allowed, near=nearest(name, names))
            own += [Slo(quantile, seconds, names[name]) for quantile, seconds in quantiles]
        return (*overall, *own)


def _latencies(said: LatencyFile) -> Latencies:
    return Latencies(said.ec2, said.fargate, said.image_pull.pull, said.container_start)


P = ParamSpec("P")
T = TypeVar("T")


def _located(at: Field, make: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what ``make`` makes; its errors get the place they are about."""
    try:
        return make(*args, **kwargs)
    except InputError as error:
        raise error if error.file else at.locate(error) from None
