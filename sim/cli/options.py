"""Options that several commands share; light, so that ``--help`` is instant."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Format(StrEnum):
    """How an answer is printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


AsFormat = Annotated[Format, typer.Option("--format", help="How to print the answer.")]
Region = Annotated[str, typer.Option("--region", help="AWS region.")]
ScenarioFile = Annotated[
    Path, typer.Argument(metavar="SCENARIO", help="The scenario file.", show_default=False)
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="PATH=VALUE",
        help="Change the scenario, as in --set 'pipelines[edges].parallelismSpec.constant=8'; repeatable.",
    ),
]
