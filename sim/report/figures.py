"""Figures: what a report shows, as matplotlib Figures; pyplot and its global state are never used.

Colours are those of Okabe and Ito, which colour-blind readers tell apart, darkened or lightened within
a family of like things; neighbours in a stack also differ in lightness. matplotlib is imported here and
nowhere else: import this module only to draw.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sim.errors import InputError
from sim.model.units import SECOND, SECONDS_PER_DAY
from sim.report.arrays import Flag, Float, Int
from sim.report.bill import Use
from sim.report.intervals import Lives, SourceKind, lives, source_kinds
from sim.report.starts import Wait
from sim.texts import pictured

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sim.model.log import EventLog
    from sim.model.scenario import Scenario

MOST_STEPS = 2_000  # a line with more is drawn as its mean over as many spans
MOST_BARS = 12
LEAST_SHARE = 0.06  # of the longest bar: narrower pieces carry no label
ROUNDING = 1e-6  # seconds, and pods on average: below that a difference is that of floats
DARK = 140  # luminance, of 255: black reads better on what is lighter
DAY_S = int(SECONDS_PER_DAY)
SHORTEST_RISE_S, LONGEST_RISE_S = 600.0, 7_200.0
UNITS = ((2 * DAY_S, DAY_S, "days"), (2 * 3600, 3600, "hours"), (120, 60, "minutes"), (0, 1, "seconds"))

PODS = {"running": "#009E73", "starting": "#56B4E9", "pending": "#E69F00"}
NODES = {
    "EC2, Ready": "#0072B2",
    "EC2, not Ready yet": "#DDCC99",
    "Fargate, Ready": "#CC79A7",
    "Fargate, not Ready yet": "#EBC9DA",
}
USES = {
    Use.USEFUL_WORK: "#009E73",
    Use.START_UP: "#56B4E9",
    Use.IDLE: "#E69F00",
    Use.SCALE_DOWN_TAIL: "#F0E442",
    Use.ROUNDING: "#CCCCCC",
    Use.SYSTEM: "#888888",
    Use.LOST_WORK: "#D55E00",
}
WAITS = {
    Wait.INPUTS: "#DDDDDD",
    Wait.ADMISSION: "#999999",
    Wait.BASE_JOB: "#666666",
    Wait.CONTROLLER_STEP: "#EBC9DA",
    Wait.MASTER_LOCK: "#CC79A7",
    Wait.SCHEDULING: "#F0E442",
    Wait.AUTOSCALER_SCAN: "#F5C45E",
    Wait.QUEUE_FOR_ROOM: "#E69F00",
    Wait.NODE_PROVISIONING: "#A66F00",
    Wait.FARGATE_QUOTA: "#BFE0F5",
    Wait.FARGATE_START: "#56B4E9",
    Wait.IMAGE_PULL: "#0072B2",
    Wait.CONTAINER_START: "#004C78",
    Wait.PREPROCESSING: "#B8E5D6",
    Wait.QUEUE_FOR_WORKERS: "#66C4A6",
    Wait.PROCESSING: "#009E73",
    Wait.SERIAL_PHASE: "#00664A",
    Wait.TASK_OVERHEAD: "#C9C3E6",
    Wait.COMPACTION: "#7F74B8",
    Wait.LOST_WORK: "#D55E00",
    Wait.RETRY: "#F2A57C",
}
"""In the order of the stack: for inputs and place, master, nodes, Fargate and start, work, end, losses."""


LABELS = {"START_UP": "start-up", "SCALE_DOWN_TAIL": "scale-down tail", "SYSTEM": "system overhead"}
"""Names that are not the enum's with blanks."""


