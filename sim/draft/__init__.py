"""A first scenario from files that exist: pipeline specs, a ClusterConfig, a live cluster's JSON."""

from sim.draft.scenario import Draft, init

__all__ = ["Draft", "init"]
