"""The scenarios of the project, against figures worked by hand in the sheets."""

import pytest

from sim.decisions.aws.fargate import fargate_size
from sim.loader import load
from sim.model.arrivals import PROFILES, PoissonArrivals, TraceArrivals
from sim.model.distributions import Lognormal, NegativeBinomial
from sim.model.machines import FargateSize
from sim.model.pods import Controller
from sim.model.resources import Resources
from sim.model.scenario import Scenario, Slo
from tests.conftest import PROJECT

FOLDER = PROJECT / "scenarios"
FILES = sorted(FOLDER.glob("*.yaml"))
NAMES = {
    "edges-static",
    "edges-autoscaled",
    "edges-fargate",
    "edges-montage-mixed",
    "training-spot-gpu",
    "office-platform",
    "trace-replay",
}


def scenario(name: str, *sets: str) -> Scenario:
    return load(FOLDER / f"{name}.yaml", sets)


def test_all_are_there() -> None:
    assert {file.stem for file in FILES} == NAMES


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_each_loads_and_opens_with_its_question(file: object) -> None:
    loaded = load(str(file))
    text = (FOLDER / f"{loaded.name}.yaml").read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert "?" in text.splitlines()[0]
    assert loaded.question.endswith("?")
    assert loaded.start.tzinfo is not None


@pytest.mark.parametrize("name", ["edges-static", "edges-autoscaled", "edges-fargate"])
def test_the_three_edges_scenarios_differ_in_the_cluster_alone(name: str) -> None:
    one, other = scenario(name), scenario("edges-fargate")
    assert one.repos == other.repos
    assert one.pipelines == other.pipelines
    assert (one.start, one.horizon_us, one.warmup_us, one.seed) == (
        other.start,
        other.horizon_us,
        other.warmup_us,
        other.seed,
    )


class TestEdges:
    """The design's example scenario; pachyderm.md §1.4, aws.md §1.3 and §7.2."""

    loaded = scenario("edges-fargate")
    load = loaded.pipelines[0]

    def test_the_worker_is_that_of_the_worked_table(self) -> None:
        pods = self.load.pod_class
        assert pods.requests == Resources(cpu_m=2000, memory_mib=4352, ephemeral_mib=2048)
        assert fargate_size(pods.requests, self.loaded.cluster.fargate_sizes) == FargateSize(2000, 5 * 1024)
        assert self.load.sidecar_memory_mib == 256
        assert self.load.memory_limit_mib is None

    def test_the_pod_is_pachyderms(self) -> None:
        pods = self.load.pod_class
        assert pods.controller is Controller.REPLICATION_CONTROLLER
        assert (pods.grace_us, pods.local_storage, pods.spread) == (0, True, True)
        assert dict(pods.labels) == {
            "node": "fargate",
            "app": "pipeline",
            "suite": "pachyderm",
            "component": "worker",
            "pipelineName": "edges",
            "pipelineVersion": "1",
            "pipelineProject": "default",
        }
        assert pods.namespace == "pachyderm"
        assert [(image.name, image.size_bytes) for image in pods.images] == [
            ("worker", 100_000_000),
            ("pachd", 150_000_000),
            ("pachyderm/opencv", 400_000_000),
        ]

    def test_the_load_is_as_the_file_says(self) -> None:
        (repo,) = self.loaded.repos
        assert repo.name == "images"
        assert repo.commits == PoissonArrivals(4 / 3600, PROFILES["office-hours"])
        assert repo.new_per_commit == NegativeBinomial(40.0, 1.2)
        assert self.load.datum_s == Lognormal(18.0, 60.0)
        peak = self.load.memory_peak_mib
        assert isinstance(peak, Lognormal)
        assert peak.median == pytest.approx(1.2 * 1024)
        assert peak.p95 == pytest.approx(1.8 * 1024)
        assert self.loaded.slos == (Slo(0.95, 900.0),)

    def test_a_node_is_that_of_the_worked_table(self) -> None:
        (system,) = self.loaded.cluster.node_groups
        assert system.allocatable.cpu_m == 3920
        assert system.allocatable.memory_mib == 14162
        assert system.max_pods == 58
        assert system.usd_per_hour == 0.192
        assert system.template == Resources(cpu_m=4000, memory_mib=16384)
        assert system.template_pods == 110

    def test_measured_overhead(self) -> None:
        (system,) = scenario("edges-fargate", "cluster.allocatable_overhead=measured").cluster.node_groups
        assert system.allocatable.memory_mib == pytest.approx(14553, abs=3)  # aws.md §7.2, observed

    def test_labels_are_those_eks_sets(self) -> None:
        (system,) = self.loaded.cluster.node_groups
        labels = dict(system.labels)
        assert labels["eks.amazonaws.com/nodegroup"] == "system"
        assert labels["eks.amazonaws.com/capacityType"] == "ON_DEMAND"
        assert labels["node.kubernetes.io/instance-type"] == "m5.xlarge"
        assert labels["topology.kubernetes.io/zone"].startswith("us-east-1")

    def test_prices_are_the_sheets(self) -> None:
        prices = self.loaded.prices
        assert (prices.fargate_vcpu_hour, prices.fargate_gib_hour) == (0.04048, 0.004445)
        assert (prices.control_plane_hour, prices.ebs_gib_month) == (0.10, 0.08)
        assert prices.notes == ()

    def test_the_raised_quota_is_no_warning_and_the_default_one_is(self) -> None:
        assert self.loaded.warnings == ()
        (warning,) = scenario("edges-fargate", "cluster.fargate.vcpu_quota=").warnings
        assert "at full width pipelines ask 10 of 6 vCPU in us-east-1" in warning
        (met,) = scenario("edges-fargate", "cluster.fargate.vcpu_quota=10").warnings
        assert "10 of 10 vCPU" in met

    def test_without_requests_and_before_2_5_it_lands_on_the_smallest_size(self) -> None:
        old = scenario("edges-fargate", "pachyderm.version=pre-2.5", "pipelines[edges].resource_requests=")
        size = fargate_size(old.pipelines[0].pod_class.requests, old.cluster.fargate_sizes)
        assert size == FargateSize(250, 512)

    def test_emptied_cluster_defaults(self) -> None:
        emptied = scenario("edges-fargate", "pachyderm.cluster_defaults={createPipelineRequest: {}}")
        assert emptied.pipelines[0].pod_class.requests == Resources(cpu_m=1000, memory_mib=4158)


