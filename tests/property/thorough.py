"""An autoscaler that leaves nothing out: what it decides must be what the real one does with less work."""

from __future__ import annotations

from contextlib import ExitStack
from unittest.mock import patch

from sim.decisions.cluster_autoscaler.planner import Planner
from sim.model.autoscaler import AutoscalerOptions, Orders


def thorough_looks(options: AutoscalerOptions) -> ExitStack:
    """Have each look take stock anew, and judge all nodes used little, in order.

    Only stock where orders are drawn: a look that judges all nodes draws more than one that need not.
    """
    patches = ExitStack()
    patches.enter_context(patch("sim.engine.cluster_autoscaler.stock.earliest_after", lambda *_: 0))
    if options.orders is Orders.PINNED:
        patches.enter_context(patch.object(Planner, "update_in_any_order", lambda *_: False))
    return patches
