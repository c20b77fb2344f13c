"""What pods ask of labels, against upstream's tables (apimachinery/pkg/labels/selector_test.go, v0.31)."""

from __future__ import annotations

import pytest

from sim.model.pods import Operator, PodClass, Requirement
from sim.model.resources import Resources


@pytest.mark.parametrize(
    ("requirement", "labels", "matches"),
    [
        (Requirement("x", Operator.IN, ("a", "b")), {"x": "b"}, True),
        (Requirement("x", Operator.IN, ("a", "b")), {}, False),
        (Requirement("x", Operator.NOT_IN, ("a",)), {"x": "a"}, False),
        (Requirement("x", Operator.NOT_IN, ("a",)), {}, True),
        (Requirement("x", Operator.EXISTS), {"x": ""}, True),
        (Requirement("x", Operator.EXISTS), {}, False),
        (Requirement("x", Operator.DOES_NOT_EXIST), {"x": "a"}, False),
        (Requirement("x", Operator.GREATER, ("2",)), {"x": "3"}, True),
        (Requirement("x", Operator.GREATER, ("2",)), {"x": "2"}, False),
        (Requirement("x", Operator.LESS, ("7",)), {"x": "6"}, True),
        (Requirement("x", Operator.LESS, ("7",)), {"x": "six"}, False),
        (Requirement("x", Operator.LESS, ("7",)), {}, False),
    ],
)
def test_requirements(requirement: Requirement, labels: dict[str, str], matches: bool) -> None:
    assert requirement.matches(labels) is matches


def test_terms_of_node_affinity_are_ored_their_requirements_anded() -> None:
    """core/v1 NodeSelector: a list of terms, any of which is enough."""
    nothing = Resources(0, 0)
    ssd, big = Requirement("disk", Operator.IN, ("ssd",)), Requirement("cpus", Operator.GREATER, ("8",))
    spec = PodClass("p", nothing, nothing, "p", node_affinity=((ssd, big), (Requirement("gpu"),)))
    assert spec.selects({"disk": "ssd", "cpus": "16"})
    assert spec.selects({"gpu": "1"})
    assert not spec.selects({"disk": "ssd", "cpus": "8"})
