"""Options that several commands share; light, so that ``--help`` is instant."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

INTERRUPTED = 130
MOST = 10**12  # seeds and replications


class Format(StrEnum):
    """How an answer is printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


class FailOn(StrEnum):
    """What makes the exit code 1."""

    UNDECIDED = "undecided"
    MISSED = "missed"


FAILED = 1
FailOns = Annotated[
    list[FailOn] | None,
    typer.Option("--fail-on", help="Exit with 1 if that is the answer; repeatable.", show_default=False),
]
AsFormat = Annotated[Format, typer.Option("--format", help="How to print the answer.")]
Region = Annotated[str, typer.Option("--region", help="AWS region.")]
ScenarioFile = Annotated[
    Path, typer.Argument(metavar="SCENARIO", help="The scenario file.", show_default=False)
]
ScenarioFiles = Annotated[
    list[Path],
    typer.Argument(
        metavar="SCENARIO...", help="Scenario files; several are put side by side.", show_default=False
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="PATH=VALUE",
        help="Change the scenario, as in 'pipelines[edges].parallelismSpec.constant=8'; repeatable.",
        show_default=False,
    ),
]


def share(text: str) -> float:
    """Return a share given as ``0.05`` or ``5%``."""
    try:
        return float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        raise typer.BadParameter(f"{text} is no share; allowed: 5% or 0.05") from None


Seed = Annotated[
    int | None,
    typer.Option(
        "--seed",
        min=0,
        max=MOST,
        help="Whose luck; left out: the (first) scenario's.",
        show_default=False,
    ),
]
Replications = Annotated[
    int, typer.Option("--replications", min=1, max=MOST, help="How often, each time with other luck.")
]
Precision = Annotated[
    float | None,
    typer.Option(
        "--precision",
        parser=share,
        metavar="SHARE",
        help="Replicate until cost per day and job latency p95 are within this, as in 5%.",
        show_default=False,
    ),
]
