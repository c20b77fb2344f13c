from __future__ import annotations

import pytest

from sim.catalog import Catalog
from sim.decisions.aws.fargate_admission import FargateCandidate, Refusal, profile_of, refusals, selects
from sim.model.cluster import FargateProfile, Selector
from sim.model.resources import Resources

SIZES = Catalog().fargate_sizes()
SEED = Selector("pachyderm", (("node", "fargate"),))


@pytest.mark.parametrize(
    ("selector", "namespace", "labels", "expected"),
    [
        pytest.param(SEED, "pachyderm", {"node": "fargate", "app": "edges"}, True, id="the seed's profile"),
        pytest.param(SEED, "pachyderm", {"node": "ec2"}, False, id="another value"),
        pytest.param(SEED, "pachyderm", {}, False, id="no label"),
        pytest.param(SEED, "default", {"node": "fargate"}, False, id="another namespace"),
        pytest.param(Selector("pachyderm"), "pachyderm", {}, True, id="a namespace is enough"),
        pytest.param(Selector("team-*"), "team-", {}, True, id="a star may stand for nothing"),
        pytest.param(Selector("team-?"), "team-", {}, False, id="a question mark stands for exactly one"),
        pytest.param(Selector("team-?"), "team-a", {}, True, id="one character"),
        pytest.param(
            Selector("*", (("*", "far*"),)), "x", {"node": "fargate"}, True, id="in keys and values"
        ),
        pytest.param(Selector("*", (("a", "1"), ("b", "2"))), "x", {"a": "1"}, False, id="every label"),
        pytest.param(Selector("*", (("a", "[12]"),)), "x", {"a": "1"}, False, id="no character classes"),
        pytest.param(
            Selector("*", (("a", "[12]"),)), "x", {"a": "[12]"}, True, id="brackets mean themselves"
        ),
        pytest.param(Selector("Pachyderm"), "pachyderm", {}, False, id="case counts"),
        pytest.param(Selector("a.c"), "abc", {}, False, id="no regular expressions"),
    ],
)
def test_selectors(selector: Selector, namespace: str, labels: dict[str, str], *, expected: bool) -> None:
    """aws.md §3, rules 1 and 2."""
    assert selects(selector, namespace, labels) is expected


PROFILES = (
    FargateProfile("fp-b", (Selector("other"), SEED)),
    FargateProfile("fp-a", (Selector("pachyderm"),)),
    FargateProfile("fp-c", (Selector("nowhere"),)),
)


@pytest.mark.parametrize(
    ("labels", "profile"),
    [
        pytest.param({"node": "fargate"}, "fp-a", id="the alphanumerically first"),
        pytest.param(
            {"node": "fargate", "eks.amazonaws.com/fargate-profile": "fp-b"},
            "fp-b",
            id="the one the pod names",
        ),
        pytest.param(
            {"node": "ec2", "eks.amazonaws.com/fargate-profile": "fp-b"},
            "fp-a",
            id="unless that does not match",
        ),
        pytest.param({"eks.amazonaws.com/fargate-profile": "fp-z"}, "fp-a", id="or does not exist"),
    ],
)
def test_which_profile_takes_a_pod(labels: dict[str, str], profile: str) -> None:
    """aws.md §3, rule 3."""
    found = profile_of("pachyderm", labels, PROFILES)
    assert found is not None
    assert found.name == profile


def test_a_pod_no_profile_matches_goes_to_the_ordinary_nodes() -> None:
    assert profile_of("default", {"node": "fargate"}, PROFILES) is None
    assert profile_of("pachyderm", {}, ()) is None


@pytest.mark.parametrize(
    ("pod", "expected"),
    [
        pytest.param(FargateCandidate(Resources(2000, 4352, 2048)), (), id="a stock worker"),
        pytest.param(FargateCandidate(Resources(gpu=1)), (Refusal.GPU,), id="GPU"),
        pytest.param(FargateCandidate(Resources(), arch="arm64"), (Refusal.ARM,), id="ARM"),
        pytest.param(FargateCandidate(Resources(), windows=True), (Refusal.WINDOWS,), id="Windows"),
        pytest.param(FargateCandidate(Resources(), daemon_set=True), (Refusal.DAEMON_SET,), id="DaemonSet"),
        pytest.param(FargateCandidate(Resources(), privileged=True), (Refusal.PRIVILEGED,), id="privileged"),
        pytest.param(FargateCandidate(Resources(), host_port=True), (Refusal.HOST_PORT,), id="host port"),
        pytest.param(FargateCandidate(Resources(), host_path=True), (Refusal.HOST_PATH,), id="host path"),
        pytest.param(FargateCandidate(Resources(), ebs_volume=True), (Refusal.EBS_VOLUME,), id="EBS"),
        pytest.param(
            FargateCandidate(Resources(), dynamic_efs=True), (Refusal.DYNAMIC_EFS,), id="dynamic EFS"
        ),
        pytest.param(FargateCandidate(Resources(17000)), (Refusal.TOO_LARGE,), id="17 vCPU"),
        pytest.param(FargateCandidate(Resources(ephemeral_mib=175 * 1024)), (), id="175 GiB of storage"),
        pytest.param(
            FargateCandidate(Resources(ephemeral_mib=175 * 1024 + 1)),
            (Refusal.STORAGE,),
            id="more than 175 GiB",
        ),
        pytest.param(
            FargateCandidate(Resources(16000, 120 * 1024, gpu=1)),
            (Refusal.GPU, Refusal.TOO_LARGE),
            id="all reasons",
        ),
    ],
)
def test_why_not_fargate(pod: FargateCandidate, expected: tuple[Refusal, ...]) -> None:
    """aws.md §2, §1.3 and §1.4."""
    assert refusals(pod, SIZES) == expected