def test_spot_nodes_cost_less_and_are_taken_away() -> None:
    spot = scenario("training-spot-gpu")
    kept = scenario("training-spot-gpu", "cluster.eksctl.managedNodeGroups[gpu-spot].spot=false")
    (_, cheap), (_, dear) = spot.cluster.node_groups, kept.cluster.node_groups
    assert dear.usd_per_hour == 0.526  # aws.md §7.2
    assert cheap.usd_per_hour < 0.526
    assert (cheap.spot, dear.spot) == (True, False)
    assert dear.interruptions_per_hour == 0
    assert cheap.interruptions_per_hour == pytest.approx(2.64e-4, rel=2e-3)  # aws.md §6: the band of 15-20%
    assert dict(cheap.labels)["eks.amazonaws.com/capacityType"] == "SPOT"
    assert spot.pipelines[0].pod_class.safe_to_evict is False
    assert spot.pipelines[0].memory_limit_mib == 10 * 1024
    assert any("low-confidence prices in us-east-1: g4dn.xlarge is advisor" in w for w in spot.warnings)
    assert spot.prices.date == "2026-07-20"


def test_without_its_tags_an_empty_group_is_never_woken() -> None:
    untold = scenario("training-spot-gpu", "cluster.eksctl.managedNodeGroups[gpu-spot].tags=")
    (warning,) = [each for each in untold.warnings if "never wakes" in each]
    assert "group gpu-spot starts at 0" in warning
    assert "ephemeral storage" in warning


def test_the_platform_has_twenty_pipelines_over_four_sources() -> None:
    office = scenario("office-platform")
    assert len(office.pipelines) == 20
    assert [repo.name for repo in office.repos] == ["orders", "clicks", "tickets", "sensors"]
    (_, general, _) = office.cluster.node_groups
    assert [minimum.min_size for minimum in general.scheduled_minimums] == [2, 0]


def test_a_trace_replaces_another_by_set() -> None:
    replay = scenario("trace-replay")
    (load,) = replay.pods
    assert isinstance(load.arrivals, TraceArrivals)
    assert len(load.arrivals.times_us) == 400
    assert replay.pipelines == ()
    assert [base.pod_class.name for base in replay.base_load] == ["coredns", "cluster-autoscaler"]
