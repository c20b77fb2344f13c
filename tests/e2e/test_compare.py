"""``compare`` on scenarios of the project, short enough to be run often."""

from __future__ import annotations

import csv
import io

from tests.conftest import PROJECT
from tests.e2e.conftest import Pachsim

SCENARIOS = [PROJECT / "scenarios" / f"edges-{kind}.yaml" for kind in ("static", "fargate")]
SHORT = ("--set", "horizon=12h", "--set", "warmup=0s", "--replications", "3")


def test_tables(pachsim: Pachsim) -> None:
    done = pachsim("compare", *SCENARIOS, *SHORT)
    assert done.returncode == 0
    assert done.stdout.startswith("2 scenarios, 3 replications on common random numbers, seed 1")
    for part in (
        "Targets",
        "Paired differences",
        "variance cut",
        "Chance to be",
        "cheapest that holds its targets",
    ):
        assert part in done.stdout


def test_one_file_with_several_values(pachsim: Pachsim) -> None:
    varied = ("--vary", "pipelines[edges].parallelismSpec.constant=1,2,3")
    done = pachsim("compare", SCENARIOS[1], *SHORT, *varied, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    names = {row["scenario"] for row in rows} | {row["minus"] for row in rows}
    assert names == {f"edges-fargate constant={workers}" for workers in (1, 2, 3)}
    assert rows[0]["figure"] == "cost_usd_per_day"


def test_bad_input_is_one_line_and_exit_2(pachsim: Pachsim) -> None:
    for arguments, message in (
        ((SCENARIOS[0], SCENARIOS[0]), "two scenarios are called edges-static"),
        ((SCENARIOS[0], "--vary", "horizon"), "has no ="),
    ):
        done = pachsim("compare", *arguments)
        assert (done.returncode, done.stdout) == (2, "")
        assert message in done.stderr
