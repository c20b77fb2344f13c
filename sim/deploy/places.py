"""Where each pipeline's workers run in a plan, and what one of them costs an hour."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sim.loader.compile.fit import obstacles, profile_for, size_for
from sim.model.billing import fargate_usd_per_hour
from sim.model.cluster import Cluster
from sim.model.scenario import PipelineLoad, Prices, Scenario


@dataclass(frozen=True, slots=True)
class Home:
    """Where the workers of one pipeline run: on Fargate in ``size``, else on one of ``groups``."""

    load: PipelineLoad
    profile: str = ""
    size: str = ""
    usd_per_hour: float = 0.0
    groups: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """Return it in words."""
        if self.profile:
            return f"Fargate profile {self.profile}: {self.size}, ${self.usd_per_hour:.4f} an hour each"
        return f"node group {' or '.join(self.groups)}" if self.groups else "nowhere"

    @property
    def workers(self) -> str:
        """Return how many, in words."""
        pipeline = self.load.pipeline
        most = pipeline.parallelism
        return f"0 to {most}" if pipeline.autoscaling else f"{most}, always"


def homes(scenario: Scenario) -> tuple[Home, ...]:
    """Return where each pipeline runs, in the scenario's order."""
    return tuple(_home(load, scenario.cluster, scenario.prices) for load in scenario.pipelines)


def _home(load: PipelineLoad, cluster: Cluster, prices: Prices) -> Home:
    profile, size = profile_for(load.pod_class, cluster), size_for(load.pod_class, cluster)
    if profile is not None and size is not None:
        usd = fargate_usd_per_hour(size, prices.fargate_rates, load.pod_class.requests.ephemeral_mib)
        return Home(load, profile.name, size.label, usd)
    without_fargate = replace(cluster, fargate_profiles=())
    fitting = tuple(
        group.name
        for group in cluster.node_groups
        if not obstacles(load.pod_class, replace(without_fargate, node_groups=(group,)))
    )
    return Home(load, groups=fitting)
