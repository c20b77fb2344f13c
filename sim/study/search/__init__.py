"""search: the best configuration of a study, how sure that is, and what it depends on."""

from __future__ import annotations

from sim.model.study import Study
from sim.study.evaluate import Evaluator
from sim.study.search.answer import Answer
from sim.study.search.insight import explain
from sim.study.search.rounds import find

__all__ = ["Answer", "search"]


def search(study: Study, evaluate: Evaluator) -> Answer:
    """Return the answer of a study.

    Parameters
    ----------
    evaluate
        What simulates: here, on a pool, from a store. The answer does not depend on it.
    """
    found = find(study, evaluate)
    return Answer(found, explain(found, evaluate))
