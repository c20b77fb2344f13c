"""Recorded runs of the real kube-scheduler, 1.31.13 and 1.33.5, are replayed exactly."""

from __future__ import annotations

import pytest

from tests.conftest import SHARED, needs_shared, of_shared
from tests.oracle.scheduler import cases_in, compare, differing_run

BANK = SHARED / "oracle" / "kube-scheduler"
CASES = cases_in(BANK) if BANK.is_dir() else []
# How many nodes have an image is as old as the snapshot's copy of the scored node; the rest of its life
# that touches the copy is not modelled.
STALE_IMAGE_COUNTS = {"image-locality-008", "random-045", "random-058"}
KINDS = sorted({(version, case["category"]) for version, case in CASES})


@needs_shared
@pytest.mark.parametrize("kind", of_shared(KINDS), ids="-".join)
def test_every_attempt_and_every_run_is_exact(kind: tuple[str, str]) -> None:
    version, category = kind
    cases = [case for number, case in CASES if number == version and case["category"] == category]
    differences = {case["id"]: compare(case, version) for case in cases}
    found = {case for case, difference in differences.items() if difference}
    assert found <= STALE_IMAGE_COUNTS, {case: differences[case] for case in found - STALE_IMAGE_COUNTS}


@needs_shared
def test_a_replay_notices_what_differs() -> None:
    version, case = CASES[0]
    first, *rest = case["trace"]
    unscored = {key: value for key, value in first.items() if key != "scores"}
    no_node = {**case, "trace": [{**unscored, "feasible": []}, *rest]}
    assert any("feasible" in difference for difference in compare(no_node, version))
    later = {**case, "trace": [{**first, "t": first["t"] + 0.01}, *rest]}
    assert any(difference.startswith("run, placement") for difference in differing_run(later, version))


@needs_shared
def test_what_cannot_be_expressed_is_a_difference_not_an_error() -> None:
    version, case = CASES[0]
    pods = [{**pod, "node_affinity": {"required": [[{"key": "a", "op": "Like"}]]}} for pod in case["pods"]]
    assert compare({**case, "pods": pods}, version)[0].startswith("cannot be expressed")
