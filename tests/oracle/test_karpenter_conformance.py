"""Recorded decisions of the real Karpenter v1.14.1 are made again exactly."""

from __future__ import annotations

import pytest

from tests.oracle.karpenter import KINDS, compare, kind_of, name_of
from tests.oracle.karpenter_world import catalogues_in
from tests.recordings import RECORDINGS, cases_of

BANK = RECORDINGS / "karpenter"
CATALOGUES = catalogues_in(BANK)
CASES = [case for case in cases_of(BANK) if kind_of(case) in KINDS]


@pytest.mark.parametrize("name", sorted({name_of(case) for case in CASES}))
def test_conformance_of_every_decision(name: str) -> None:
    cases = [case for case in CASES if name_of(case) == name]
    differences = {case["id"]: compare(case, CATALOGUES) for case in cases}
    assert {case for case, found in differences.items() if found} == set()


def test_conformance_notices_what_differs() -> None:
    launch = next(case for case in CASES if kind_of(case) == "launch")
    dearer = {**launch, "expected": {**launch["expected"], "types": launch["expected"]["types"][1:]}}
    assert compare(dearer, CATALOGUES)[0].startswith("types: ")
    unplaced = next(case for case in CASES if case["id"] == "prov-existing-001")
    assert compare({**unplaced, "expected": {**unplaced["expected"], "existing_nodes": []}}, CATALOGUES)


def test_what_cannot_be_expressed_is_a_difference_not_an_error() -> None:
    trace = next(case for case in cases_of(BANK) if kind_of(case) == "trace")
    assert compare(trace, CATALOGUES)[0].startswith("cannot be expressed")
