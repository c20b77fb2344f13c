"""``pachsim run``: replications of a scenario, or of several side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

import sim
from sim.cli.options import AsFormat, Format, ScenarioFiles, Set, share

INTERRUPTED = 130


def run(
    scenarios: ScenarioFiles,
    *,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Whose luck; without it the scenario's own.", show_default=False)
    ] = None,
    replications: Annotated[int, typer.Option(min=1, help="How often, each time with other luck.")] = 20,
    precision: Annotated[
        float | None,
        typer.Option(
            parser=share,
            metavar="SHARE",
            help="Replicate until cost per day and job latency p95 are within this, as in 5%.",
            show_default=False,
        ),
    ] = None,
    form: AsFormat = Format.TABLE,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Save summary, log, tables and pictures there.", show_default=False),
    ] = None,
    sensitivity: Annotated[
        bool, typer.Option("--sensitivity", help="Repeat with other Fargate start and node boot times.")
    ] = False,
    sets: Set = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Show progress, and print every figure.")
    ] = False,
) -> None:
    """Simulate scenarios and print cost, latency and waits."""
    from sim.cli.output import print_warnings
    from sim.cli.summary import print_documents

    loaded = [sim.load(file, sets or ()) for file in scenarios]
    documents: list[dict[str, Any]] = []
    progress, interrupted = verbose or None, False
    for scenario in loaded:
        result = sim.replicate(scenario, replications, seed, precision=precision, progress=progress)
        documents.append(result.summary)
        if sensitivity and not result.interrupted:
            varied = sim.sensitivity(scenario, replications, seed, precision=precision, progress=progress)
            documents[-1]["sensitivity"] = {label: each.summary["metrics"] for label, each in varied.items()}
        if out is not None:
            result.save(out if len(loaded) == 1 else out / scenario.name)
        interrupted = result.interrupted
        if interrupted:
            break
    print_documents(documents, form, every_figure=verbose)
    for document in documents:
        named = f"{document['scenario']}: " if len(documents) > 1 else ""
        print_warnings(f"{named}{warning}" for warning in document["warnings"])
    if interrupted:
        raise typer.Exit(INTERRUPTED)
