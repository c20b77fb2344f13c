"""search, for everybody: a study or its file, and where to run it."""

from __future__ import annotations

import json
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path

from sim.errors import InputError
from sim.loader import load
from sim.loader.study import load_study
from sim.model.scenario import Scenario
from sim.model.study import Study
from sim.report.checksums import check_sums
from sim.study.evaluate import evaluator
from sim.study.search import Answer
from sim.study.search import search as searched
from sim.study.search.answer import FILE


def search(
    study: Study | str | Path,
    *,
    budget: int | None = None,
    precision: float | None = None,
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
    precision
        Largest relative error of the winner's figures, as a share, as far as the budget goes; None: as
        the study says.
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

    if precision is not None:
        if not 0 < precision < 1:
            allowed = "above 0 and below 1, such as 0.02 or 2%"
            raise InputError(field="precision", value=precision, allowed=allowed)
        study = replace(study, precision=precision)
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


def load_winner(folder: str | Path, alternative: int = 0) -> Scenario:
    """Return the scenario of the winner, or of a numbered alternative, of an answer that was saved.

    Raises InputError for a folder without an answer, or an answer without that alternative.
    """
    file = Path(folder) / FILE
    if file.is_file():
        check_sums(Path(folder), "an answer", "what search --out wrote; search again, with its store if kept")
    try:
        saved = json.loads(file.read_bytes())
        base, sets = saved["base"], saved["sets"]
        entries = [each for each in (saved["winner"], *saved["alternatives"]) if each is not None]
        chosen = {each["number"]: each["sets"] for each in entries}
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", file=str(file)) from None
    except (ValueError, KeyError, TypeError):
        raise InputError("is no answer of a study", file=str(file)) from None
    if alternative not in chosen:
        allowed = f"0 to {max(chosen)}" if chosen else "none: no configuration holds the constraints"
        raise InputError(field="alternative", value=alternative, allowed=allowed, file=str(file))
    return load(Path(folder) / base, (*sets, *chosen[alternative]))
