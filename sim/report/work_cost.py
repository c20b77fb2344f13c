"""Work cost: what the window's work costs, wherever it is done, beside what the window's bill was.

A bill of ``[warmup, horizon)`` pays for the end of what was begun before it, and not for the end of what it
leaves behind. The cost of the window's work is

    the bill of the window
    - what it paid for jobs and plain pods created before the window
    + what jobs and plain pods created in the window cost before the window and after it, until they are done.

A job costs its tasks, and the start of each worker whose first task was its own, which may lie before the
window. A plain pod costs all that is paid for it; one that replaces a lost pod is work of the instant at
which the first of them was created. On nodes that come and go with the work (`sim.report.bill.Pieces`) each
bears its part of what nobody asked for: parts are raised by one factor, what such nodes cost in the whole run
over what pods asked of them. Groups of one size, idle workers, base load, control plane and NAT gateways are
paid by the hour whatever runs, and stay with the window. So where no counted work crosses an end of the
window, it is the bill. What is not done when the drain ends has cost what was paid until then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.report.arrays import Int
from sim.report.bill import make_bill
from sim.report.intervals import SourceKind, source_kinds

if TYPE_CHECKING:
    from sim.model.log import EventLog
    from sim.model.scenario import Scenario
    from sim.report.arrays import Float
    from sim.report.bill import Bill, Pieces
    from sim.report.intervals import Lives, Pods


def work_usd(log: EventLog, scenario: Scenario, lives: Lives, window: Bill) -> float:
    """Return what the work of the bill's window costs, in USD."""
    if log.warmup_us == 0 and log.end_us == log.horizon_us:
        return window.total_usd
    whole = make_bill(log, scenario, lives).pieces
    raised = whole.nodes_usd / whole.asked_usd if whole.asked_usd else 1.0
    count = len(lives.jobs), len(lives.pods)
    inside, ever = (
        _usd(each, jobs, raised, count)
        for each, jobs in ((window.pieces, len(window.by_job)), (whole, count[0]))
    )
    created_us = np.concatenate((lives.jobs.created_us, _begun_us(log, scenario, lives.pods)))
    before = created_us < log.warmup_us
    counted = ~before & (created_us < log.horizon_us)
    return window.total_usd - float(inside[before].sum()) + float((ever - inside)[counted].sum())


def differs(work_usd: float, bill_usd: float, indifference: float) -> bool:
    """Say whether the cost of a window's work and its bill differ by more than nobody cares about."""
    return abs(work_usd - bill_usd) > indifference * abs(bill_usd)


def _usd(pieces: Pieces, jobs: int, raised: float, count: tuple[int, int]) -> Float:
    """Return what each of ``count`` jobs and pods costs; nothing where the bill ends before it."""
    usd = np.zeros(sum(count))
    paid = pieces.on_nodes * raised + pieces.elsewhere
    usd[:jobs] = paid[:jobs]
    usd[count[0] :][: len(paid) - jobs] = paid[jobs:]
    return usd


def _begun_us(log: EventLog, scenario: Scenario, pods: Pods) -> Int:
    """Return when the first pod was created for which each stands; beyond the log for all but plain pods."""
    plain = source_kinds(log, [load.name for load in scenario.pods])[pods.source] == SourceKind.PLAIN
    begun_us = np.where(plain, pods.created_us, log.end_us + 1)
    for pod in np.flatnonzero(plain & (pods.replaces >= 0)).tolist():  # those replaced come before
        begun_us[pod] = begun_us[pods.replaces[pod]]
    return begun_us
