"""The command line: one file per command, no logic, everything through the public names of ``sim``.

Answers go to stdout, progress, warnings and errors to stderr. Exit codes: 0 done, 1 no configuration
holds the target, 2 bad input, 130 interrupted.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

import sim
from sim.cli import catalog, check, compare, export, init, run, search, size

app = typer.Typer(
    name="pachsim",
    help="Which workers, nodes and Fargate sizes hold a latency target for the least money?",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,  # plain help: drawing it with rich costs more than everything else together
    pretty_exceptions_enable=False,  # an error that is not the user's keeps its traceback
)
app.command()(run.run)
app.command()(compare.compare)
app.command()(search.search)
app.command()(check.check)
app.command()(init.init)
app.command()(export.export)
app.command()(size.size)
app.add_typer(catalog.app, name="catalog")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"pachsim {sim.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run ``pachsim``: an error in the input is one red line and exit code 2."""
    try:
        app()
    except sim.SimError as error:
        from sim.cli.output import print_error

        print_error(str(error))
        sys.exit(2)
