"""Try out what the statistics promise, part by part, and record every figure.

    python -m evidence [--quick] [PART ...]

A part is a file of this folder with a function ``figures(quick)`` that yields its figures; its seeds stand in
the file. Every run is added to ``evidence/results.csv``, those that fall short and those that break
too. ``--quick`` takes a fraction of the trials and records nothing: a look, not a figure. Exit code 1 says
that some figure fell short.
"""

from __future__ import annotations

import pkgutil
import sys
from importlib import import_module
from types import ModuleType

import evidence
from evidence.record import RESULTS, Record


def parts() -> dict[str, ModuleType]:
    """Return the parts of this folder by name."""
    names = [each.name for each in pkgutil.iter_modules(evidence.__path__) if not each.name.startswith("_")]
    modules = {name: import_module(f"evidence.{name}") for name in names}
    return {name: module for name, module in modules.items() if hasattr(module, "figures")}


def main(arguments: list[str]) -> int:
    """Run the parts named, or all; return the exit code."""
    quick = "--quick" in arguments
    known = parts()
    named = [name for name in arguments if not name.startswith("-")] or list(known)
    if unknown := [name for name in named if name not in known]:
        print(f"no part {', '.join(unknown)}; allowed: {', '.join(known)}", file=sys.stderr)
        return 2
    record = Record(" ".join(["python -m evidence", *arguments]), None if quick else RESULTS)
    for name in named:
        try:
            for figure in known[name].figures(quick):
                record.add(name, figure)
        except BaseException as error:
            record.fail(name, error)
            raise
    return 1 if record.short else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
