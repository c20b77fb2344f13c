"""The shape of a scenario file: every key it can have, its default, meaning and source.

What upstream names keeps upstream's spelling (flags, spec and ClusterConfig keys); the rest is ours, in
snake_case. Values are in the model's units as soon as they are read. ``compile`` turns this into a
``Scenario``: here nothing is looked up and nothing depends on anything else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sim.loader.shape.cluster import CLUSTER, ClusterFile
from sim.loader.shape.pods import BASE_LOAD, PODS_FILE, BaseLoadFile, PodsFile
from sim.loader.shape.workload import PACHYDERM, PIPELINE, REPO, PachydermFile, PipelineFile, RepoFile
from sim.loader.shape.world import (
    DISCOUNTS,
    IMAGES,
    LATENCY,
    NO_IMAGE_SIZE,
    PRICES,
    SLO,
    DiscountsFile,
    LatencyFile,
    PricesFile,
    SloFile,
)
from sim.loader.values.kinds import ListOf
from sim.loader.values.scalars import (
    COUNT,
    DURATION,
    FLAG,
    HORIZON,
    PROSE,
    TEXT,
    WARMUP,
)
from sim.loader.values.sections import key, section_of
from sim.loader.values.times import START
from sim.model.scenario import PachydermOptions

FIRST_MONDAY = datetime(2026, 1, 5, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioFile:
    """One question put to the simulator, as a file says it."""

    name: str = key(TEXT, "what reports call it; left out: the file's name", "")
    question: str = key(PROSE, "what it is for", "")
    region: str = key(TEXT, "AWS region; left out: the ClusterConfig's", "")
    start: datetime = key(
        START, "the instant at which it begins", FIRST_MONDAY, source="assumption: a Monday"
    )
    horizon: int = key(HORIZON, "how long it is simulated")
    warmup: int | None = key(
        WARMUP,
        "how much of that is left out of the figures; auto: found by MSER-5 on pilot replications",
        0,
        source="White, Simulation 69 (1997)",
    )
    drain: int | None = key(
        DURATION,
        "how long it may go on after the horizon, uncounted, until the jobs and plain pods that count are"
        " done; left out: as long as from warm-up to horizon",
        None,
    )
    finite: bool = key(
        FLAG, "whether its span is the whole story, a batch that ends; otherwise it goes on for ever", False
    )
    age: int = key(
        DURATION,
        "how long the same arrivals have come already: repositories hold at the start what that brings",
        0,
        source="pachyderm.md §3.3 (sets are cut by all that a repository holds)",
    )
    seed: int = key(COUNT, "start of all random streams", 1)
    pachyderm: PachydermFile = key(PACHYDERM, "how pachd behaves", PachydermFile(options=PachydermOptions()))
    cluster: ClusterFile = key(CLUSTER, "where pods can run", ClusterFile())
    repos: tuple[RepoFile, ...] = key(ListOf(REPO), "source repositories", ())
    pipelines: tuple[PipelineFile, ...] = key(ListOf(PIPELINE), "pipelines and their loads", ())
    pods: tuple[PodsFile, ...] = key(ListOf(PODS_FILE), "plain pods, which need no Pachyderm", ())
    base_load: tuple[BaseLoadFile, ...] | None = key(
        ListOf(BASE_LOAD), "pods there from the start; left out: the list below", None
    )
    latency: LatencyFile = key(LATENCY, "how long AWS and Kubernetes take", LatencyFile())
    images: Mapping[str, int] | None = key(
        IMAGES,
        "compressed image sizes by name; worker, pachd and user stand for their kind",
        None,
        source=NO_IMAGE_SIZE,
    )
    prices: PricesFile = key(PRICES, "prices that replace the tables'", PricesFile())
    discounts: DiscountsFile = key(DISCOUNTS, "shares off the list price", DiscountsFile())
    slo: SloFile = key(SLO, "targets", SloFile())


SCENARIO = section_of(ScenarioFile)
