"""Imports point one way, and each library has one home (CONTRIBUTING.md, "Where things go")."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import sim
from tests.conftest import PROJECT

# A layer is a folder of sim/ or a module beside them.
MAY_IMPORT = {
    "errors": set[str](),
    "version": set[str](),
    "texts": set[str](),
    "model": {"errors"},
    "kernels": set[str](),
    "decisions": {"kernels", "model", "errors"},
    "engine": {"kernels", "decisions", "model", "errors"},
    "report": {"model", "errors"},
    "documents": {"model", "errors"},
    "adapters": {"documents", "model", "errors"},
    "study": {"engine", "report", "decisions", "model", "errors"},
    "history": {"study", "model", "errors"},
}
# May import anything below; the command line only what everybody may use.
EDGES = {"__init__", "loader", "catalog", "sizing", "checking", "draft", "deploy", "searching"}
ABOVE = {
    "__init__": EDGES,
    "catalog": set[str](),
    "loader": {"catalog"},
    "sizing": {"catalog"},
    "checking": {"loader"},
    "draft": {"loader", "catalog", "sizing"},
    "deploy": {"loader", "catalog"},
    "searching": {"loader"},
}
PUBLIC = {"", *sim.__all__}
OF_ALL = {"version", "texts"}  # import nothing, and anybody may import them

# Rooms of one layer, by whose behaviour they hold, meet only so; what lies beside them belongs to all.
ROOMS = {
    "kubernetes": set[str](),
    "aws": {"kubernetes"},
    "pachyderm": {"kubernetes"},
    "cluster_autoscaler": {"kubernetes", "aws"},
    "karpenter": {"kubernetes", "aws"},
}
WITH_ROOMS = ("decisions", "engine")
WIRING = "run"  # the one file of engine/ that knows every room

HOMES = {
    "simpy": {"engine"},
    "numba": {"kernels"},
    "scipy": {"engine", "report", "study", "history"},
    "pandas": {"report", "study", "history"},
    "pyarrow": {"report", "study", "history"},
    "matplotlib": {"report", "study"},  # in study only as the type of what a result draws
    "jinja2": {"report"},
    "optuna": {"study"},
    "SALib": {"study"},
    "distributed": {"study"},
    "typer": {"cli"},
    "rich": {"cli"},
    "pydantic": {"loader"},
    "pydantic_core": {"loader"},
    "yaml": {"documents"},
    "numpy": {"model", "kernels", "decisions", "engine", "report", "study", "history"},
}

FILES = sorted((PROJECT / "sim").rglob("*.py"))
WALKED = sorted([*FILES, *(PROJECT / "benchmarks").rglob("*.py")])


def layer(file: Path) -> str:
    parts = file.relative_to(PROJECT / "sim").with_suffix("").parts
    return parts[0]


def imported(file: Path) -> Iterator[tuple[int, str]]:
    """Yield line and dotted name of every import, also those inside functions and for type checkers."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            names = [f"{module}.{alias.name}" for alias in node.names] if module == "sim" else [module]
            yield from ((node.lineno, name) for name in names)


def allowed_layers(here: str) -> set[str]:
    if here == "cli":
        return PUBLIC
    if here in EDGES:
        return set(MAY_IMPORT) | ABOVE[here]
    return MAY_IMPORT[here]


def test_there_is_something_to_walk() -> None:
    assert len(FILES) > 7


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PROJECT)))
def test_imports_point_one_way_and_libraries_stay_at_home(file: Path) -> None:
    here = layer(file)
    wrong = []
    for line, name in imported(file):
        top, _, rest = name.partition(".")
        target = rest.partition(".")[0]
        if top == "sim":
            if target in allowed_layers(here) | {here} | OF_ALL:
                continue
            wrong.append(f"{file.relative_to(PROJECT)}:{line}: sim/{here} may not import {name}")
        elif top not in sys.stdlib_module_names and here not in HOMES.get(top, set()):
            wrong.append(f"{file.relative_to(PROJECT)}:{line}: {top} has no home in sim/{here}")
    assert wrong == []


def room(module: str) -> str | None:
    """Return the room of a dotted name such as sim.engine.aws.ec2, None beside the rooms."""
    parts = module.split(".")
    return parts[2] if len(parts) > 2 and parts[2] in ROOMS else None


@pytest.mark.parametrize("inside", WITH_ROOMS)
def test_rooms_meet_only_through_named_seams(inside: str) -> None:
    wrong = []
    for file in sorted((PROJECT / "sim" / inside).rglob("*.py")):
        here = room(".".join(file.relative_to(PROJECT).with_suffix("").parts))
        if here is None and file.stem == WIRING:
            continue
        allowed = {None} if here is None else {None, here} | ROOMS[here]
        wrong += [
            f"{file.relative_to(PROJECT)}:{line}: {here or 'what belongs to all'} may not import {name}"
            for line, name in imported(file)
            if name.startswith(f"sim.{inside}.") and room(name) not in allowed
        ]
    assert wrong == []


def module(file: Path) -> str:
    """Return a file's dotted name."""
    parts = file.relative_to(PROJECT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported_files(file: Path, known: frozenset[str]) -> Iterator[str]:
    """Yield the modules among those ``known`` that a file imports anywhere, for types too."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            inside = {f"{node.module}.{alias.name}" for alias in node.names}
            names = sorted(inside & known) or [node.module]
        yield from (name for name in names if name in known and name != module(file))


def test_no_imports_go_in_a_circle() -> None:
    """Not for type checkers either: what is read first never speaks of what is read after it."""
    known = frozenset(map(module, WALKED))
    graph = {module(file): set(imported_files(file, known)) for file in WALKED}
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as circle:
        pytest.fail(" -> ".join(circle.args[1]))
