"""The seed's story: the first worker after more than 90 s, then five, then none, and no Fargate node left.

Source: the post "Autoscaling Pachyderm Pipelines on AWS with Cluster & Fargate" (seed.txt): "it took over 90
seconds before the pod first started running"; "the first master-worker starts up first …, but then we get
more pods (and Fargate instances) added. Then … they get scaled down once the job is complete."
"""

from __future__ import annotations

import json
from difflib import unified_diff

import pytest

from sim.model.log import EventLog, PodEnd
from sim.model.scenario import Scenario
from tests.golden.edges_fargate import FILE, Story, document, simulated, story

WIDTH = 5  # parallelism_spec of the post


@pytest.fixture(scope="module")
def run() -> tuple[Scenario, EventLog]:
    return simulated()


@pytest.fixture(scope="module")
def told(run: tuple[Scenario, EventLog]) -> Story:
    return story(run[1])


def test_the_first_worker_runs_after_more_than_90_seconds(told: Story) -> None:
    """And before three minutes: 45 s of launch, 650 MB of images at 20 MB/s, 2 s of start (aws.md §8.2)."""
    assert 90 < told.running_s[0] - told.created_s[0] < 180
    assert told.created_s[0] - told.commit_s < 1


def test_then_up_to_five_and_then_zero(told: Story) -> None:
    assert [target for _, target in told.replicas] == [1, WIDTH, 0]
    first, wide, _ = (time_s for time_s, _ in told.replicas)
    assert told.created_s == [first] + [wide] * (WIDTH - 1)
    assert told.running_s[0] < wide < told.running_s[0] + 30  # the next step after the first worker runs
    assert all(50 < running_s - wide < 180 for running_s in told.running_s[1:])


def test_when_the_job_is_done_pods_and_fargate_nodes_are_gone_at_once(
    run: tuple[Scenario, EventLog], told: Story
) -> None:
    """Standby follows the end of the last job by about a second, and a Fargate pod is its own node."""
    zero_s = told.replicas[-1][0]
    assert told.ended_s == [zero_s] * WIDTH
    assert 0 < zero_s - told.done_s < 2
    log = run[1]
    ended = {row[1]: PodEnd(row[2]) for row in log["pod_ended"].rows().tolist()}
    on_fargate = set(log["fargate_pods"].column("pod").tolist())
    assert all(ended[pod] is PodEnd.SCALED_DOWN for pod in on_fargate if pod in ended)
    assert not on_fargate & set(log["pod_bound"].column("pod").tolist())


def test_the_bill_by_hand() -> None:
    """Six days after the warm-up: one m5.xlarge, worker hours of 2 vCPU / 5 GB, images through the NAT.

    Prices of us-east-1, aws.md §1.3, §5 and §7.2; 650 MB of images a worker.
    """
    said = json.loads(FILE.read_text(encoding="utf-8"))
    bill, metrics = said["bill_usd"], said["metrics"]
    hours = 6 * 24
    assert bill["ec2"] == pytest.approx(hours * 0.192)
    assert bill["ebs"] == pytest.approx(hours * 80 * 0.08 / 730, rel=1e-5)
    assert bill["control_plane"] == pytest.approx(hours * 0.10)
    assert bill["nat_hours"] == pytest.approx(hours * 0.045)
    assert bill["public_ipv4"] == pytest.approx(hours * 0.005)  # the gateway's; nodes are in private subnets
    assert bill["ebs_performance"] == 0
    assert bill["nat_data"] == pytest.approx(metrics["pods_started"] * 650e6 / 2**30 * 0.045, rel=1e-5)
    assert bill["fargate"] == pytest.approx(metrics["fargate_pod_hours"] * 0.103185, rel=1e-3)  # and rounding
    assert said["waste_usd"]["total"] == pytest.approx(bill["total"])


def test_nothing_has_moved() -> None:
    """See tests/golden/README.md for what to do when something has."""
    stored, now = FILE.read_text(encoding="utf-8"), document()
    difference = "".join(unified_diff(stored.splitlines(True), now.splitlines(True), "stored", "now", n=0))
    assert not difference, f"\n{difference}"
