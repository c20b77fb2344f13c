"""The autoscaler's options: what is deployed, what the scenario says instead, else the version's defaults.

Deployed are the Helm chart's values or a manifest's command line, under ``cluster.autoscaler.values``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sim.adapters.cluster_autoscaler.read import ReadAutoscaler, read_autoscaler
from sim.decisions.cluster_autoscaler.expander import matches
from sim.documents.fields import Field
from sim.errors import InputError
from sim.loader.notes import Notes
from sim.loader.values.flags import AUTOSCALER, version_and_patch
from sim.model.autoscaler import PATCHES, VERSIONS, AutoscalerOptions, options_for
from sim.model.cluster import NodeGroup

VALUES = "values"
PRIORITIES = "expander-priorities"
_RELEASE = ("version", "patch")
_NOT_OPTIONS = frozenset({"version", "enabled", VALUES})
_KUBERNETES = "the ClusterConfig's Kubernetes minor"
_IMAGE = "the tag of its image"
_PATCH = "no patch is said, this one is taken; they differ, cluster-autoscaler.md §11"


@dataclass(frozen=True, slots=True)
class AutoscalerReader:
    """What stays the same while the options are put together: the cluster's name and Kubernetes minor."""

    cluster: str
    kubernetes: str
    notes: Notes

    def options(self, said: Mapping[str, Any]) -> AutoscalerOptions:
        """Return the options in force, and note every default among them."""
        own = {name: value for name, value in said.items() if name != VALUES}
        deployed, image = self._deployed(said.get(VALUES, ()))
        release = self._release(own.get("version", ""), *image)
        options = replace(
            options_for(release[0]), **{**deployed, **own, **dict(zip(_RELEASE, release, strict=True))}
        )
        if "priority" not in options.expander:  # nothing reads them, whatever a file says
            options = replace(options, expander_priorities=())
        for each in AUTOSCALER.keys:
            if each.attribute not in {*own, *deployed, *_NOT_OPTIONS} and options.enabled:
                value = each.printed(getattr(options, each.attribute))
                self.notes.assume(f"cluster.autoscaler.{each.name}", value, _source(each.attribute))
        return options

    def _deployed(self, documents: Sequence[Field]) -> tuple[dict[str, Any], tuple[str, int | None]]:
        """Return options by attribute, and version and patch where the image's tag says them."""
        if not documents:
            return {}, ("", None)
        try:
            read = read_autoscaler(documents)
            options = _simulated(read)
        except InputError as error:
            inside = not error.field.startswith("cluster.")
            raise error.inside(f"cluster.autoscaler.{VALUES}" if inside else "") from None
        self.notes.add((*read.notices, *read.not_simulated(AUTOSCALER.by_name)))
        if read.cluster and read.cluster != self.cluster:
            self.notes.warn(
                f"the autoscaler discovers groups of {read.cluster}, the ClusterConfig is {self.cluster}; "
                "it is simulated as if it discovered these"
            )
        return options, (read.version, read.patch)

    def _release(self, said: str, image: str, image_patch: int | None) -> tuple[str, int]:
        """Return the minor and the patch in force: as said, else as deployed, else as Kubernetes is."""
        minor, patch = version_and_patch(said)
        version, source = (minor, "") if minor else self._version(image)
        if patch is None and version == image:
            patch = image_patch
        if patch is None:
            patch, source = PATCHES[version], "; ".join(filter(None, (source, _PATCH)))
        if source:
            self.notes.assume("cluster.autoscaler.version", f"{version}.{patch}", source)
        return version, patch

    def _version(self, deployed: str) -> tuple[str, str]:
        """Return the minor that nobody says for the autoscaler, and why it is that one."""
        minor, source = (deployed, _IMAGE) if deployed else (self.kubernetes, _KUBERNETES)
        if minor in VERSIONS:
            return minor, source
        number = int(minor.partition(".")[2])
        clamped = VERSIONS[0] if number < int(VERSIONS[0].partition(".")[2]) else VERSIONS[-1]
        return clamped, f"the nearest to Kubernetes {minor} that is modelled"


def warn_of_unmatched_priorities(
    options: AutoscalerOptions, groups: Sequence[NodeGroup], notes: Notes
) -> None:
    """Warn of expressions that match no group: they are held against names of Auto Scaling groups."""
    if "priority" not in options.expander or not groups:
        return
    for _, expressions in options.expander_priorities:
        for expression in expressions:
            if not any(matches(group, [expression]) for group in groups):
                notes.warn(
                    f"expander-priorities: {expression} matches no Auto Scaling group, which are named like "
                    f"{groups[0].asg_name}"
                )


def _simulated(read: ReadAutoscaler) -> dict[str, Any]:
    """Return the flags that the simulator honours, as options by attribute."""
    fields = dict(read.flags)
    if read.priorities is not None:
        fields[PRIORITIES] = read.priorities
    known = AUTOSCALER.by_name
    return {known[name].attribute: known[name].kind.read(at) for name, at in fields.items() if name in known}


def _source(attribute: str) -> str:
    source = "the version's default, cluster-autoscaler.md §9 and §11"
    if attribute == "skip_nodes_with_local_storage":
        source += "; the AWS example manifest (cluster-autoscaler-autodiscover.yaml) says false"
    return source
