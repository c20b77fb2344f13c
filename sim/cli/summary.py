"""The summary of one run or of several side by side: one column a scenario, one row a figure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sim
from sim.cli.options import Format
from sim.cli.output import print_json, print_rows, print_table, print_text

Document = Mapping[str, Any]

SECTIONS = ("Cost", "Work", "Capacity")
ALWAYS = ("cost_", "jobs_", "datums_processed", "datums_lost", "pods_started")  # where there are pipelines
WHOLE_FROM = 100.0
SPLITS = {
    "bill_usd": "Bill, USD in the time measured",
    "sources_usd": "Whom the money was spent for, USD",
    "waste_usd": "What the money was spent on, USD",
    "waits_s": "Where a completed job's time went, s",
    "pod_waits_s": "Where a pod's time to Running went, s",
}


def print_documents(documents: Sequence[Document], form: Format, *, every_figure: bool = False) -> None:
    """Print summaries; JSON is one document, or a list where there are several."""
    if form is Format.JSON:
        print_json(documents[0] if len(documents) == 1 else documents)
    elif form is Format.CSV:
        print_rows([row for document in documents for row in figure_rows(document)], form)
    else:
        _print_tables(documents)
        if every_figure:
            for document in documents:
                print_text(f"\nEvery figure of {document['scenario']}", "bold")
                print_rows(figure_rows(document), form)


def figure_rows(document: Document) -> list[dict[str, Any]]:
    """Return every figure of a document as a row; branches are joined by dots."""
    return [
        {"scenario": document["scenario"], "figure": name, "mean": f["mean"], "low": low, "high": high}
        for name, f in _figures("", document)
        for low, high in [f["ci95"]]
    ]


def _figures(name: str, branch: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(branch, Mapping) and "ci95" in branch:
        yield name, branch
    elif isinstance(branch, Mapping | list):
        twigs = branch.items() if isinstance(branch, Mapping) else enumerate(branch)
        for key, twig in twigs:
            yield from _figures(f"{name}.{key}".lstrip("."), twig)


def print_decisions(result: sim.Result) -> None:
    """Print what the autoscaler considered, did and refused in the first replication."""
    decisions = result.autoscaler
    if len(decisions):
        print_text(f"\nDecisions of the autoscaler, {result.scenario.name}, first replication", "bold")
        print_text("a refusal holds, look after look, until the next row of its group or node")
        rows = decisions.astype(object).where(decisions.notna(), None)
        print_table(list(rows.columns), rows.to_numpy().tolist())


def _print_tables(documents: Sequence[Document]) -> None:
    for document in documents:
        _print_title(document)
    print_text(documents[0]["estimand"] + ", in brackets")
    names = [document["scenario"] for document in documents]
    metrics = [document["metrics"] for document in documents]
    for title in SECTIONS:
        rows = [
            [label, *(said(each.get(name)) for each in metrics)]
            for name, label in sim.metrics.labels(title).items()
            if _has_a_row(name, documents)
        ]
        print_section(title, ["", *names], rows)
    _print_latencies(documents)
    for group, title in SPLITS.items():
        figures = [{name: _total(figure) for name, figure in each[group].items()} for each in documents]
        rows = [
            [name.replace("_", " "), *(said(each.get(name)) for each in figures)]
            for name in dict.fromkeys(name for each in figures for name in each)
            if any(each.get(name, {}).get("mean") for each in figures)
        ]
        print_section(title, ["", *names], rows)
    print_targets(documents)
    _print_sensitivity(documents)


def _has_a_row(name: str, documents: Sequence[Document]) -> bool:
    """Leave out what is nothing everywhere; but where there are pipelines, no job is something to say."""
    with_pipelines = any(document["pipelines"] for document in documents)
    if with_pipelines and name.startswith(ALWAYS):
        return True
    return any(_is_something(document["metrics"].get(name)) for document in documents)


def _is_something(figure: Mapping[str, Any] | None) -> bool:
    return figure is not None and bool(figure["mean"] or figure.get("at_least") or figure.get("endless"))


def _print_title(document: Document) -> None:
    days = (document["horizon_s"] - document["warmup_s"]) / 86_400
    replications = counted(document["replications"], "replication")
    warm_up = {True: "warm-up found by MSER-5", False: "warm-up, none found", None: "warm-up"}
    print_text(
        f"{document['scenario']}: {replications}, seed {document['seed']}, "
        f"{days:g} days after {document['warmup_s'] / 86_400:g} of "
        f"{warm_up[document['warmup_found']]}, {document['region']}, prices of {document['price_date']}",
        "bold",
    )


def counted(count: int, what: str) -> str:
    """Return ``1 job`` or ``2 jobs``."""
    return f"{count} {what}" if count == 1 else f"{count:,} {what}s"


def _print_latencies(documents: Sequence[Document]) -> None:
    names = {name: f"p{percent:g}" for name, percent in sim.metrics.percentiles(sim.metrics.LATENCY)}
    rows = [
        [pipeline, document["scenario"], *(said(figures[name]) for name in names)]
        for pipeline in dict.fromkeys(name for document in documents for name in document["pipelines"])
        for document in documents
        if (figures := document["pipelines"].get(pipeline)) is not None
    ]
    print_section("Job latency, s", ["pipeline", "scenario", *names.values()], rows)


def print_targets(documents: Sequence[Document]) -> None:
    """Print what latency there is for each target of some scenarios."""
    rows = [
        [
            document["scenario"],
            f"p{100 * slo['quantile']:g} of {slo['pipeline'] or 'all jobs'}",
            f"{slo['at_most_s']:g} s",
            said(slo["latency_s"]),
            said(slo["share_within"]),
            slo["verdict"],
        ]
        for document in documents
        for slo in document["slo"]
    ]
    header = ["scenario", "target", "at most", "latency, s", "share within", "verdict"]
    print_section("Targets", header, rows)


def _print_sensitivity(documents: Sequence[Document]) -> None:
    names = (*sim.metrics.labels("Cost"), "pod_start_p50_s", sim.metrics.LATENCY)
    shown = {name: sim.metrics.METRIC[name].label_of(name) for name in names}
    rows = [
        [document["scenario"], label, *(said(metrics[name]) for name in shown)]
        for document in documents
        for label, metrics in document.get("sensitivity", {}).items()
    ]
    print_section("Sensitivity", ["scenario", "with", *shown.values()], rows)


def print_section(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table under its title; nothing without rows."""
    if rows:
        print_text(f"\n{title}", "bold")
        print_table(header, rows)


def _total(figure: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a figure, or the total of one that is split once more."""
    total: Mapping[str, Any] = figure.get("total", figure)
    return total


def said(figure: Mapping[str, Any] | None) -> str:
    """Return mean and interval, the mean where nothing varies, what it is at least, a dash for nothing."""
    if figure is None:
        return "–"
    mean, (low, high) = figure["mean"], figure["ci95"]
    if mean is None:
        least = figure.get("at_least")
        return "endless" if figure.get("endless") else "–" if least is None else f"≥ {_rounded(least)}"
    certain = low is None or low == high
    return _rounded(mean) if certain else f"{_rounded(mean)} [{_rounded(low)}, {_rounded(high)}]"


def _rounded(value: float) -> str:
    """Return three digits, or whole units where there are more."""
    return f"{value:,.0f}" if abs(value) >= WHOLE_FROM else f"{value:.3g}"
