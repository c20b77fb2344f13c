"""Notebooks run from top to bottom, ask in their first cell, and are committed without output."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.conftest import PROJECT
from tests.docs.conftest import FIRST_STUDY

KEEPING = "import functools, sim; sim.search = functools.partial(sim.search, store={!r}, resume=True)\n"
NOTEBOOKS = sorted((PROJECT / "notebooks").glob("*.ipynb"))


def read(file: Path) -> Any:
    return nbformat.read(file, as_version=4)  # type: ignore[no-untyped-call] # nbformat has no annotations


def test_there_is_one() -> None:
    assert NOTEBOOKS


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_it_is_committed_without_output_and_asks_first(file: Path) -> None:
    cells = read(file).cells
    assert [cell.outputs for cell in cells if cell.cell_type == "code" and cell.outputs] == []
    assert cells[0].cell_type == "markdown"
    assert "?" in cells[0].source
    for cell in cells:
        if cell.cell_type == "code":
            functions = [
                n
                for n in ast.walk(ast.parse(cell.source.replace("%matplotlib inline", "")))
                if isinstance(n, ast.FunctionDef)
            ]
            assert all(len(ast.unparse(function).splitlines()) <= 10 for function in functions)


@pytest.mark.slow
@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_it_runs_and_answers_in_its_last_cell(file: Path, first_search: Path) -> None:
    notebook = read(file)
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    if FIRST_STUDY in first.source:
        first.source = KEEPING.format(str(first_search)) + first.source
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(file.parent)}}).execute()
    assert notebook.cells[-1].outputs
