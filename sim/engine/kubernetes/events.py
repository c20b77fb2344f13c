"""Events: which plugins refused a pod, and what happens in the cluster that may help it.

Until 1.31 an event that a refusing plugin has registered moves the pod, a node only if it admits the pod
as it stands; from 1.32 on the plugin is asked whether the event can matter.

Source: Kubernetes v1.31.13 and v1.33.5 pkg/scheduler: eventhandlers.go (preCheckForNode), and
EventsToRegister and the isSchedulableAfter functions of framework/plugins: noderesources/fit.go,
tainttoleration, nodeunschedulable, nodeaffinity, podtopologyspread/plugin.go, interpodaffinity/plugin.go;
scheduler.go (buildQueueingHintMap: a default hint for changed taints).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.engine.kubernetes.cohort import Cohort, Rejector
from sim.engine.kubernetes.node_table import label_of
from sim.model.pods import meets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sim.decisions.kubernetes.scheduling import SchedulerRules
    from sim.engine.entities import ClassState, Node
    from sim.engine.kubernetes.class_view import ClassView
    from sim.engine.kubernetes.domains import Domains
    from sim.model.pods import PodClass

Known = tuple[int, bool, bool, bool]
Kind = tuple[int, bool, bool]


def rejectors(view: ClassView, nodes: Sequence[Node], domains: Domains) -> int:
    """Return the plugins that refuse the nodes for a class, the first of each node."""
    found: int = Rejector.NONE
    cls = view.cls
    seen: set[Kind] = set()
    for node in nodes:
        kind = kind_of(node)
        if kind not in seen:
            seen.add(kind)
            found |= _first_of_a_kind(cls, node)
    if found & Rejector.FIT and (view.is_bound_by_others or view.apart_row >= 0):
        return found & ~Rejector.FIT | _by_room_or_others(view, nodes, domains)
    return found


def kind_of(node: Node) -> Kind:
    """Return what a plugin other than the fit reads of a node: its shape, whether it is open, cordoned."""
    return node.shape, node.open, node.cordoned


def _first_of_a_kind(cls: ClassState, node: Node) -> int:
    """Return the plugin that refuses a node for what it is; the fit, if nothing does."""
    if node.cordoned and not cls.tolerates_cordon:
        return Rejector.UNSCHEDULABLE
    if not node.open and not node.cordoned:
        return Rejector.TAINTS
    if not cls.allowed[node.shape]:
        tolerated = all(cls.spec.tolerates(taint) for taint in node.spec.taints)
        return Rejector.AFFINITY if tolerated else Rejector.TAINTS
    return Rejector.FIT


def _by_room_or_others(view: ClassView, nodes: Sequence[Node], domains: Domains) -> int:
    """Return which of room, spread and other pods refuse the nodes that could be used."""
    found: int = Rejector.NONE
    spread = [room >= asked for _, room, asked in domains.hard_spread(view)]
    for node in nodes:
        if _first_of_a_kind(view.cls, node) is not Rejector.FIT:
            continue
        if not view.cls.has_room_on(node):
            found |= Rejector.FIT
        elif not all(flags[node.position] for flags in spread):
            found |= Rejector.SPREAD
        else:
            found |= Rejector.INTER_POD
    return found


def helped_by_node(cohort: Cohort, node: Node, rules: SchedulerRules, *, before: Known | None) -> bool:
    """Say whether a new node, or one with other taints ``before``, may help a cohort."""
    cls = cohort.cls
    if not rules.queueing_hints:
        return cls.fits(node)
    usable = cls.allowed[node.shape] and (node.open or (node.cordoned and cls.tolerates_cordon))
    refused_by = cohort.refused_by
    if before is None:
        return _helped_by_new(cls, refused_by, node, usable=usable)
    if before == taints_of(node):  # its GPUs are up
        return cls.gpu > 0 and bool(refused_by & Rejector.FIT)
    if refused_by & ~(Rejector.TAINTS | Rejector.UNSCHEDULABLE):
        return True  # plugins that have no hint for taints are moved by every change of them
    shape, was_open, *_ = before
    return usable and not (was_open and cls.allowed[shape])


def taints_of(node: Node) -> Known:
    """Return what stands for the taints of a node: its shape, whether it is open, cordoned, to be avoided."""
    return node.shape, node.open, node.cordoned, node.avoid


def _helped_by_new(cls: ClassState, refused_by: int, node: Node, *, usable: bool) -> bool:
    spec, room = cls.spec, node.spec.allocatable
    if refused_by & Rejector.FIT and (
        cls.cpu_m <= room.cpu_m
        and cls.memory_mib <= room.memory_mib
        and cls.ephemeral_mib <= room.ephemeral_mib
        and cls.gpu <= room.gpu
        and node.spec.max_pods > 0
    ):
        return True
    if refused_by & Rejector.TAINTS and all(spec.tolerates(taint) for taint in node.spec.taints):
        return True
    if refused_by & Rejector.UNSCHEDULABLE and (not node.cordoned or cls.tolerates_cordon):
        return True
    if refused_by & Rejector.AFFINITY and spec.selects(node.spec.node_labels()):
        return True
    keys = [constraint.topology_key for constraint in spec.spread_constraints if constraint.hard]
    if refused_by & Rejector.SPREAD and all(label_of(node, key) is not None for key in keys):
        return True
    return usable and bool(refused_by & Rejector.INTER_POD)


def helped_by_pod(cohort: Cohort, placed: PodClass) -> bool:
    """Say whether a pod that was placed may help a cohort that minds where others are."""
    spec = cohort.cls.spec
    if placed.namespace != spec.namespace:
        return False
    labels = dict(placed.labels)
    if cohort.refused_by & Rejector.SPREAD:
        return any(meets(constraint.selector, labels) for constraint in spec.spread_constraints)
    if cohort.refused_by & Rejector.INTER_POD:
        return any(meets(term.selector, labels) for term in spec.terms_together)
    return False


def helped_by_pod_gone(cohort: Cohort, gone: PodClass, rules: SchedulerRules) -> bool:
    """Say whether a pod that left a node may help a cohort that had room, but minds where others are."""
    if not cohort.refused_by & (Rejector.SPREAD | Rejector.INTER_POD):
        return False
    if not rules.queueing_hints:
        return True
    spec = cohort.cls.spec
    if gone.namespace != spec.namespace:
        return False
    labels, mine = dict(gone.labels), dict(spec.labels)
    if cohort.refused_by & Rejector.SPREAD and any(
        meets(constraint.selector, labels) for constraint in spec.spread_constraints
    ):
        return True
    by_host = gone.owner == spec.owner and (gone.anti_affinity or spec.anti_affinity)
    apart = any(meets(term.selector, labels) for term in spec.terms_apart)
    against = any(meets(term.selector, mine) for term in gone.terms_apart)
    return bool(cohort.refused_by & Rejector.INTER_POD) and (by_host or apart or against)
