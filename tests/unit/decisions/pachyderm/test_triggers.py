"""Triggers: the conditions of upstream's isTriggered, one by one and together (pachyderm.md §3.7)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sim.decisions.pachyderm.triggers import Since, is_triggered
from sim.model.pipelines import Trigger

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        pytest.param({}, False, id="no condition"),
        pytest.param({"all": True}, True, id="all of none"),
        pytest.param({"commits": 3}, True, id="three commits"),
        pytest.param({"commits": 4}, False, id="not four"),
        pytest.param({"size_bytes": 1_000}, True, id="as large"),
        pytest.param({"size_bytes": 1_001}, False, id="not as large"),
        pytest.param({"rate_limit": "0 12 * * *"}, False, id="next noon is a day away"),
        pytest.param({"rate_limit": "30 12 * * *"}, True, id="half past is over"),
        pytest.param({"rate_limit": "0 13 * * *"}, False, id="the tick itself is not before"),
        pytest.param({"commits": 4, "size_bytes": 1_000}, True, id="one of two"),
        pytest.param({"commits": 4, "size_bytes": 1_000, "all": True}, False, id="not both"),
        pytest.param({"commits": 3, "size_bytes": 1_000, "all": True}, True, id="both"),
    ],
)
def test_one_condition_is_enough_unless_all_are_asked_for(conditions: dict[str, Any], expected: bool) -> None:
    since = Since(3, 1_000.0, NOON, NOON + timedelta(hours=1))
    assert is_triggered(Trigger("staging", **conditions), since) is expected
