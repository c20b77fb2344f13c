from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sim.decisions.aws.token_bucket import TokenBucket, launch_bucket
from sim.model.cluster import FargateQuotas

S = 1_000_000


def launches(bucket: TokenBucket, wanted_us: list[int]) -> list[int]:
    """Return when each launch happens: in order, each as soon as there is a token."""
    happened, now_us = [], 0
    for want_us in wanted_us:
        now_us = bucket.ready_at_us(max(now_us, want_us))
        bucket = bucket.taken(now_us)
        happened.append(now_us)
    return happened


def test_a_burst_of_fargate_launches() -> None:
    """aws.md §3: burst 100, refill 20/s. Of 200 pods at once 100 start, then one every 50 ms."""
    found = launches(launch_bucket(FargateQuotas()), [10 * S] * 200)
    assert found[:100] == [10 * S] * 100
    assert found[100:103] == [10 * S + 50_000, 10 * S + 100_000, 10 * S + 150_000]
    assert found[-1] == 15 * S


def test_tokens_come_back_and_stop_at_the_burst() -> None:
    bucket = TokenBucket(burst=2, interval_us=50_000)
    empty = bucket.taken(0).taken(0)
    assert [empty.ready_at_us(at) for at in (0, 49_999, 50_000)] == [50_000] * 3
    assert empty.taken(50_000).ready_at_us(50_000) == 100_000
    assert empty.taken(9 * S).taken(9 * S).ready_at_us(9 * S) == 9 * S + 50_000


@given(
    burst=st.integers(1, 20),
    per_s=st.integers(1, 50),
    gaps_us=st.lists(st.integers(0, S), min_size=1, max_size=60),
)
def test_the_instant_is_the_sheet_s_formula(burst: int, per_s: int, gaps_us: list[int]) -> None:
    """``tokens = min(cap, tokens + rate·dt)``, a launch needs one (aws.md §3), in exact arithmetic."""
    bucket = TokenBucket(burst, round(S / per_s))
    wanted_us = [sum(gaps_us[: n + 1]) for n in range(len(gaps_us))]
    unit = bucket.interval_us  # one token, counted in microseconds of refill
    level, last_us, expected = burst * unit, 0, []
    for want_us in wanted_us:
        now_us = max(want_us, last_us)
        level = min(burst * unit, level + now_us - last_us)
        wait_us = max(0, unit - level)
        level, last_us = level + wait_us - unit, now_us + wait_us
        expected.append(last_us)
    assert launches(bucket, wanted_us) == expected
