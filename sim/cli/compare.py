"""``pachsim compare``: scenarios under the same luck, what they differ by, and which is best."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

import sim
from sim.cli.options import (
    FAILED,
    INTERRUPTED,
    AsFormat,
    FailOn,
    FailOns,
    Format,
    Precision,
    Replications,
    ScenarioFiles,
    Seed,
    Set,
    share,
)

ALWAYS = {
    "cost_usd_per_day",
    "job_latency_p50_s",
    "job_latency_p95_s",
    "job_latency_p99_s",
    "pod_start_p95_s",
}
MANY = 10_000
PAIR = 2
SURE = 0.95

Vary = Annotated[
    str | None,
    typer.Option(
        "--vary",
        metavar="PATH=VALUE,VALUE",
        help="Compare each scenario with each of these values, as --set would put them.",
        show_default=False,
    ),
]


def compare(
    scenarios: ScenarioFiles,
    *,
    seed: Seed = None,
    replications: Replications = 20,
    precision: Precision = None,
    indifference: Annotated[
        float | None,
        typer.Option(
            parser=share,
            metavar="SHARE",
            help="A difference below this share does not matter; 2% unless said.",
            show_default=False,
        ),
    ] = None,
    form: AsFormat = Format.TABLE,
    sets: Set = None,
    vary: Vary = None,
    fail_on: FailOns = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show progress and every difference.")] = False,
) -> None:
    """Compare scenarios on common random numbers: paired differences, and which is best."""
    comparison = sim.compare(
        [each for file in scenarios for each in _variants(file, sets or [], vary)],
        replications,
        seed,
        precision=precision,
        indifference=0.02 if indifference is None else indifference,
        progress=verbose or None,
    )
    _print(comparison, form, every_row=verbose)
    if comparison.interrupted:
        raise typer.Exit(INTERRUPTED)
    if any(_fails(row) in (fail_on or ()) for row in comparison.summary["best"]):
        raise typer.Exit(FAILED)


def _fails(question: Mapping[str, Any]) -> FailOn | None:
    """Return what the answer of a question may make the exit code 1 for: open, or that none holds."""
    if not question["settled"]:
        return FailOn.UNDECIDED
    return FailOn.MISSED if question["answer"] is None else None


def _variants(file: Path, sets: list[str], vary: str | None) -> "Iterator[sim.Scenario]":
    """Yield a scenario, or one for each of the values that ``--vary`` gives, named by its value."""
    if vary is None:
        yield sim.load(file, sets)
        return
    path, equals, values = vary.rpartition("=")
    if not equals:
        raise typer.BadParameter(f"--vary {vary} has no =; allowed: path=value,value")
    field = path.rpartition(".")[2]
    for value in values.split(","):
        varied = sim.load(file, [*sets, f"{path}={value}"])
        yield replace(varied, name=f"{varied.name} {field}={value}")


def _print(comparison: "sim.Comparison", form: Format, *, every_row: bool) -> None:
    from sim.cli.output import print_json, print_rows, print_warnings

    document = comparison.summary
    if form is Format.JSON:
        print_json(document)
    elif form is Format.CSV:
        table = comparison.differences.astype(object)
        rows = table.where(table.notna(), None).to_numpy().tolist()
        print_rows([dict(zip(table.columns, row, strict=True)) for row in rows], form)
    else:
        _print_tables(document, every_row=every_row)
    print_warnings(document["warnings"])


def _print_tables(document: Mapping[str, Any], *, every_row: bool) -> None:
    from sim.cli.output import print_text
    from sim.cli.summary import counted, print_section, print_targets

    names = document["scenarios"]
    count = counted(document["replications"], "replication")
    print_text(f"{len(names)} scenarios, {count} on common random numbers, seed {document['seed']}", "bold")
    print_section("Figures [95 % interval]", ["", *names], _figures(document))
    print_targets([{"scenario": name, "slo": slo} for name, slo in document["slo"].items()])
    title = "Paired differences [95 % interval]"
    together = ", those of one figure hold together" if len(names) > PAIR else ""
    header = ["", "scenario", "minus", "difference", "relative", "is", "variance cut", "more replications"]
    rows = [row for row in document["differences"] if every_row or row["figure"] in ALWAYS]
    print_section(title + together, header, [_difference(row) for row in rows])
    header = ["", *names, "none", "answer", "more replications"]
    print_section("Chance to be", header, [_best(row, document) for row in document["best"]])


def _figures(document: Mapping[str, Any]) -> list[list[str]]:
    from sim.cli.summary import said

    compared = {row["figure"] for row in document["differences"]}
    return [
        [label, *(said(metrics[name]) for metrics in document["metrics"].values())]
        for name, label in _labels().items()
        if name in compared
    ]


def _labels() -> dict[str, str]:
    """Return what the table calls the figures, in its order."""
    return {name: sim.metrics.METRIC[name].label_of(name) for name in sim.metrics.COMPARED}


def _difference(row: Mapping[str, Any]) -> list[str]:
    from sim.cli.summary import said

    cut = row["variance_reduction"]
    return [
        f"{row['pipeline']} {_labels()[row['figure']]}".strip(),
        row["scenario"],
        row["minus"],
        said(row["difference"]),
        _share(row["relative"], "+"),
        row["verdict"],
        "–" if cut is None else f"{cut:,.3g}x" if cut < MANY else f"over {MANY:,}x",
        _more(row["verdict"] != "open", row["more_replications"]),
    ]


def _best(row: Mapping[str, Any], document: Mapping[str, Any]) -> list[str]:
    chance, within = row["chance"] or {}, row["chance_within"] or {}
    names = document["scenarios"]
    alike = [name for name in names if name != row["answer"] and within.get(name, 0.0) >= SURE]
    answer = (row["answer"] or "none") if row["settled"] else "open"
    return [
        row["question"],
        *(_share(chance.get(name)) for name in names),
        _share(row["chance_none"]),
        f"{answer}; within {100 * document['indifference']:g}% of it: {', '.join(alike)}"
        if alike
        else answer,
        _more(row["settled"], row["more_replications"]),
    ]


def _share(share: float | None, sign: str = "") -> str:
    return "–" if share is None else f"{share:{sign}.1%}"


def _more(settled: bool, more: int | None) -> str:
    """Return how many more replications would settle it."""
    if settled:
        return "–"
    return "out of reach" if more is None else f"about {more:,}"
