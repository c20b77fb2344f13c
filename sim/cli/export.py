"""``pachsim export``: the files that deploy a plan, and a README with the commands."""

from pathlib import Path
from typing import Annotated, Any

import typer

import sim
from sim.cli.options import MOST, Set

ANSWER = "answer.json"  # what search --out writes


def export(
    what: Annotated[
        Path,
        typer.Argument(
            metavar="SCENARIO|RESULT",
            help="A scenario file, or what run --out or search --out wrote.",
            show_default=False,
        ),
    ],
    *,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder to write, all of it or none.")],
    force: Annotated[
        bool,
        typer.Option("--force", help="Replace an earlier export; anything else there is moved to DIR.old."),
    ] = False,
    alternative: Annotated[
        int,
        typer.Option(min=0, help="Of a study's answer: 0 for the winner, else the alternative's number."),
    ] = 0,
    sets: Set = None,
    seed: Annotated[
        int | None,
        typer.Option(
            min=0, max=MOST, help="Of the prediction; left out: the scenario's.", show_default=False
        ),
    ] = None,
    replications: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=MOST,
            help="Of the prediction; left out: 10. A RESULT has its own.",
            show_default=False,
        ),
    ] = None,
    execution_role: Annotated[
        str,
        typer.Option(
            metavar="ROLE",
            help="Pod execution role of Fargate profiles: eksctl makes it, its ARN, or trust-policy for "
            "the policy document and the steps.",
        ),
    ] = "eksctl",
) -> None:
    """Write specs, ClusterConfig, autoscaler values, prediction and README of a plan."""
    from sim.cli.output import print_text, print_warnings

    plan: sim.Scenario | sim.Result
    answered = (what / ANSWER).exists()
    if alternative and not answered:
        raise typer.BadParameter(f"{what} is no answer of a study, so it has no alternative {alternative}")
    if answered:
        plan = sim.load_winner(what, alternative)
    elif what.is_dir():
        if sets or seed is not None or replications is not None:
            raise typer.BadParameter(
                "a RESULT is exported as it was run; give its scenario for anything else"
            )
        plan = sim.load_result(what)
    else:
        plan = sim.load(what, sets or ())
    how: dict[str, Any] = {"seed": seed, "replications": replications, "execution_role": execution_role}
    names = sim.export(plan, out, force=force, **how)
    scenario = plan.scenario if isinstance(plan, sim.Result) else plan
    print_warnings(scenario.warnings)
    print_text(f"{out}: {len(names)} files; {out / 'README.md'} has the commands")
