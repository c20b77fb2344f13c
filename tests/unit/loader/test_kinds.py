from typing import Any

import pytest

from sim.documents.fields import Field
from sim.documents.yaml_read import Document
from sim.errors import InputError
from sim.loader.shape.cluster import OVERHEAD, SCHEDULER
from sim.loader.shape.pods import TOLERATION
from sim.loader.shape.workload import PACHYDERM
from sim.loader.values.arrivals import COMMITS
from sim.loader.values.distributions import COUNT_VARYING, MEMORY_VARYING, SECONDS_VARYING
from sim.loader.values.flags import AUTOSCALER
from sim.loader.values.kinds import Kind, Printed
from sim.loader.values.scalars import (
    CPU,
    DURATION,
    MEMORY_MIB,
    SHARE,
    TEXT,
    VERSION,
)
from sim.loader.values.times import START, Quantiles
from sim.model.arrivals import (
    PROFILES,
    BatchArrivals,
    BurstArrivals,
    CronArrivals,
    PoissonArrivals,
    TimesArrivals,
)
from sim.model.cluster import SchedulerKind, SchedulerOptions
from sim.model.distributions import (
    Constant,
    Empirical,
    Exponential,
    Gamma,
    Lognormal,
    NegativeBinomial,
    Poisson,
    Uniform,
    Weibull,
)
from sim.model.pods import Effect, Toleration

MINUTE = 60_000_000
HOUR_S = 3600.0


def field(value: Any) -> Field:
    return Field(Document(value, "s.yaml", {}), (), value)


CASES: list[tuple[Kind, Any, Any]] = [
    (DURATION, "1h30m", 90 * MINUTE),
    (CPU, "500m", 500),
    (CPU, 0.1, 100),
    (MEMORY_MIB, "64M", 62),
    (SHARE, "5%", 0.05),
    (VERSION, "2.11", "2.11"),
    (VERSION, 2.11, "2.11"),
    (OVERHEAD, "measured", 0.051),
    (OVERHEAD, 0.075, 0.075),
    (SCHEDULER, "first-fit", SchedulerOptions(SchedulerKind.FIRST_FIT)),
    (SCHEDULER, {"kind": "first-fit", "initial_backoff": 0}, SchedulerOptions(SchedulerKind.FIRST_FIT, 0)),
    (TOLERATION, {"key": "a", "value": "b"}, Toleration("a", "b")),
    (
        TOLERATION,
        {"operator": "Exists", "effect": "NoExecute"},
        Toleration(effect=Effect.NO_EXECUTE, exists=True),
    ),
    (Quantiles(), {"p95": "15m", "p50": "5m"}, ((0.5, 300.0), (0.95, 900.0))),
    (SECONDS_VARYING, "18s", Constant(18.0)),
    (SECONDS_VARYING, {"constant": "18s"}, Constant(18.0)),
    (SECONDS_VARYING, {"uniform": {"low": "3s", "high": "15s"}}, Uniform(3.0, 15.0)),
    (SECONDS_VARYING, {"exponential": {"mean": "1m"}}, Exponential(60.0)),
    (SECONDS_VARYING, {"lognormal": {"median": "18s", "p95": "60s"}}, Lognormal(18.0, 60.0)),
    (SECONDS_VARYING, {"lognormal": {"median": "50s", "sigma": 0.25}}, Lognormal(50.0, sigma=0.25)),
    (SECONDS_VARYING, {"gamma": {"mean": "10s", "cv": 0.5}}, Gamma(10.0, 0.5)),
    (SECONDS_VARYING, {"weibull": {"shape": 1.5, "scale": "10s"}}, Weibull(1.5, 10.0)),
    (SECONDS_VARYING, {"empirical": ["1s", "2s"]}, Empirical((1.0, 2.0))),
    (MEMORY_VARYING, "2.5Gi", Constant(2560.0)),
    (COUNT_VARYING, 3, Constant(3)),
    (COUNT_VARYING, {"poisson": {"mean": 4}}, Poisson(4.0)),
    (COUNT_VARYING, {"negative_binomial": {"mean": 40, "cv": 1.2}}, NegativeBinomial(40.0, 1.2)),
    (COMMITS, {"poisson": {"per_hour": 4}}, PoissonArrivals(4 / HOUR_S)),
    (COMMITS, {"poisson": {"rate": "90/h"}}, PoissonArrivals(0.025)),
    (
        COMMITS,
        {"poisson": {"per_day": 24, "profile": "office-hours"}},
        PoissonArrivals(1 / HOUR_S, PROFILES["office-hours"]),
    ),
    (COMMITS, {"poisson": {"per_hour": 3600, "weights": [1] * 24}}, PoissonArrivals(1.0, (1.0,) * 24)),
    (COMMITS, {"cron": "*/10 8-18 * * 1-5"}, CronArrivals("*/10 8-18 * * 1-5")),
    (COMMITS, {"cron": "@hourly"}, CronArrivals("@hourly")),
    (COMMITS, {"every": "10m"}, CronArrivals("@every 10m")),
    (COMMITS, {"every": "7d"}, CronArrivals("@every 168h")),
    (
        COMMITS,
        {"batches": {"at": {"every": "1h"}, "size": {"poisson": {"mean": 3}}}},
        BatchArrivals(CronArrivals("@every 1h"), Poisson(3.0)),
    ),
    (
        COMMITS,
        {"batches": {"at": {"times": ["2m"]}, "size": 5}},
        BatchArrivals(TimesArrivals((2 * MINUTE,)), Constant(5)),
    ),
    (
        COMMITS,
        {"bursts": {"quiet": "1/h", "burst": "60/h", "quiet_for": "4h", "burst_for": "10m"}},
        BurstArrivals(1 / HOUR_S, 60 / HOUR_S, 4 * HOUR_S, 600.0),
    ),
    (COMMITS, {"times": ["2m", "0s"]}, TimesArrivals((0, 2 * MINUTE))),
]