def timeline(log: EventLog, scenario: Scenario, from_s: float = 0.0, to_s: float | None = None) -> Figure:
    """Draw pods pending, starting and running over time, and the nodes under them.

    Base load is left out of the pods. Of a long span, means over short ones are drawn.
    """
    log = log.to_horizon()
    lived = lives(log)
    ours = (source_kinds(log, [load.name for load in scenario.pods]) != SourceKind.SYSTEM)[lived.pods.source]
    end_s = log.horizon_us / SECOND if to_s is None else to_s
    if end_s <= from_s:
        raise InputError(field="from_s", value=from_s, allowed=f"before {end_s:g}, where the picture ends")
    pod_spans, node_spans = _pod_spans(lived, ours), _node_spans(lived)
    edges_s = _edges([*pod_spans.values(), *node_spans.values()], from_s, end_s)
    unit_s, unit = _unit(end_s - from_s)
    figure = Figure(figsize=(10, 6), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    _stack(upper, edges_s, unit_s, pod_spans, PODS)
    _stack(lower, edges_s, unit_s, node_spans, NODES)
    upper.set_ylabel("pods")
    lower.set_ylabel("nodes")
    lower.set_xlabel(f"{unit} since {scenario.start:%a %d %b %Y, %H:%M %Z}")
    lower.set_xlim(from_s / unit_s, end_s / unit_s)
    _title(figure, f"{scenario.name}: pods and the nodes under them")
    return figure


def first_rise_s(log: EventLog, scenario: Scenario) -> tuple[float, float]:
    """Return the span in which pods first came and went: from the first of them until none was left.

    A little before and after it, at least ten minutes and at most two hours in all.
    """
    log = log.to_horizon()
    lived = lives(log)
    ours = (source_kinds(log, [load.name for load in scenario.pods]) != SourceKind.SYSTEM)[lived.pods.source]
    created, ended = np.sort(lived.pods.created_us[ours]), np.sort(lived.pods.ended_us[ours])
    if not len(created):
        return 0.0, SHORTEST_RISE_S
    gone = np.flatnonzero(created[1:] > ended[:-1])
    begin_s = float(created[0]) / SECOND
    length_s = float(ended[gone[0] if len(gone) else -1]) / SECOND - begin_s
    length_s = min(max(1.1 * length_s, SHORTEST_RISE_S), LONGEST_RISE_S)
    return max(0.0, begin_s - 0.05 * length_s), begin_s + length_s


def wait_split(document: Mapping[str, Any]) -> Figure:
    """Draw where the mean job of each pipeline spent its time; ``document`` is a summary."""
    rows = {
        name: [numbers["waits_s"][wait.name.lower()]["mean"] or 0.0 for wait in WAITS]
        for name, numbers in document["pipelines"].items()
    }
    longest = max((sum(waits) for waits in rows.values()), default=0.0)
    unit_s, unit = _unit(longest)
    figure = _bars(rows, {_label(wait): colour for wait, colour in WAITS.items()}, unit_s)
    figure.axes[0].set_xlabel(f"{unit} from commit to output, mean over completed jobs")
    _title(figure, f"{document['scenario']}: where the time of a job goes")
    return figure


def bill_split(document: Mapping[str, Any]) -> Figure:
    """Draw what each source of pods, and what they share, costs a day, by use."""
    days = (document["horizon_s"] - document["warmup_s"]) / DAY_S
    rows = {
        name: [uses[use.name.lower()]["mean"] / days for use in USES]
        for name, uses in document["sources_usd"].items()
    }
    figure = _bars(rows, {_label(use): colour for use, colour in USES.items()}, 1.0)
    figure.axes[0].set_xlabel("USD a day")
    total = document["metrics"]["cost_usd_per_day"]["mean"]
    _title(figure, f"{document['scenario']}: where {total:,.2f} USD a day go")
    return figure


Spans = Mapping[str, tuple[Int, Int]]


def _pod_spans(lived: Lives, ours: Flag) -> Spans:
    """Return when each pod was pending, starting and running."""
    pods = lived.pods
    instants = (pods.created_us, pods.ready_us, pods.running_us, pods.ended_us)
    created, placed, running, ended = (instant[ours] for instant in instants)
    return {"running": (running, ended), "starting": (placed, running), "pending": (created, placed)}


def _node_spans(lived: Lives) -> Spans:
    """Return when each EC2 node and each Fargate pod's own node was coming up and there."""
    nodes, pods = lived.nodes, lived.pods
    paid, on_fargate = nodes.launched, pods.fargate
    names = list(NODES)
    return {
        names[0]: (nodes.ready_us[nodes.came_up], nodes.gone_us[nodes.came_up]),
        names[1]: (nodes.requested_us[paid], nodes.ready_us[paid]),
        names[2]: (pods.ready_us[on_fargate], pods.ended_us[on_fargate]),
        names[3]: (pods.granted_us[on_fargate], pods.ready_us[on_fargate]),
    }


def _edges(spans: Sequence[tuple[Int, Int]], from_s: float, to_s: float) -> Float:
    """Return the instants between which counts are drawn: all changes, or if too many even steps."""
    changes = np.unique(np.concatenate([instants for span in spans for instants in span])) / SECOND
    inside = changes[(changes > from_s) & (changes < to_s)]
    if len(inside) > MOST_STEPS:
        return np.linspace(from_s, to_s, MOST_STEPS)
    return np.concatenate(([from_s], inside, [to_s]))


def _stack(axes: Axes, edges_s: Float, unit_s: float, spans: Spans, colours: Mapping[str, str]) -> None:
    """Stack how many spans hold at once, in steps; spans that never hold get no legend."""
    floor = np.zeros(len(edges_s))
    for name, (from_us, to_us) in spans.items():
        count = _at_once(from_us / SECOND, to_us / SECOND, edges_s)
        if not count.any():
            continue
        top = floor + np.append(count, count[-1])
        axes.fill_between(
            edges_s / unit_s, floor, top, step="post", color=colours[name], linewidth=0, label=name
        )
        floor = top
    _style(axes, "y")
    axes.set_ylim(0, max(floor.max() * 1.05, 1))
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    if axes.collections:
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=4, frameon=False, borderaxespad=0.2)


