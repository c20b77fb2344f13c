"""``python -m evidence``: every figure of a run is on disk, also one that falls short."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

from evidence import __main__ as command
from evidence import record
from evidence.coverage import coverage
from evidence.record import Figure
from sim.report.summary import Interval

if TYPE_CHECKING:
    import pytest


def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *arguments: str) -> tuple[int, list[dict[str, str]]]:
    """Run two made-up parts; return exit code and rows."""

    def short(quick: bool) -> Iterator[Figure]:
        yield Figure("held", 3.0 if quick else 9.0, "intervals", 10, 7, 9.0)
        yield Figure("above", 1.0, "intervals", 10, 7)

    def broken(quick: bool) -> Iterator[Figure]:
        yield from short(quick)
        raise ValueError("out of luck")

    parts = {"short": SimpleNamespace(figures=short), "broken": SimpleNamespace(figures=broken)}
    monkeypatch.setattr(command, "parts", lambda: parts)
    monkeypatch.setattr(command, "RESULTS", tmp_path / "results.csv")
    try:
        code = command.main(list(arguments))
    except ValueError:
        code = -1
    if not (tmp_path / "results.csv").exists():
        return code, []
    with (tmp_path / "results.csv").open(encoding="utf-8") as rows:
        return code, list(csv.DictReader(rows))


def test_the_parts_are_the_files_of_the_folder() -> None:
    assert {"coverage", "common_luck"} <= set(command.parts())
    assert "record" not in command.parts()


def test_runs_are_added_to_what_is_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    run(monkeypatch, tmp_path, "short")
    code, rows = run(monkeypatch, tmp_path, "short")
    assert code == 0
    assert [(row["name"], row["value"], row["at_least"], row["holds"]) for row in rows] == 2 * [
        ("held", "9.0", "9.0", "ok"),
        ("above", "1.0", "", ""),
    ]
    assert {row["command"] for row in rows} == {"python -m evidence short"}


def test_a_run_that_breaks_is_recorded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    code, rows = run(monkeypatch, tmp_path)
    assert code == -1
    assert [row["part"] for row in rows] == ["short", "short", "broken", "broken", "broken"]
    assert (rows[-1]["name"], rows[-1]["holds"]) == ("did not end: ValueError('out of luck')", "SHORT")


def test_a_look_is_not_recorded_and_what_falls_short_is_the_exit_code(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert run(monkeypatch, tmp_path, "short", "--quick") == (1, [])
    assert run(monkeypatch, tmp_path, "luck") == (2, [])


def test_coverage_counts_where_the_truth_lies() -> None:
    ends = [(9.0, 11.0)] * 97 + [(10.5, 12.5), (7.5, 9.5), (7.5, 9.5)]
    studies = [{"cost": Interval((low + high) / 2, low, high)} for low, high in ends]
    held, above, below = coverage("made up", studies)
    assert (held.value, above.value, below.value) == (97, 2, 1)
    assert held.at_least == 87, "of 100: scipy.stats.binom.ppf(0.001, 100, 0.95)"


def test_results_lie_beside_the_parts() -> None:
    assert record.RESULTS.parent == Path(command.__file__).parent
