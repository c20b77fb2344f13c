"""Pipeline values: what they refuse, and the labels a worker really gets."""

import pytest

from sim.errors import InputError
from sim.model.pipelines import (
    Combine,
    CombinedInput,
    CronInput,
    DatumSetSpec,
    PfsInput,
    Pipeline,
    leaves,
    worker_labels,
)


def test_an_empty_datum_set_spec_would_divide_by_zero() -> None:
    with pytest.raises(InputError, match="divide by zero"):
        DatumSetSpec()


def test_a_negative_datum_set_size_is_refused() -> None:
    with pytest.raises(InputError, match="negative"):
        DatumSetSpec(number=-1)


def test_leaves_come_in_the_order_of_the_spec() -> None:
    images, models, tick = PfsInput("images", "/*"), PfsInput("models", "/"), CronInput("tick", "@daily")
    tree = CombinedInput(Combine.UNION, (CombinedInput(Combine.CROSS, (images, models)), tick))
    assert list(leaves(tree)) == [images, models, tick]
    assert list(leaves(None)) == []


def test_user_labels_reach_the_pod_but_never_replace_pachyderms_own() -> None:
    spec = Pipeline("edges", labels=(("node", "fargate"), ("app", "mine")))
    assert dict(worker_labels(spec, version=3)) == {
        "node": "fargate",
        "app": "pipeline",
        "suite": "pachyderm",
        "component": "worker",
        "pipelineName": "edges",
        "pipelineVersion": "3",
        "pipelineProject": "default",
    }
