"""Names of metrics, and what kind of number each is."""

from __future__ import annotations

import math

import pytest

from sim.model.metrics import METRICS, Quantity, bounds, quantity


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("pods_stuck", Quantity.COUNT),
        ("pods.large.rows_dropped", Quantity.COUNT),
        ("pipelines.edges.jobs_failed", Quantity.COUNT),
        ("mean_workers", Quantity.LEVEL),
        ("peak_nodes", Quantity.COUNT),
        ("pipelines.a.b.job_share_within_900_s", Quantity.SHARE),
        ("slo.0.share_within", Quantity.SHARE),
        ("slo.0.latency_s", Quantity.TIME),
        ("job_latency_p99.5_s", Quantity.TIME),
        ("cost_usd_per_day", Quantity.MONEY),
        ("backlog_growth", Quantity.CHANGE),
        ("bill_usd.total", None),
    ],
)
def test_what_kind_of_number_a_name_stands_for(path: str, kind: Quantity | None) -> None:
    assert quantity(path) is kind


def test_only_shares_end_at_1_and_only_changes_are_below_0() -> None:
    for metric in METRICS:
        name = metric.name.format(95)
        expected = {Quantity.SHARE: (0.0, 1.0), Quantity.CHANGE: (-math.inf, math.inf)}
        path = name if quantity(name) else f"pods.plain.{name}" if quantity(f"pods.plain.{name}") else name
        assert bounds(path) == expected.get(metric.quantity, (0.0, math.inf)), path
