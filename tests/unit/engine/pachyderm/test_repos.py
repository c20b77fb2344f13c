"""Commits and the DAG: what is new against an older commit, and who is downstream."""

from __future__ import annotations

import pytest

from sim.decisions.pachyderm.datums import Entries
from sim.engine.pachyderm.repos import Branch, downstream, in_topological_order, input_keys, leaf_entries
from sim.model.pipelines import Combine, CombinedInput, CronInput, Leaf, PfsInput, Pipeline

FILES = PfsInput("images", "/*")
ROOT = PfsInput("images", "/")


def a_pipeline(name: str, *repos: str) -> Pipeline:
    inputs = tuple(PfsInput(repo, "/*") for repo in repos)
    return Pipeline(name, input=inputs[0] if len(inputs) == 1 else CombinedInput(Combine.CROSS, inputs))


def test_differences_add_up_over_commits() -> None:
    repo = Branch(0, files=10)
    base = repo.head
    repo.commit(5, 3)
    between = repo.head
    repo.commit(2, 4)
    assert leaf_entries(FILES, repo.head, base) == Entries(unchanged=3, changed=7, new=7)
    assert leaf_entries(FILES, repo.head, between) == Entries(unchanged=11, changed=4, new=2)
    assert leaf_entries(FILES, repo.head, None) == Entries(new=17)


def test_no_more_files_change_than_there_were() -> None:
    repo = Branch(0, files=2)
    assert repo.commit(1, 9) == 2
    assert repo.head.files == 3


@pytest.mark.parametrize(
    ("files", "commits", "expected"),
    [
        pytest.param(0, 0, Entries(), id="nothing ever committed"),
        pytest.param(0, 1, Entries(new=1), id="first commit"),
        pytest.param(3, 0, Entries(unchanged=1), id="nothing since"),
        pytest.param(3, 2, Entries(changed=1), id="two commits since"),
    ],
)
def test_the_root_glob_is_one_entry(files: int, commits: int, expected: Entries) -> None:
    repo = Branch(0, files)
    base = repo.head
    for _ in range(commits):
        repo.commit(4, 0)
    assert leaf_entries(ROOT, repo.head, base) == expected


@pytest.mark.parametrize(("overwrite", "expected"), [(False, Entries(1, 0, 2)), (True, Entries(0, 0, 1))])
def test_cron_ticks(overwrite: bool, expected: Entries) -> None:
    leaf: Leaf = CronInput("tick", "@every 1m", overwrite=overwrite)
    repo = Branch(0)
    repo.commit(1, 0)
    base = repo.head
    repo.commit(1, 0)
    repo.commit(1, 0)
    assert leaf_entries(leaf, repo.head, base) == expected


def test_topological_order_and_downstream() -> None:
    pipelines = [
        a_pipeline("montage", "edges", "images"),
        a_pipeline("edges", "images"),
        a_pipeline("other", "numbers"),
        a_pipeline("report", "montage"),
    ]
    ordered = in_topological_order(pipelines)
    assert [pipeline.name for pipeline in ordered] == ["edges", "other", "montage", "report"]
    assert [p.name for p in downstream(("default", "images", "master"), ordered)] == [
        "edges",
        "montage",
        "report",
    ]
    assert [p.name for p in downstream(("default", "numbers", "master"), ordered)] == ["other"]


def test_a_cron_input_has_its_own_repository() -> None:
    pipeline = Pipeline("nightly", input=CronInput("tick", "@daily"))
    assert input_keys(pipeline) == [("default", "nightly_tick", "master")]
