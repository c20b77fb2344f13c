"""``pachsim run``: replications of a scenario, or of several side by side."""

from pathlib import Path
from typing import Annotated, Any

import typer

import sim
from sim.cli.options import (
    FAILED,
    INTERRUPTED,
    AsFormat,
    FailOns,
    Format,
    Precision,
    Replications,
    ScenarioFiles,
    Seed,
    Set,
)


def run(
    scenarios: ScenarioFiles,
    *,
    seed: Seed = None,
    replications: Replications = 20,
    precision: Precision = None,
    form: AsFormat = Format.TABLE,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Save summary, log, tables and pictures there.", show_default=False),
    ] = None,
    sensitivity: Annotated[
        bool,
        typer.Option("--sensitivity", help="Repeat with other starts of Fargate and nodes, and other pulls."),
    ] = False,
    sets: Set = None,
    fail_on: FailOns = None,
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose", help="Show progress, every figure, and what the autoscaler considered and refused."
        ),
    ] = False,
) -> None:
    """Simulate scenarios and print cost, latency and waits."""
    loaded = [sim.load(file, sets or ()) for file in scenarios]
    _check_names(loaded)
    folders = {} if out is None else sim.Result.folders(out, loaded)
    how: dict[str, Any] = {"precision": precision, "progress": verbose or None}
    results: list[sim.Result] = []
    interrupted = False
    try:
        for scenario in loaded:
            results.append(sim.replicate(scenario, replications, seed, **how))
            interrupted = results[-1].interrupted
            if sensitivity and not interrupted:
                varied = sim.sensitivity(scenario, replications, seed, **how)
                results[-1].summary["sensitivity"] = {
                    n: each.summary["metrics"] for n, each in varied.items()
                }
                interrupted = any(each.interrupted for each in varied.values())
            if interrupted:
                break
    except KeyboardInterrupt:
        interrupted = True
    _print(results, form, verbose=verbose, named=len(loaded) > 1)
    for result in results:
        if result.scenario.name in folders:
            result.save(folders[result.scenario.name])
    if interrupted:
        raise typer.Exit(INTERRUPTED)
    verdicts = {target["verdict"] for result in results for target in result.summary["slo"]}
    if verdicts & set(fail_on or ()):
        raise typer.Exit(FAILED)


def _print(results: "list[sim.Result]", form: Format, *, verbose: bool, named: bool) -> None:
    """Print answers, then what to know before believing them; ``named`` says whose it is."""
    from sim.cli.output import print_warnings
    from sim.cli.summary import print_decisions, print_documents

    if results:
        print_documents([result.summary for result in results], form, every_figure=verbose)
    for result in results:
        if verbose and form is Format.TABLE:
            print_decisions(result)
        name = f"{result.scenario.name}: " if named else ""
        print_warnings(f"{name}{warning}" for warning in result.summary["warnings"])


def _check_names(scenarios: "list[sim.Scenario]") -> None:
    """Refuse two scenarios of one name, which neither a table nor a folder could tell apart."""
    names = [scenario.name for scenario in scenarios]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise typer.BadParameter(f"two scenarios are called {twice}; give each its name")
