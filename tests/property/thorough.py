"""An autoscaler that leaves nothing out: what it decides must be what the real one does with less work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from sim.decisions.planner import Planner


@contextmanager
def thorough_looks() -> Iterator[None]:
    """Have each look judge all nodes used little, in order, and take stock anew."""
    with (
        patch.object(Planner, "update_in_any_order", lambda *_: False),
        patch("sim.engine.stock.earliest_after", lambda *_: 0),
    ):
        yield