def _at_once(from_s: Float, to_s: Float, edges_s: Float) -> Float:
    """Return the mean number of spans that hold between each two edges; exact where none changes."""

    def held_s(since_s: Float) -> Float:
        """Return for each edge the time that has passed since the instants before it, summed."""
        ordered = np.sort(since_s)
        before = np.searchsorted(ordered, edges_s, side="right")
        return before * edges_s - np.concatenate(([0.0], np.cumsum(ordered)))[before]

    mean: Float = np.diff(held_s(from_s) - held_s(to_s)) / np.maximum(np.diff(edges_s), ROUNDING)
    return np.where(mean > ROUNDING, mean, 0.0)


def _bars(rows: Mapping[str, Sequence[float]], colours: Mapping[str, str], unit: float) -> Figure:
    """Draw one stacked bar per row, the longest first, and a legend of what occurs."""
    ordered = sorted(rows.items(), key=lambda row: -sum(row[1]))[:MOST_BARS]
    amounts = np.array([pieces for _, pieces in ordered], dtype=float).reshape(-1, len(colours)) / unit
    longest = max(amounts.sum(axis=1).max(initial=0.0), ROUNDING)
    figure = Figure(figsize=(10, 1.9 + 0.45 * len(ordered)), layout="constrained")
    axes = figure.subplots()
    left = np.zeros(len(ordered))
    for (name, colour), pieces in zip(colours.items(), amounts.T, strict=True):
        if not (pieces > longest / 1000).any():
            continue
        drawn = axes.barh(range(len(ordered)), pieces, left=left, color=colour, label=name, height=0.7)
        shown = [f"{piece:.3g}" if piece > LEAST_SHARE * longest else "" for piece in pieces]
        axes.bar_label(drawn, shown, label_type="center", fontsize=8, color=_ink(colour))
        left += pieces
    for row, total in enumerate(amounts.sum(axis=1)):
        axes.annotate(f" {total:.3g}", (total, row), va="center", fontsize=9)
    axes.set_yticks(range(len(ordered)), [pictured(name) for name, _ in ordered])
    axes.invert_yaxis()
    if len(rows) > MOST_BARS:
        axes.set_title(f"the {MOST_BARS} longest of {len(rows)}", loc="right", fontsize=9)
    axes.set_xlim(0, longest * 1.1)
    _style(axes, "x")
    if left.any():
        figure.legend(loc="outside lower left", ncols=5, frameon=False, fontsize=9)
    return figure


def _ink(colour: str) -> str:
    """Return black or white, whichever reads better on a colour."""
    red, green, blue = (int(colour[n : n + 2], 16) for n in (1, 3, 5))
    return "black" if 0.299 * red + 0.587 * green + 0.114 * blue > DARK else "white"


def _style(axes: Axes, along: Literal["x", "y"]) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis=along, alpha=0.25)
    axes.set_axisbelow(True)


def _title(figure: Figure, text: str) -> None:
    figure.suptitle(pictured(text, 120), x=0.01, ha="left", fontweight="bold")


def _unit(span_s: float) -> tuple[float, str]:
    """Return the seconds and the name of the unit in which a span reads well."""
    return next((unit_s, name) for least_s, unit_s, name in UNITS if span_s >= least_s)


def _label(name: Use | Wait) -> str:
    return LABELS.get(name.name, name.name.lower().replace("_", " "))
