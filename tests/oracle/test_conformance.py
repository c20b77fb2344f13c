"""Every recorded run of the real Cluster Autoscaler 1.31.5 is replayed exactly (docs/conformance.md)."""

from __future__ import annotations

import pytest

from tests.oracle.cases import Case, options_of, simulate
from tests.oracle.replay import compare
from tests.oracle.traces import Trace
from tests.oracle.variability import comparisons
from tests.recordings import RECORDINGS, cases_of

CASES = {case["id"]: case for case in cases_of(RECORDINGS / "cluster-autoscaler")}
CATEGORIES = sorted({case["category"] for case in CASES.values()})


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_trace_and_summary_is_exact(category: str) -> None:
    cases = [case for case in CASES.values() if case["category"] == category]
    assert len(cases) > 1
    differences = {case["id"]: compare(case) for case in cases}
    assert {case: found for case, found in differences.items() if found} == {}


def test_a_replay_notices_what_differs() -> None:
    case = dict(CASES["su-burst-1"])
    case["trace"] = [{**case["trace"][0], "t": 11}, *case["trace"][1:]]
    assert "event 0" in compare(case)[0]


def test_an_unknown_option_is_a_difference_not_an_error() -> None:
    case: Case = {**CASES["su-burst-1"], "options": {"no-such-flag": "1"}}
    assert compare(case) == ["option no-such-flag is not known to the replay"]


@pytest.mark.slow
def test_random_orders_give_what_the_unmodified_autoscaler_gave() -> None:
    """The means of five seeds lie in the ranges of ten recorded runs; nine in ten, with so few seeds."""
    chosen = [case for case in CASES.values() if case["category"] in ("expander", "scale-up", "scale-down")]
    found = [item for case in chosen for item in comparisons(case, seeds=5)]
    inside = sum(item.mean_inside for item in found)
    assert len(found) > 20
    assert inside >= 0.9 * len(found)


@pytest.mark.parametrize(
    "bank", ["formats", "karpenter", "kube-scheduler/v1.31.13", "kube-scheduler/v1.33.5"]
)
def test_every_recording_can_be_read(bank: str) -> None:
    """Each case has a name of its own, and the page beside it says what it holds."""
    names = [case["id"] for case in cases_of(RECORDINGS / bank)]
    assert len(names) > 100
    assert len(set(names)) == len(names)
    assert (RECORDINGS / bank.split("/", maxsplit=1)[0] / "README.md").is_file()


def test_the_same_seed_gives_the_same_log() -> None:
    case = CASES["pat-trickle-1"]
    options = options_of(case)
    one, other = simulate(case, options), simulate(case, options)
    assert Trace(one, case).events() == Trace(other, case).events()