@pytest.mark.parametrize(("kind", "raw", "value"), CASES)
def test_read(kind: Kind, raw: Any, value: Any) -> None:
    assert kind.read(field(raw)) == value


PRINTED = [
    (kind, value)
    for kind, _, value in CASES
    if isinstance(kind, Printed) and not isinstance(value, Empirical)
]


@pytest.mark.parametrize(("kind", "value"), PRINTED)
def test_printed_values_read_back(kind: Printed, value: Any) -> None:
    assert kind.read(field(kind.write(value))) == value


@pytest.mark.parametrize(
    ("kind", "raw", "problem"),
    [
        (TEXT, "a\x1b[31mb", r"is 'a\x1b[31mb'; allowed: a text on one line"),
        (DURATION, "10", "allowed: a duration such as 90s"),
        (DURATION, "-3s", "is '-3s'"),
        (DURATION, "10 minutes", "is '10 minutes'"),
        (CPU, True, "allowed: a Kubernetes CPU quantity"),
        (CPU, "-1", "is '-1'"),
        (CPU, "1.5x", "allowed: a Kubernetes"),
        (SHARE, 1.5, "a share from 0 to 1"),
        (VERSION, 2.1, "a bare 2.10 reads as 2.1"),
        (OVERHEAD, "guessed", "or measured"),
        (SCHEDULER, {"initial_backoff": "20s"}, "initial_backoff is above max_backoff"),
        (SCHEDULER, "firstfit", "did you mean first-fit?"),
        (TOLERATION, {"operator": "Exist"}, "did you mean Exists?"),
        (TOLERATION, {"value": "b"}, "has no key; allowed: a key, or the operator Exists"),
        (Quantiles(), {"95": "15m"}, "has the quantile 95; allowed: p50, p95"),
        (Quantiles(), {"p0": "15m"}, "has the quantile p0"),
        (START, "2026-01-05T00:00", "a date, time and zone"),
        (START, "2026-01-05T00:00 Mars/Phobos", "a date, time and zone"),
        (SECONDS_VARYING, "18", "allowed: a duration"),
        (SECONDS_VARYING, ["18s"], "allowed: duration or one of {constant: …}"),
        (SECONDS_VARYING, {"lognorml": {}}, "did you mean lognormal?"),
        (SECONDS_VARYING, {"lognormal": {"median": "18s"}}, "says p95 and sigma, or neither"),
        (SECONDS_VARYING, {"lognormal": {"median": "18s", "p95": "10s"}}, "at least the median"),
        (SECONDS_VARYING, {"lognormal": {"median": "0s", "p95": "10s"}}, "median is 0.0; allowed: above 0"),
        (SECONDS_VARYING, {"uniform": {"low": "5s", "high": "1s"}}, "low is 5; allowed: at most high (1)"),
        (SECONDS_VARYING, {"uniform": {"low": "5s"}}, "uniform.high is missing"),
        (SECONDS_VARYING, {"gamma": {"mean": "1s", "cv": 0}}, "cv is 0; allowed: a number above 0"),
        (SECONDS_VARYING, {"empirical": []}, "a list of at least 1"),
        (SECONDS_VARYING, {"exponential": None}, "exponential is missing"),
        (SECONDS_VARYING, {}, "has not exactly one key"),
        (COUNT_VARYING, 1.5, "a whole number, 0 or more"),
        (COUNT_VARYING, {"negative_binomial": {"mean": 4, "cv": 0.1}}, "above 1/sqrt(mean)"),
        (COMMITS, "4/h", "allowed: one of {poisson: …}"),
        (COMMITS, {"poisson": {}}, "says 0 rates; allowed: one of rate, per_second"),
        (COMMITS, {"poisson": {"per_hour": 1, "per_day": 3}}, "says 2 rates"),
        (COMMITS, {"poisson": {"per_hour": 0}}, "per_hour is 0; allowed: a number above 0"),
        (COMMITS, {"poisson": {"per_hour": 1, "profile": "office"}}, "did you mean office-hours?"),
        (COMMITS, {"poisson": {"per_hour": 1, "weights": [0.0] * 24}}, "not all 0"),
        (COMMITS, {"poisson": {"per_hour": 1, "weights": [1.0] * 25}}, "25 weights; allowed: 24 or 168"),
        (COMMITS, {"cron": "* * * *"}, "allowed: five fields such as"),
        (COMMITS, {"cron": "99 * * * *"}, "allowed: five fields such as"),
        (COMMITS, {"every": "500ms"}, "every is '500ms'; allowed: whole seconds such as 90s"),
        (COMMITS, {"every": "0s"}, "every is '0s'; allowed: a duration above 0 such as 10m"),
        (
            COMMITS,
            {"bursts": {"quiet": "0/h", "burst": "0/h", "quiet_for": "1h", "burst_for": "1h"}},
            "never arrives",
        ),
        (AUTOSCALER, {"expander": "price"}, "allowed: random, most-pods"),
        (AUTOSCALER, {"scan_interval": "1s"}, "did you mean scan-interval?"),
        (AUTOSCALER, {"cores-total": "8:2"}, "allowed: MIN:MAX"),
        (AUTOSCALER, {"scan-interval": "0s"}, "scan-interval is '0s'; allowed: a duration above 0"),
        (PACHYDERM, {"poll": "0s"}, "poll is '0s'; allowed: a duration above 0"),
        (PACHYDERM, {"scale_up_interval": "0s"}, "allowed: a duration above 0"),
        (PACHYDERM, {"crashing_backoff": 0}, "allowed: a duration above 0"),
        (PACHYDERM, {"transfer_rate": "0MB/s"}, "allowed: a rate such as 20 MB/s or 1Gi/s, above 0"),
        (AUTOSCALER, {"version": "1.29"}, 'allowed: "1.31"'),
        (AUTOSCALER, {"expander-priorities": {"10": ["("]}}, "has the pattern '('"),
        (AUTOSCALER, {"expander-priorities": {"high": ["a"]}}, "has the priority high"),
        (AUTOSCALER, {"max-graceful-termination-sec": "10m"}, "a whole number of seconds"),
    ],
)
def test_refused(kind: Kind, raw: Any, problem: str) -> None:
    with pytest.raises(InputError) as caught:
        kind.read(field(raw))
    assert problem in str(caught.value)
    assert str(caught.value).startswith("s.yaml: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("raw", "printed"),
    [
        ("2026-01-05T00:00-05:00", "2026-01-05T00:00:00-05:00"),
        ("2026-01-05T00:00Z", "2026-01-05T00:00:00+00:00"),
        ("2026-03-08T00:00 America/New_York", "2026-03-08T00:00:00 America/New_York"),
        ("2026-01-05 Europe/Paris", "2026-01-05T00:00:00 Europe/Paris"),
    ],
)
def test_a_start_keeps_its_zone(raw: str, printed: str) -> None:
    start = START.read(field(raw))
    assert START.write(start) == printed
    assert START.read(field(printed)) == start
