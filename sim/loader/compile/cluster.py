"""The cluster: its ClusterConfig, the autoscaler's options, and what holds by default."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from sim.adapters.eksctl.read import read_cluster
from sim.catalog import HOME_REGION, Catalog
from sim.documents.fields import Field
from sim.errors import InputError, nearest
from sim.loader.compile.autoscaler import AutoscalerReader, warn_of_unmatched_priorities
from sim.loader.compile.buying import Buyer
from sim.loader.compile.groups import GroupMaker
from sim.loader.compile.places import at_path
from sim.loader.compile.pods import PodMaker
from sim.loader.notes import Notes
from sim.loader.shape.cluster import GroupFile
from sim.loader.shape.scenario import ScenarioFile
from sim.model.cluster import Cluster, NodeGroup
from sim.model.cluster_config import ClusterConfig

DEFAULT_KUBERNETES = "1.35"
GROUP_LISTS = ("managedNodeGroups", "nodeGroups")
_MINOR = re.compile(r"1\.(\d{2})")


@dataclass(frozen=True, slots=True)
class ClusterReader:
    """What stays the same while one cluster is put together."""

    said: ScenarioFile
    at: Field
    catalog: Catalog
    notes: Notes

    def config(self) -> tuple[ClusterConfig, Field | None]:
        """Return the ClusterConfig, or one without groups and profiles where there is none."""
        fields = self.said.cluster.eksctl
        if fields is None:
            return ClusterConfig("cluster", self.said.region or HOME_REGION), None
        if len(fields) > 1:
            raise fields[1].error("is a second document", allowed="one ClusterConfig in a file")
        inline = fields[0].document is self.at.document
        region = (self.said.region or HOME_REGION) if inline else None
        with under_eksctl():
            read = read_cluster(fields[0], inline_region=region)
        self.notes.add(read.notices)
        return read.config, fields[0]

    def cluster(self, config: ClusterConfig, eksctl: Field | None, region: str, pods: PodMaker) -> Cluster:
        """Return the cluster in its region."""
        said, kubernetes = self.said.cluster, self._kubernetes(config)
        groups = self._groups(config, eksctl, region)
        autoscaler = AutoscalerReader(config.name, kubernetes, self.notes).options(said.autoscaler or {})
        warn_of_unmatched_priorities(autoscaler, groups, self.notes)
        return Cluster(
            name=config.name,
            region=region,
            kubernetes_version=kubernetes,
            node_groups=groups,
            fargate_profiles=config.fargate_profiles,
            fargate_quotas=said.fargate,
            fargate_sizes=self.catalog.fargate_sizes() if config.fargate_profiles else (),
            daemon_sets=pods.daemon_sets(said.daemonsets),
            autoscaler=autoscaler,
            scheduler=said.scheduler,
        )

    def _groups(self, config: ClusterConfig, eksctl: Field | None, region: str) -> tuple[NodeGroup, ...]:
        more = self.said.cluster.groups or {}
        self._check_names(more, config)
        self._check_priced()
        maker = GroupMaker(
            region=region,
            catalog=self.catalog,
            overhead=self.said.cluster.allocatable_overhead,
            buyer=Buyer(region, self.catalog, self.said.prices.instances or {}, self.notes),
            notes=self.notes,
        )
        with under_eksctl():
            return tuple(
                maker.group(group, more.get(group.name, GroupFile()), config, place)
                for group, place in zip(config.node_groups, _places(eksctl), strict=True)
            )

    def _check_priced(self) -> None:
        for name in self.said.prices.instances or {}:
            try:
                self.catalog.instance(name)
            except InputError as error:
                place = at_path(self.at, "prices", "instances", name)
                raise place.error(error.problem, allowed=error.allowed, near=error.nearest) from None

    def _check_names(self, more: Mapping[str, GroupFile], config: ClusterConfig) -> None:
        names = [group.name for group in config.node_groups]
        for name in more:
            if name not in names:
                place = at_path(self.at, "cluster", "groups", name)
                raise place.error(
                    "is no node group of the ClusterConfig",
                    allowed=", ".join(names) or "a ClusterConfig with node groups",
                    near=nearest(name, names),
                )

    def _kubernetes(self, config: ClusterConfig) -> str:
        said = self.said.cluster.kubernetes_version or config.version
        if said is None:
            self.notes.assume(
                "cluster.kubernetes_version",
                DEFAULT_KUBERNETES,
                "assumption: nothing says it; the newest whose dates are known",
            )
            return DEFAULT_KUBERNETES
        if not _MINOR.fullmatch(said):
            place = at_path(self.at, "cluster", "kubernetes_version")
            raise place.error(allowed="a Kubernetes minor in quotes, such as '1.33'; a bare 1.30 is 1.3")
        return said


@contextmanager
def under_eksctl(*, really: bool = True) -> Iterator[None]:
    """Give errors about the ClusterConfig the path that they have in the scenario."""
    try:
        yield
    except InputError as error:
        inside = really and not error.field.startswith("cluster.")
        raise error.inside("cluster.eksctl" if inside else "") from None


def _places(eksctl: Field | None) -> list[Field]:
    """Return where each node group is written, in the order the adapter reads them."""
    lists = [eksctl.child(kind) for kind in GROUP_LISTS] if eksctl else []
    return [item for each in lists if each for item in each.items()]
