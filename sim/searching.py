"""search, for everybody: a study or its file, and where to run it."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path

from sim.errors import InputError
from sim.loader.study import load_study
from sim.model.study import Study
from sim.study.evaluate import evaluator
from sim.study.search import Answer
from sim.study.search import search as searched


def search(
    study: Study | str | Path,
    *,
    budget: int | None = None,
    workers: int | None = None,
    executor: Executor | None = None,
    dask: str | None = None,
    store: str | Path | None = None,
    resume: bool = False,
    progress: bool | None = None,
) -> Answer:
    """Return the answer of a study: the best configuration, and how sure that is.

    Parameters
    ----------
    study
        A study, or the file of one.
    budget
        Replications at most; None: as the study says.
    workers, executor, dask
        How many processes to use, or which executor or Dask scheduler instead; the answer is the same.
    store, resume
        File that keeps what is done, and whether to go on with one that holds something.
    progress
        Whether to show progress on stderr; None: only on a terminal.
    """
    if not isinstance(study, Study):
        study = load_study(study)
    if budget is not None:
        if budget < 1:
            raise InputError(field="budget", value=budget, allowed="1 or more")
        study = replace(study, budget=budget)

    with evaluator(
        study.name,
        study.question,
        workers=workers,
        executor=executor,
        dask=dask,
        store=store,
        resume=resume,
        progress=progress,
        total=study.budget,
    ) as evaluate:
        return searched(study, evaluate)
