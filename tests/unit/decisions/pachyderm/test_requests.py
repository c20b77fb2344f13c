"""Worker requests against the worked pods of pachyderm.md §1.4 and the opt-outs below it."""

from dataclasses import replace

import pytest

from sim.decisions.pachyderm.requests import (
    EMPTIED_DEFAULTS,
    STOCK_DEFAULTS,
    RequestRules,
    WorkerRequests,
    request_rules,
    worker_requests,
)
from sim.errors import InputError
from sim.model.pipelines import ClusterDefaults, Gpu, Pipeline, ResourceSpec
from sim.model.resources import MIB, Container

GIB = 1024 * MIB
SEED = Pipeline("edges", resource_requests=ResourceSpec(cpu=1, memory_bytes=4 * GIB))
BARE = Pipeline("bare")
LIMITED = Pipeline("limited", resource_limits=ResourceSpec(memory_bytes=8 * GIB))


def pod_total(requests: WorkerRequests, amount: str) -> int:
    """Return max(init, sum of user and storage) of one amount."""
    init, user, storage = (int(getattr(container, amount)) for container in requests.containers)
    return max(init, user + storage)


@pytest.mark.parametrize(
    ("spec", "version", "defaults", "cpu_m", "memory_bytes", "ephemeral_bytes"),
    [
        pytest.param(SEED, "2.8", STOCK_DEFAULTS, 2000, 4352 * MIB, 2 * GIB, id="seed, 2.8 stock"),
        pytest.param(SEED, "2.12", STOCK_DEFAULTS, 2000, 4352 * MIB, 2 * GIB, id="seed, 2.12 stock"),
        pytest.param(SEED, "2.6", STOCK_DEFAULTS, 1000, 4_358_967_296, 0, id="seed, 2.6"),
        pytest.param(SEED, "2.7", STOCK_DEFAULTS, 1000, 4_358_967_296, 0, id="seed, 2.7"),
        pytest.param(SEED, "2.8", EMPTIED_DEFAULTS, 1000, 4_358_967_296, 0, id="seed, 2.8 emptied"),
        pytest.param(BARE, "2.8", STOCK_DEFAULTS, 2000, 512 * MIB, 2 * GIB, id="no requests, 2.8 stock"),
        pytest.param(BARE, "2.5", STOCK_DEFAULTS, 1000, 332_435_456, GIB, id="no requests, 2.5"),
        pytest.param(BARE, "2.7.3", STOCK_DEFAULTS, 1000, 332_435_456, GIB, id="no requests, 2.7"),
        pytest.param(BARE, "2.11", EMPTIED_DEFAULTS, 1000, 332_435_456, GIB, id="no requests, emptied"),
        pytest.param(BARE, "pre-2.5", STOCK_DEFAULTS, 0, 128_000_000, 0, id="no requests, before 2.5"),
        pytest.param(LIMITED, "2.8", STOCK_DEFAULTS, 2000, 512 * MIB, 2 * GIB, id="only a memory limit"),
    ],
)
def test_worked_pods(
    spec: Pipeline,
    version: str,
    defaults: ClusterDefaults,
    cpu_m: int,
    memory_bytes: int,
    ephemeral_bytes: int,
) -> None:
    requests = worker_requests(spec, request_rules(version), defaults)
    assert pod_total(requests, "cpu_m") == cpu_m
    assert pod_total(requests, "memory_bytes") == memory_bytes
    assert pod_total(requests, "ephemeral_bytes") == ephemeral_bytes
    assert requests.problems == ()


def test_the_seed_container_by_container() -> None:
    assert worker_requests(SEED, RequestRules.V2_8).containers == (
        Container("init", 1000, 4 * GIB, GIB, init=True),
        Container("user", 1000, 4 * GIB, GIB),
        Container("storage", 1000, 256 * MIB, GIB),
    )


def test_a_memory_limit_alone_leaves_the_small_default_request() -> None:
    user = worker_requests(LIMITED, RequestRules.V2_8).containers[1]
    assert (user.memory_bytes, user.limit_memory_bytes) == (256 * MIB, 8 * GIB)


