"""Tables: a summary document as rows of text for a terminal; whoever prints them chooses the look.

Every figure is a mean over replications with its 95 % interval in brackets. Amounts are rounded here
and nowhere before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Figure = Mapping[str, Any]
"""A mean and its interval, as the document holds them."""

NOTHING = "–"
UNITS = ((6000.0, 3600.0, "h"), (100.0, 60.0, "min"), (0.0, 1.0, "s"))
CENTS_FROM = 1.0  # USD: above it two decimals say enough
WHOLE_FROM = 1000.0
MOST_PIPELINES = 6  # side by side; with more, waits are shown of all jobs together
LEAST_SHARE = 0.0005  # of a whole: smaller rows are left out


@dataclass(frozen=True, slots=True)
class TextTable:
    """A title, what the columns are, and rows of as many texts; the first column names the row."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def text_tables(document: Mapping[str, Any]) -> list[TextTable]:
    """Return the tables of a run: money, jobs, capacity, both bill splits, waits and targets."""
    return [
        table
        for table in (
            _money(document),
            _jobs(document),
            _capacity(document),
            _uses(document),
            _sources(document),
            _waits(document),
            _targets(document),
        )
        if table.rows
    ]


def usd(amount: float) -> str:
    """Return an amount of money, with cents or, if small, with three digits."""
    return f"{amount:,.2f}" if abs(amount) >= CENTS_FROM else f"{amount:.3g}"


def number(amount: float) -> str:
    """Return a count or a mean with four digits, or all before the point."""
    return f"{amount:,.0f}" if abs(amount) >= WHOLE_FROM else f"{amount:,.4g}"


def with_interval(figure: Figure, shown: Callable[[float], str]) -> str:
    """Return ``mean [low, high]``, the mean alone where the interval is unknown or has no length."""
    if figure["mean"] is None:
        return NOTHING
    low, high = figure["ci95"]
    mean = shown(figure["mean"])
    return mean if low is None or low == high else f"{mean} [{shown(low)}, {shown(high)}]"


def time(figure: Figure) -> str:
    """Return a duration in the unit in which it reads well."""
    if figure["mean"] is None:
        return NOTHING
    divisor, unit = next((by, unit) for least, by, unit in UNITS if abs(figure["mean"]) >= least)
    return f"{with_interval(figure, lambda seconds: f'{seconds / divisor:.3g}')} {unit}"


def _money(document: Mapping[str, Any]) -> TextTable:
    metrics = document["metrics"]
    names = {"day": "per day", "month": "per month (730 h)", "1000_datums": "per 1,000 datums"}
    rows = [(text, with_interval(metrics[f"cost_usd_per_{key}"], usd)) for key, text in names.items()]
    return TextTable("Cost", ("", "USD"), tuple(rows))


def _jobs(document: Mapping[str, Any]) -> TextTable:
    columns = ("pipeline", "completed", "unfinished", "failed", "latency p50", "p95", "p99")
    counts = ("jobs_completed", "jobs_unfinished", "jobs_failed")
    latencies = ("job_latency_p50_s", "job_latency_p95_s", "job_latency_p99_s")
    pipelines = document["pipelines"]
    everything = {"all": document["metrics"]} if len(pipelines) > 1 else {}
    rows = [
        (name, *(with_interval(of[key], number) for key in counts), *(time(of[key]) for key in latencies))
        for name, of in {**pipelines, **everything}.items()
    ]
    return TextTable("Jobs", columns, tuple(rows))


def _capacity(document: Mapping[str, Any]) -> TextTable:
    metrics = document["metrics"]
    rows = [
        ("time to Running, p50", time(metrics["pod_start_p50_s"])),
        ("time to Running, p95", time(metrics["pod_start_p95_s"])),
    ]
    counts = {
        "workers, mean": "mean_workers",
        "workers, peak": "peak_workers",
        "EC2 nodes, mean": "mean_nodes",
        "EC2 nodes, peak": "peak_nodes",
        "EC2 node hours": "node_hours",
        "Fargate pods, peak": "peak_fargate_pods",
        "Fargate pod hours": "fargate_pod_hours",
        "datums processed": "datums_processed",
        "datums lost and done again": "datums_lost",
    }
    rows += [
        (text, with_interval(metrics[key], number)) for text, key in counts.items() if metrics[key]["mean"]
    ]
    return TextTable("Workers and nodes", ("", ""), tuple(rows))


def _uses(document: Mapping[str, Any]) -> TextTable:
    waste = document["waste_usd"]
    rows = [(use.replace("_", " "), figure) for use, figure in waste.items() if use != "total"]
    return _split("What the money was for", rows, waste["total"]["mean"], document)


def _sources(document: Mapping[str, Any]) -> TextTable:
    rows = [(name, uses["total"]) for name, uses in document["sources_usd"].items()]
    return _split("Whom the money was for", rows, document["bill_usd"]["total"]["mean"], document)


def _split(
    title: str, rows: Sequence[tuple[str, Figure]], total: float, document: Mapping[str, Any]
) -> TextTable:
    """Return amounts a day and their share of the whole, the largest first."""
    days = (document["horizon_s"] - document["warmup_s"]) / 86_400
    shown = tuple(
        (name, with_interval(figure, lambda amount: usd(amount / days)), f"{figure['mean'] / total:.1%}")
        for name, figure in sorted(rows, key=lambda row: -row[1]["mean"])
        if total and figure["mean"] > LEAST_SHARE * total
    )
    return TextTable(title, ("", "USD per day", "share"), shown)


def _waits(document: Mapping[str, Any]) -> TextTable:
    pipelines = document["pipelines"]
    if len(pipelines) > MOST_PIPELINES:
        pipelines = {"all jobs": {**document["metrics"], "waits_s": document["waits_s"]}}
    rows = [
        (wait.replace("_", " "), *(time(of["waits_s"][wait]) for of in pipelines.values()))
        for wait in document["waits_s"]
        if any(_notable(of, wait) for of in pipelines.values())
    ]
    return TextTable("Where a completed job's time went, mean", ("", *pipelines), tuple(rows))


def _notable(pipeline: Mapping[str, Any], wait: str) -> bool:
    mean, whole = pipeline["waits_s"][wait]["mean"], pipeline["job_latency_mean_s"]["mean"]
    return bool(mean and mean > LEAST_SHARE * whole)


def _targets(document: Mapping[str, Any]) -> TextTable:
    def rows() -> Iterator[tuple[str, ...]]:
        for target in document["slo"]:
            at_most = time({"mean": target["at_most_s"], "ci95": (None, None)})
            yield (
                f"{target['pipeline'] or 'all jobs'}: p{100 * target['quantile']:g} at most {at_most}",
                time(target["latency_s"]),
                with_interval(target["share_within"], lambda share: f"{share:.1%}"),
                target["verdict"],
            )

    return TextTable("Targets", ("target", "latency", "share within", "verdict"), tuple(rows()))
