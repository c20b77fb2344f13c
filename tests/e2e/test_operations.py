"""What operators reported of real clusters, and what comes out here (``tests/cases/README.md``).

The first line of each scenario names the reports.
"""

from __future__ import annotations

from dataclasses import replace

import sim
from sim.model.units import MINUTE
from tests.conftest import PROJECT

CASES = PROJECT / "tests" / "cases" / "operations"


def a_case(name: str, **autoscaler: object) -> sim.Scenario:
    """Return a case's scenario, with other options of the autoscaler."""
    scenario = sim.load(CASES / name / "scenario.yaml")
    options = replace(scenario.cluster.autoscaler, **autoscaler)  # type: ignore[arg-type]  # fields by name
    return replace(scenario, cluster=replace(scenario.cluster, autoscaler=options))


def once(scenario: sim.Scenario) -> sim.Result:
    """Simulate one replication."""
    return sim.replicate(scenario, 1, seed=1)


def test_a_threshold_of_zero_removes_empty_nodes_since_a_patch() -> None:
    """Autoscaler 8707, 6791, 5337; PR 8975: they stay up to 1.33.3, and go from 1.33.4 on."""
    left = {}
    for patch in (3, 4):
        nodes = once(a_case("11-threshold-zero", patch=patch)).nodes
        left[patch] = int(nodes.gone_s[nodes.group == "batch"].isna().sum())
    assert left == {3: 1, 4: 0}


def test_a_gpu_node_half_used_is_drained_since_a_patch() -> None:
    """Autoscaler PR 8975: two in use of four on each of two nodes; 1.34.2 keeps both, 1.34.3 drains one."""
    drained = {}
    for patch in (2, 3):
        pods = once(a_case("39-gpu-half-used", patch=patch)).pods
        drained[patch] = int((pods.end == "DRAINED").sum())
    assert drained == {2: 0, 3: 2}


def test_an_unmanaged_group_without_tags_never_wakes_from_zero() -> None:
    """Autoscaler 4893, 3535: until it has seen a node, it knows such a group by its tags alone."""
    result = once(a_case("02-zero-unmanaged-no-tags"))
    assert set(result.nodes.group) == {"system"}
    assert result.pods[result.pods.source == "job"].running_s.isna().all()
    assert any("never wakes it for pods job" in warning for warning in result.scenario.warnings)


def test_a_taint_tag_without_effect_buys_nodes_that_nothing_can_use() -> None:
    """Autoscaler 2043, 2434: eksctl writes a taint's tag without its effect, which the autoscaler ignores.

    A second node comes before the first has been Ready for the minute after which it is the template.
    """
    result = once(a_case("03-zero-taint-tag-without-effect"))
    bought = result.nodes[result.nodes.group == "batch"]
    assert len(bought) == 2
    assert bought.gone_s.notna().all()
    assert result.pods[result.pods.source == "job"].running_s.isna().all()
    assert any("buys nodes of it for pods job" in warning for warning in result.scenario.warnings)


def test_three_nodes_over_three_zones_have_one_in_each() -> None:
    """Auto Scaling groups keep zones even, so that a pod bound to any of them starts at once."""
    pods = once(a_case("33-zonal-volume-three-nodes")).pods
    assert (pods.start_s[pods.source == "job"] < 5).all()


def test_two_nodes_over_three_zones_may_lack_the_one_that_is_wanted() -> None:
    """Autoscaler 1431, 6000, 3845: the template has the zone of a node that is there, so nothing comes."""
    result = once(a_case("04-zonal-volume-one-group"))
    assert result.pods[result.pods.source == "job"].running_s.isna().all()
    assert len(result.nodes[result.nodes.group == "batch"]) == 2
    assert any("of equally full zones AWS chooses" in warning for warning in result.scenario.warnings)


def test_the_autoscaler_plans_with_the_first_type_and_aws_delivers_another() -> None:
    """Autoscaler 3217, PR 3205, 1886: the pod fits a c5.4xlarge, a calmer and cheaper c5.xlarge comes."""
    result = once(a_case("15-mixed-sizes-big-first"))
    delivered = result.nodes[result.nodes.group == "mixed"]
    assert len(delivered) > 0
    assert delivered["shape"].str.startswith("c5.xlarge").all()
    assert result.pods[result.pods.source == "job"].running_s.isna().all()
    assert any("the cure: types alike in cpu and memory" in warning for warning in result.scenario.warnings)


def test_the_reason_is_said_when_nodes_come_later_than_they_are_waited_for() -> None:
    """Autoscaler 6810, 3490: 6 minutes against 5; what is bought is deleted, again and again."""
    result = once(a_case("08-late-node"))
    assert result.pods[result.pods.source == "job"].running_s.isna().all()
    assert len(result.nodes[result.nodes.group == "gpu"]) > 2
    (said,) = (each for each in result.summary["warnings"] if "max-node-provision-time" in each)
    assert "group gpu: 100% of its nodes take longer" in said
    assert "(5m), typically 360 s" in said
    waits = a_case("08-late-node", max_node_provision_time_us=7 * MINUTE)
    assert (once(waits).pods.running_s.notna()).all()
