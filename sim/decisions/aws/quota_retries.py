"""When Fargate tries a pod again that its vCPU quota refused: after 1, 2, 4, 8 and then every 10 s.

AWS says that such pods are retried with back-off (aws/containers-roadmap #768), not how long it is: that it
is kube-scheduler's is an assumption (aws.md §3).
"""

from __future__ import annotations

from sim.model.units import SECOND

FIRST_US = 1 * SECOND
LONGEST_US = 10 * SECOND


def next_try_us(refused_us: int, now_us: int) -> int:
    """Return the first retry, now or later, of a pod that was first refused at ``refused_us``."""
    try_us, backoff_us = refused_us, FIRST_US
    while try_us < now_us and backoff_us < LONGEST_US:
        try_us += backoff_us
        backoff_us = min(2 * backoff_us, LONGEST_US)
    missing_us = max(now_us - try_us, 0)
    return try_us + -(-missing_us // LONGEST_US) * LONGEST_US
