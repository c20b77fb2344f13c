"""The picture of a study: every configuration by cost and latency, the front, the winner and the limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from sim.report.arrays import Flag, Float

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HOLDS, BREAKS, WINNER, LIMIT = "#0072B2", "#BBBBBB", "#D55E00", "#444444"
WORDS = {"usd": "USD", "s": "s", "1000": "1,000"}
WIDE = 20.0  # an axis whose largest value is so many times its smallest is logarithmic


def pareto(
    axes: tuple[str, str],
    x: Float,
    y: Float,
    holds: Flag,
    *,
    best: int | None,
    front: Sequence[int],
    limits: Mapping[str, float],
) -> Figure:
    """Draw configurations by two metrics; ``front`` and ``best`` are rows."""
    figure = Figure(figsize=(8, 5), layout="constrained")
    plot = figure.add_subplot()
    shown = np.isfinite(x) & np.isfinite(y)
    plot.scatter(x[shown & ~holds], y[shown & ~holds], s=18, color=BREAKS, label="breaks a constraint")
    plot.scatter(x[shown & holds], y[shown & holds], s=18, color=HOLDS, label="holds the constraints")
    plot.plot(x[list(front)], y[list(front)], color=HOLDS, lw=1, drawstyle="steps-post", label="Pareto front")
    if best is not None:
        plot.scatter(x[best], y[best], s=120, marker="*", color=WINNER, zorder=3, label="winner")
    for name, draw, values in ((axes[0], plot.axvline, x), (axes[1], plot.axhline, y)):
        if name in limits:
            draw(limits[name], color=LIMIT, lw=1, ls="--")
        _stretch(plot, "x" if values is x else "y", values[shown])
    plot.set_xlabel(in_words(axes[0]))
    plot.set_ylabel(in_words(axes[1]))
    if shown.any():
        plot.legend(frameon=False)
    return figure


def in_words(metric: str) -> str:
    """Return a metric as an axis calls it: ``cost_usd_per_day`` is ``cost USD per day``."""
    return " ".join(WORDS.get(word, word) for word in metric.split("_"))


def _stretch(plot: Axes, axis: str, values: Float) -> None:
    if len(values) and values.min() > 0 and values.max() > WIDE * values.min():
        plot.set(**{f"{axis}scale": "log"})
