"""A store as data frames, while it is written and afterwards."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from sim.errors import InputError
from sim.study.evaluate import evaluator, in_process
from sim.study.open_study import open_study
from sim.study.versions import versions
from tests.unit.study.tasks import tasks


def test_frames_grow_while_the_study_runs(tmp_path: Path) -> None:
    path = tmp_path / "study.db"
    with evaluator("edges", "how wide?", store=path, workers=1) as evaluate:
        evaluate(tasks(3, range(2)))
        study = open_study(path)
        assert len(study.replications) == 6
        evaluate(tasks(2, range(2, 5)))
        assert len(study.replications) == 12
        assert study.rounds["replications"].tolist() == [6, 6]
        assert study.rounds["configurations"].tolist() == [3, 2]
    assert (study.rounds["first_finished"] <= study.rounds["last_finished"]).all()
    assert study.about == {
        "study": "edges",
        "question": "how wide?",
        "pachsim": versions()[0],
        "numpy": versions()[1],
    }


def test_means_and_half_widths_are_those_of_the_replications(tmp_path: Path) -> None:
    asked = [*tasks(3, range(5)), *tasks(1, [5])]
    with evaluator("edges", store=tmp_path / "study.db", workers=1) as evaluate:
        evaluate(asked)
    study = open_study(tmp_path / "study.db")
    assert study.configurations["per_s"].tolist() == ["0.01", "0.02", "0.03"]
    assert study.configurations["replications"].tolist() == [6, 5, 5]
    for configuration in study.configurations.index:
        trees = [
            tree
            for task, tree in zip(asked, in_process(asked), strict=True)
            if task.configuration == configuration
        ]
        for figure in ("pod_start_p95_s", "cost_usd_per_1000_datums"):
            values = np.array([tree["metrics"][figure] for tree in trees])  # type: ignore[index] # a tree of trees
            known = values[~np.isnan(values)]
            expected = [np.nan, np.nan]
            if np.inf in known:  # pods that waited when the log ended: no mean
                expected = [np.inf, np.nan]
            elif len(known):
                expected = [known.mean(), stats.sem(known) * stats.t.ppf(0.975, len(known) - 1)]
            found = [frame.loc[configuration, figure] for frame in (study.configurations, study.half_widths)]
            assert found == pytest.approx(expected, nan_ok=True)


def test_a_study_of_nothing_yet(tmp_path: Path) -> None:
    with evaluator("edges", store=tmp_path / "study.db"):
        study = open_study(tmp_path / "study.db")
        for frame in (study.replications, study.configurations, study.half_widths, study.rounds):
            assert len(frame) == 0


def test_what_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not there; allowed: a file that --store wrote"):
        open_study(tmp_path / "study.db")
    (tmp_path / "study.db").write_text("years of work\n" * 100, encoding="utf-8")
    with pytest.raises(InputError, match="is no store of replications"):
        open_study(tmp_path / "study.db")
