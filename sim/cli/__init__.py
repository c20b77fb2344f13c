"""The command line: one file per command, no logic, everything through the public names of ``sim``.

Answers go to stdout, progress, warnings and errors to stderr. Exit codes: 0 done, 1 no configuration
holds the target, 2 bad input, 130 interrupted. Files of commands keep their annotations as values: as texts,
typer would compile every one of them again, which is a tenth of ``--help``.
"""

from __future__ import annotations

import errno
import os
import sys
from contextlib import suppress
from typing import Annotated, Any

import typer

import sim
from sim.cli import catalog, check, compare, export, init, run, search, size
from sim.texts import brief

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


_UsageError: Any = typer.BadParameter.__bases__[0]  # click's own, or typer's copy of it
PIPE = 13  # SIGPIPE, which Windows has not: a shell says 141 of whoever wrote to nobody
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}


def main() -> None:
    """Run ``pachsim``: an error in the input is one red line and exit code 2."""
    try:
        code = app(prog_name=app.info.name, standalone_mode=False)
        sys.stdout.flush()
    except sim.SimError as error:
        code = _failed(str(error))
    except _UsageError as error:
        code = _misused(error)
    except OverflowError:
        code = _failed("numbers grow beyond what can be counted; allowed: 292,000 years, 9e18 bytes or less")
    except MemoryError:
        code = _failed(
            "there is not memory enough for so many nodes, pods or datums; allowed: what fits here"
        )
    except (BrokenPipeError, SystemExit):  # as with `| head`: nobody reads on, of which typer makes exit 1
        code = _unwritable("")
    except OSError as error:
        if error.errno not in _FULL or error.filename:
            raise
        code = _unwritable(f"the answer cannot be written: {error.strerror}")
    sys.exit(code)


def _failed(message: str) -> int:
    from sim.cli.output import print_error

    with suppress(OSError):  # a full disk behind stderr: the exit code still says it
        print_error(brief(" ".join(message.split())))
    return 2


def _misused(error: Any) -> int:
    """Say what is wrong with the command line; a command alone prints its help."""
    message = error.format_message()
    command = error.ctx.command_path if error.ctx else app.info.name
    if error.ctx and message == error.ctx.get_help():
        error.show()
        return 2
    return _failed(f"{message.rstrip('.')} (see {command} --help)")


def _unwritable(message: str) -> int:
    """Throw away what stdout does not take, so that Python does not try again on its way out."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return _failed(message) if message else 128 + PIPE
