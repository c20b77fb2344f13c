"""Figures: what is drawn is what happened, and drawing leaves no global state behind."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from sim.errors import InputError
from sim.report.bill import Use
from sim.report.figures import (
    MOST_BARS,
    NODES,
    PODS,
    USES,
    WAITS,
    bill_split,
    first_rise_s,
    timeline,
    wait_split,
)
from sim.report.metrics import measure
from sim.report.starts import Wait
from sim.report.summary import summarise
from tests.unit.report.worlds import World, a_class, a_scenario

if TYPE_CHECKING:
    from matplotlib.collections import Collection
    from numpy.typing import NDArray

EDGES = "edges"


def a_world() -> World:
    """Return a world with one worker: pending 100-165 s, starting to 200, running to 700."""
    world = World(horizon_s=1000)
    world.node(ready=0)
    node = world.node(requested=110, launched=115, ready=160, terminated=800, gone=860)
    w = world.pod(a_class("w"), EDGES, 100, node, 165, 200, 700, unschedulable=100, pulled=190)
    job = world.job(EDGES, 90, inputs_ready=90, admitted=200, started=200, success=600)
    world.claim(world.task(job, 210), w, 210, 600)
    return world


def tops(figure: Figure, axes: int) -> dict[str, float]:
    """Return the highest point of each layer by its name."""
    drawn = figure.axes[axes].collections
    return {str(layer.get_label()): float(outline(layer)[:, 1].max()) for layer in drawn}


def outline(layer: Collection) -> NDArray[np.float64]:
    """Return the corners of a layer, shape ``(corners, 2)``."""
    return np.asarray(layer.get_paths()[0].vertices, dtype=np.float64)


def test_timeline_stacks_pods_over_nodes() -> None:
    log = a_world().log()
    figure = timeline(log, a_scenario(log))
    assert tops(figure, 0) == dict.fromkeys(PODS, 1.0)
    assert tops(figure, 1) == {"EC2, Ready": 2.0, "EC2, not Ready yet": 2.0}
    assert figure.axes[1].get_xlabel() == "minutes since Mon 05 Jan 2026, 00:00 UTC"
    running = outline(figure.axes[0].collections[0])
    assert running[:, 0][running[:, 1] > 0].min() == pytest.approx(200 / 60)
    assert running[:, 0][running[:, 1] > 0].max() == pytest.approx(700 / 60)


def test_a_timeline_that_ends_before_it_begins_is_refused() -> None:
    log = a_world().log()
    with pytest.raises(InputError, match="from_s is 60; allowed: before 30, where the picture ends"):
        timeline(log, a_scenario(log), 60, 30)


def test_the_first_rise_lasts_until_no_pod_is_left() -> None:
    world = World(horizon_s=100_000)
    for created_s, ended_s in ((1_000, 1_800), (1_200, 3_000), (9_000, 9_500)):
        world.pod(a_class("w"), "plain", created_s, None, None, running=created_s + 90, ended=ended_s)
    log = world.log()
    assert first_rise_s(log, a_scenario(log)) == pytest.approx((1_000 - 0.05 * 2_200, 1_000 + 1.1 * 2_000))


def test_a_long_timeline_draws_means() -> None:
    world = World(horizon_s=100_000)
    for at in range(0, 99_000, 20):
        world.pod(a_class("w"), "plain", at, None, None, running=at, ended=at + 10)
    log = world.log()
    figure = timeline(log, a_scenario(log))
    assert tops(figure, 0)["running"] == pytest.approx(0.5, abs=0.1)


def test_splits_draw_every_pipeline_and_sum_to_their_totals() -> None:
    log = a_world().log()
    scenario = a_scenario(log)
    document = summarise(scenario, 1, [measure(log, scenario)])
    assert drawn_width(wait_split(document)) == pytest.approx(510 / 60), "minutes from 90 s to 600 s"
    cost = document["metrics"]["cost_usd_per_day"]["mean"]
    assert drawn_width(bill_split(document)) == pytest.approx(cost)


def drawn_width(figure: Figure) -> float:
    """Return the widths of all pieces of all bars together."""
    return sum(bar.get_width() for bar in figure.axes[0].patches if isinstance(bar, Rectangle))


def test_only_the_longest_bars_of_many_are_drawn() -> None:
    world = World()
    for n in range(MOST_BARS + 3):
        world.job(f"p{n}", 0, success=10 + n)
    log = world.log()
    scenario = a_scenario(log)
    axes = wait_split(summarise(scenario, 1, [measure(log, scenario)])).axes[0]
    assert axes.get_yticklabels()[0].get_text() == f"p{MOST_BARS + 2}"
    assert len(axes.get_yticks()) == MOST_BARS


def test_nothing_to_draw_is_no_error() -> None:
    log = World().log()
    scenario = replace(a_scenario(log), pipelines=())
    document = summarise(scenario, 1, [measure(log, scenario)])
    for figure in (timeline(log, scenario), wait_split(document), bill_split(document)):
        assert isinstance(figure, Figure)


def test_every_wait_and_use_has_a_colour_of_its_own() -> None:
    assert set(WAITS) == set(Wait)
    assert set(USES) == set(Use)
    assert len(set(WAITS.values())) == len(Wait)
    assert len({*PODS.values(), *NODES.values()}) == len(PODS) + len(NODES)


@pytest.mark.parametrize("module", ["metrics", "summary", "frames"])
def test_what_a_json_run_imports_is_cheap(module: str) -> None:
    """``run --format json`` pays for no pandas, no matplotlib, no scipy."""
    heavy = "[m for m in ('pandas', 'matplotlib', 'scipy', 'pyarrow') if m in sys.modules]"
    code = f"import sys, sim.report.{module}; print({heavy})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_pyplot_is_never_imported() -> None:
    code = "import sys, sim.report.figures; print('matplotlib.pyplot' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