def test_before_cluster_defaults_limits_alone_become_the_requests() -> None:
    limits = ResourceSpec(cpu=2, memory_bytes=4 * 10**9, gpu=Gpu(1))
    requests = worker_requests(Pipeline("checkpoint", resource_limits=limits), RequestRules.V2_6)
    init, user, storage = requests.containers
    assert (user.cpu_m, user.memory_bytes, user.gpu) == (2000, 4 * 10**9, 1)
    assert (init.cpu_m, init.memory_bytes, init.gpu) == (0, 64_000_000, 1)
    assert (storage.cpu_m, storage.memory_bytes, storage.gpu) == (0, 64_000_000, 0)
    assert pod_total(requests, "gpu") == 1
    assert (requests.unset_cpu_m, requests.unset_memory_mib) == (0, 0)


def test_a_gpu_given_only_in_the_limits_is_requested() -> None:
    spec = Pipeline("train", resource_limits=ResourceSpec(gpu=Gpu(2)))
    assert worker_requests(spec, RequestRules.V2_8).containers[1].gpu == 2


def test_an_empty_message_changes_nothing_on_2_8() -> None:
    emptied = replace(BARE, resource_requests=ResourceSpec())
    assert worker_requests(emptied, RequestRules.V2_8) == worker_requests(BARE, RequestRules.V2_8)


def test_a_nulled_message_falls_back_to_the_builders_own_default() -> None:
    nulled = replace(BARE, nulled=frozenset({"resource_requests"}))
    assert worker_requests(nulled, RequestRules.V2_8).containers[1] == Container("user", 1000, 256 * MIB, GIB)


def test_only_nulling_each_leaf_opts_out() -> None:
    leaves = ResourceSpec(nulled=frozenset({"cpu", "memory", "disk"}))
    requests = worker_requests(replace(BARE, resource_requests=leaves), RequestRules.V2_8)
    assert requests.containers[1] == Container("user")
    assert (requests.unset_cpu_m, requests.unset_memory_mib) == (100, 200)


def test_an_empty_message_opts_out_before_2_8() -> None:
    requests = worker_requests(replace(BARE, resource_requests=ResourceSpec()), RequestRules.V2_5)
    assert requests.containers[1] == Container("user")


def test_before_2_5_a_leaf_left_out_keeps_its_default() -> None:
    spec = replace(BARE, resource_requests=ResourceSpec(cpu=1))
    user = worker_requests(spec, RequestRules.PRE_2_5).containers[1]
    assert (user.cpu_m, user.memory_bytes) == (1000, 64_000_000)


def test_a_smaller_sidecar_halves_the_cpu_of_a_small_pipeline() -> None:
    spec = replace(SEED, sidecar_resource_requests=ResourceSpec(cpu=0.1))
    storage = worker_requests(spec, RequestRules.V2_8).containers[2]
    assert storage == Container("storage", 100, 256 * MIB, GIB)
    assert worker_requests(spec, RequestRules.V2_6).containers[2] == Container("storage", 100)
    assert worker_requests(spec, RequestRules.V2_5).containers[2] == Container("storage", 0, 64_000_000)


@pytest.mark.parametrize(
    ("cpu", "cpu_m"), [(0.1, 100), (0.0001, 1), (0.33333334, 334), (16.001, 16001), (0.7, 700)]
)
def test_cores_are_printed_with_six_decimals_and_rounded_up(cpu: float, cpu_m: int) -> None:
    spec = replace(BARE, resource_requests=ResourceSpec(cpu=cpu))
    assert worker_requests(spec, RequestRules.V2_6).containers[1].cpu_m == cpu_m


def test_what_kubernetes_would_refuse_is_said() -> None:
    tight = replace(BARE, resource_limits=ResourceSpec(memory_bytes=128 * MIB))
    assert "more memory" in worker_requests(tight, RequestRules.V2_8).problems[0]
    unlimited = replace(BARE, resource_requests=ResourceSpec(gpu=Gpu(1)))
    assert "without an equal limit" in worker_requests(unlimited, RequestRules.V2_8).problems[0]


@pytest.mark.parametrize(
    ("version", "rules"),
    [
        ("pre-2.5", RequestRules.PRE_2_5),
        ("1.13", RequestRules.PRE_2_5),
        ("2.4.1", RequestRules.PRE_2_5),
        ("2.5", RequestRules.V2_5),
        ("2.7", RequestRules.V2_6),
        ("v2.8.0", RequestRules.V2_8),
        ("2.12", RequestRules.V2_8),
    ],
)
def test_versions(version: str, rules: RequestRules) -> None:
    assert request_rules(version) is rules


@pytest.mark.parametrize("version", ["", "2", "2.13", "3.0", "latest", "2.x"])
def test_unknown_versions(version: str) -> None:
    with pytest.raises(InputError, match=r"2\.5 to 2\.12"):
        request_rules(version)
