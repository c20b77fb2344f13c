"""Worker pods sized as the sheets' worked tables say (pachyderm.md §1.4, aws.md §1.3, §5.1 and §7.2)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import sim
from sim.errors import InputError

EDGES = {"resourceRequests": {"memory": "4Gi", "cpu": 1}, "parallelismSpec": {"constant": 5}}
GPU = {"resourceLimits": {"gpu": {"type": "nvidia.com/gpu", "number": 1}}}


def a_spec(folder: Path, *specs: dict[str, Any]) -> Path:
    file = folder / "pipeline.json"
    fixed = {"transform": {"cmd": ["true"]}, "input": {"pfs": {"repo": "images", "glob": "/*"}}}
    documents = [{"pipeline": {"name": f"p{n}"}, **fixed, **spec} for n, spec in enumerate(specs)]
    file.write_text("\n---\n".join(json.dumps(document) for document in documents), encoding="utf-8")
    return file


def sized(folder: Path, spec: dict[str, Any], **options: Any) -> sim.PodSize:
    (pod,) = sim.size(a_spec(folder, spec), **options)
    return pod


@pytest.mark.parametrize(
    ("spec", "version", "label", "usd_per_hour"),
    [
        pytest.param(EDGES, "2.11", "2vCPU 5GB", 0.103185, id="stock 2.8 worker for 1 cpu, 4Gi"),
        pytest.param(EDGES, "2.6", "1vCPU 5GB", 0.062705, id="the same before cluster defaults"),
        pytest.param({}, "pre-2.5", "0.25vCPU 0.5GB", 0.012343, id="no requests before 2.5: the smallest"),
        pytest.param({}, "2.6", "1vCPU 2GB", 0.04048 + 2 * 0.004445, id="no requests, 2.5 to 2.7"),
        pytest.param({}, "2.11", "2vCPU 4GB", 2 * 0.04048 + 4 * 0.004445, id="no requests since 2.8"),
    ],
)
def test_fargate_size_and_price(
    tmp_path: Path, spec: dict[str, Any], version: str, label: str, usd_per_hour: float
) -> None:
    offer = sized(tmp_path, spec, pachyderm=version).fargate
    assert offer.size is not None
    assert offer.size.label == label
    assert offer.usd_per_hour == pytest.approx(usd_per_hour, abs=1e-6)


def test_the_warning_of_the_smallest_size_is_for_old_versions_only(tmp_path: Path) -> None:
    (old,) = sized(tmp_path, {}, pachyderm="pre-2.5").warnings
    assert "0.25vCPU 0.5GB" in old
    assert "killed for want of memory" in old
    (new,) = sized(tmp_path, {}, pachyderm="2.8").warnings
    assert "cluster defaults ask for 1 cpu and 256Mi" in new
    assert "not land on Fargate's smallest size" in new
    assert sized(tmp_path, EDGES, pachyderm="pre-2.5").warnings == ()


def test_advice_on_a_gib_that_one_mib_too_many_buys(tmp_path: Path) -> None:
    lean = EDGES | {"sidecarResourceRequests": {"cpu": 0, "memory": "0"}}
    (advice,) = sized(tmp_path, lean, pachyderm="2.6").fargate.advice
    assert advice == (
        "256 MiB less memory (3840 MiB in all, as Fargate adds 256 MiB) lands on 1vCPU 4GB "
        "at $0.058260/h, 7.1% less"
    )


def test_advice_on_the_sidecar_of_cluster_defaults(tmp_path: Path) -> None:
    (advice,) = sized(tmp_path, EDGES, pachyderm="2.11").fargate.advice
    assert "sidecarResourceRequests {cpu: 0} lands on 1vCPU 5GB at $0.062705/h, 39.2% less" in advice


def test_a_gpu_worker_is_not_admitted_and_fits_gpu_nodes_only(tmp_path: Path) -> None:
    pod = sized(tmp_path, GPU)
    assert pod.fargate.size is None
    assert pod.fargate.refusals == ("Fargate has no GPUs",)
    assert {offer.instance_type.partition(".")[0] for offer in pod.nodes} <= {"g4dn", "g5", "g6", "gr6", "p3"}
    named = sized(tmp_path, GPU, instance_types=["g4dn.xlarge", "m5.xlarge"]).nodes
    assert [(offer.pods, offer.limited_by) for offer in named] == [(1, "cpu"), (0, "gpu")]


def test_a_pod_beyond_119_75_gib_fits_no_fargate_size(tmp_path: Path) -> None:
    pod = sized(tmp_path, {"resourceRequests": {"memory": "120Gi", "cpu": 16}})
    assert pod.fargate.refusals == ("no Fargate size holds its requests and 256 MiB",)


def test_three_small_workers_fit_an_m5_xlarge_and_four_do_not(tmp_path: Path) -> None:
    (offer,) = sized(tmp_path, EDGES, pachyderm="2.6", instance_types=["m5.xlarge"]).nodes
    assert (offer.pods, offer.nodes) == (3, 2)
    assert offer.usd_per_hour == pytest.approx(2 * 0.2008, abs=1e-4)  # with its volume (aws.md §5.1)


def test_every_document_of_a_file_is_sized_with_what_was_dropped(tmp_path: Path) -> None:
    file = a_spec(tmp_path, EDGES, {"resourceRequests": {"memory": "4 gigs", "cpu": 1}})
    whole, dropped = sim.size(file, pachyderm="2.6")
    assert [whole.pipeline, dropped.pipeline] == ["default/p0", "default/p1"]
    assert whole.warnings == ()
    assert any("4 gigs" in warning for warning in dropped.warnings)
    assert json.dumps(dropped.document())


@pytest.mark.parametrize(
    "options",
    [{"region": "us-east-9"}, {"pachyderm": "1.99x"}, {"instance_types": ["m5.xlrage"]}],
    ids=str,
)
def test_unknown_words_are_input_errors(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        sim.size(a_spec(tmp_path, EDGES), **options)


def test_a_region_without_a_fargate_price_still_sizes(tmp_path: Path) -> None:
    offer = sized(tmp_path, EDGES, region="il-central-1").fargate
    assert offer.size is not None
    assert offer.usd_per_hour is None
