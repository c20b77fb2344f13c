"""A token bucket: how often something may start, as Fargate limits launches per account and region.

``burst`` tokens at most, one more every ``interval_us``. The bucket is one instant, when it will be
full again: a token is there while no more than ``burst - 1`` of them are still to come.

Source: AWS "AWS Fargate throttling quotas"; aws.md §3.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sim.model.cluster import FargateQuotas
from sim.model.units import SECOND


@dataclass(frozen=True, slots=True)
class TokenBucket:
    """A bucket that is full at ``full_at_us`` and from then on, until a token is taken."""

    burst: int
    interval_us: int
    full_at_us: int = 0

    def ready_at_us(self, now_us: int) -> int:
        """Return the first instant, now or later, at which a token can be taken."""
        return max(now_us, self.full_at_us - (self.burst - 1) * self.interval_us)

    def taken(self, now_us: int) -> TokenBucket:
        """Return the bucket with one token less."""
        assert self.ready_at_us(now_us) == now_us, "no token to take"
        return replace(self, full_at_us=max(self.full_at_us, now_us) + self.interval_us)


def launch_bucket(quotas: FargateQuotas) -> TokenBucket:
    """Return the full bucket of Fargate launches under these quotas."""
    return TokenBucket(quotas.launch_burst, round(SECOND / quotas.launch_per_s))
