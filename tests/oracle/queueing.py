"""Formulas of queueing theory that simulated queues are held against; rates per second.

Sources: L. Kleinrock, Queueing Systems I (1975): Erlang C §3.5, Pollaczek-Khinchine §5.6;
M/G/inf occupancy is Poisson, R. W. Wolff, Stochastic Modeling and the Theory of Queues (1989) §2-5.
"""

from __future__ import annotations

import math


def erlang_c(servers: int, offered: float) -> float:
    """Return the chance that an arrival waits in M/M/c; ``offered`` = arrival rate / service rate."""
    head = sum(offered**k / math.factorial(k) for k in range(servers))
    tail = offered**servers / math.factorial(servers) * servers / (servers - offered)
    return tail / (head + tail)


def mmc_mean_wait(servers: int, arrival: float, service: float) -> float:
    """Return the mean wait in queue of M/M/c."""
    return erlang_c(servers, arrival / service) / (servers * service - arrival)


def mmc_wait_beyond(servers: int, arrival: float, service: float, wait: float) -> float:
    """Return P(wait > ``wait``) in first-come-first-served M/M/c."""
    rate = servers * service - arrival
    return erlang_c(servers, arrival / service) * math.exp(-rate * wait)


def mg1_mean_wait(arrival: float, mean: float, squared_cv: float) -> float:
    """Return the mean wait in queue of M/G/1 (Pollaczek-Khinchine)."""
    load = arrival * mean
    return load * mean * (1 + squared_cv) / (2 * (1 - load))
