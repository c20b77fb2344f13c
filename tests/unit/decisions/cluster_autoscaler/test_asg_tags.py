"""What tags of an Auto Scaling group tell: aws.md §9.4, the table of auto-discovery tags."""

from __future__ import annotations

import pytest

from sim.decisions.cluster_autoscaler.asg_tags import propagated_tags, told_labels, told_taints
from sim.model.pods import Effect, Taint

PREFIX = "k8s.io/cluster-autoscaler/node-template"
GPU = Taint("nvidia.com/gpu", "true", Effect.NO_SCHEDULE)


def test_labels_and_nothing_else() -> None:
    tags = {f"{PREFIX}/label/pool": "batch", f"{PREFIX}/resources/cpu": "4", "team": "data"}
    assert told_labels(tags) == {"pool": "batch"}


@pytest.mark.parametrize(
    ("value", "taints"),
    [
        pytest.param("true:NoSchedule", (GPU,), id="as the sheet has it"),
        pytest.param("true", (), id="as eksctl writes it"),
        pytest.param("true:Never", (), id="no effect that there is"),
        pytest.param(":NoExecute", (Taint("nvidia.com/gpu", "", Effect.NO_EXECUTE),), id="no value"),
    ],
)
def test_taints_need_their_effect(value: str, taints: tuple[Taint, ...]) -> None:
    assert told_taints({f"{PREFIX}/taint/nvidia.com/gpu": value}) == taints


def test_eksctl_propagates_labels_and_half_of_taints() -> None:
    tags = propagated_tags((("pool", "gpu"),), (GPU,))
    assert tags == {f"{PREFIX}/label/pool": "gpu", f"{PREFIX}/taint/nvidia.com/gpu": "true"}
    assert (told_labels(tags), told_taints(tags)) == ({"pool": "gpu"}, ())
