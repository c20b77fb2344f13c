"""Editions: what pachd refuses of a plan without an activation key.

Without one a cluster up to 2.11.6 creates no pipeline with a parallelism above 8, and no 17th pipeline; what
exists may be updated beyond. The limits are gone in v2.12.0-rc.2.

Source: pachyderm/pachyderm v2.11.6, src/server/pps/server/api_server.go validateEnterpriseChecks,
src/server/enterprise/limits/limits.go.
"""

from __future__ import annotations

from collections.abc import Sequence

from sim.decisions.pachyderm.requests import COMMUNITY_PIPELINES, COMMUNITY_WORKERS, community_limits
from sim.documents.fields import Field
from sim.loader.compile.pipelines import PlacedLoad
from sim.loader.notes import Notes
from sim.loader.shape.workload import PachydermFile

KEY = "an activation key (pachyderm.edition: enterprise)"


def check_edition(said: PachydermFile, loads: Sequence[PlacedLoad], at: Field, notes: Notes) -> None:
    """Warn of what the community edition refuses; raise InputError where that is the cluster's."""
    version = said.options.version
    if said.edition == "enterprise" or not community_limits(version):
        return
    wide = [placed for placed in loads if placed.load.pipeline.parallelism > COMMUNITY_WORKERS]
    many = len(loads) > COMMUNITY_PIPELINES
    told = [
        f"pipeline {spec.shown_name} has {spec.parallelism} workers, above its limit of {COMMUNITY_WORKERS}"
        for spec in (placed.load.pipeline for placed in wide)
    ]
    if many:
        told.append(f"there are {len(loads)} pipelines, above its limit of {COMMUNITY_PIPELINES}")
    if not told:
        return
    if said.edition == "community":
        what = f"is refused by the community edition of Pachyderm {version}: {'; '.join(told)}"
        if wide:
            raise wide[0].error("spec", what, allowed=f"at most {COMMUNITY_WORKERS}, or {KEY}")
        raise at.error(what, allowed=f"at most {COMMUNITY_PIPELINES} pipelines, or {KEY}")
    notes.warn(
        f"the community edition of Pachyderm {version} refuses this plan without an activation key: "
        f"{'; '.join(told)}; say pachyderm.edition: enterprise if the cluster has one"
    )
