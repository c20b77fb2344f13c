"""Requirements against karpenter.md §4.5 and against Kubernetes's operators, value by value."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.decisions.karpenter.requirements import added, incompatible, requirement
from sim.model.pods import ZONE, Operator, Requirement

VALUES = [str(number) for number in range(8)]
OPERATORS = ["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"]
ASKED = st.tuples(st.sampled_from(OPERATORS), st.lists(st.sampled_from(VALUES), min_size=1, max_size=4))


def values_for(operator: str, values: list[str]) -> tuple[str, ...]:
    if operator in {"Exists", "DoesNotExist"}:
        return ()
    return tuple(values[:1]) if operator in {"Gt", "Lt"} else tuple(values)


@given(ASKED, ASKED, st.sampled_from(VALUES))
def test_an_intersection_leaves_what_kubernetes_operators_both_match(
    first: tuple[str, list[str]], second: tuple[str, list[str]], value: str
) -> None:
    both = [(operator, values_for(operator, values)) for operator, values in (first, second)]
    left = requirement(*both[0]).intersection(requirement(*both[1]))
    expected = all(
        Requirement("k", Operator(operator), values).matches({"k": value}) for operator, values in both
    )
    assert left.has(value) == expected


@given(ASKED, ASKED)
def test_intersecting_is_having_an_intersection(
    first: tuple[str, list[str]], second: tuple[str, list[str]]
) -> None:
    one, other = (requirement(operator, values_for(operator, values)) for operator, values in (first, second))
    left = one.intersection(other)
    assert one.intersects(other) == (left.complement or bool(left.values)) == other.intersects(one)


def test_gt_is_gte_plus_one_and_min_values_is_the_larger() -> None:
    assert requirement("Gt", ["3"]) == requirement("Gte", ["4"])
    assert requirement("Lt", ["3"]) == requirement("Lte", ["2"])
    assert requirement("Exists", (), 3).intersection(requirement("In", ["a"], 5)).min_values == 5


@pytest.mark.parametrize(
    ("existing", "wanted", "at_fault"),
    [
        pytest.param({}, {ZONE: requirement("In", ["a"])}, None, id="well-known labels may be left open"),
        pytest.param({}, {"team": requirement("In", ["a"])}, "team", id="others may not"),
        pytest.param({}, {"team": requirement("NotIn", ["a"])}, None, id="unless they are denied"),
        pytest.param({}, {"team": requirement("DoesNotExist")}, None, id="or asked not to be there"),
        pytest.param({}, {"team": requirement("Exists")}, "team", id="but not if they must be there"),
        pytest.param(
            {"team": requirement("In", ["a"])},
            {"team": requirement("In", ["b"])},
            "team",
            id="common keys meet",
        ),
        pytest.param(
            {"team": requirement("DoesNotExist")},
            {"team": requirement("NotIn", ["b"])},
            None,
            id="both negative passes",
        ),
    ],
)
def test_compatible(existing: dict, wanted: dict, at_fault: str | None) -> None:  # type: ignore[type-arg]
    assert incompatible(existing, wanted) == at_fault


def test_adding_is_the_intersection_label_by_label() -> None:
    left = added({"a": requirement("In", ["1", "2"])}, {"a": requirement("Gt", ["1"])})
    assert left == {"a": requirement("In", ["2"])}
    with pytest.raises(ValueError, match="operator Like"):
        requirement("Like", ["a"])
