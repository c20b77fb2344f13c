from __future__ import annotations

import csv
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from sim.catalog import DATA, Catalog
from sim.decisions.aws.fargate import cheaper_request, fargate_size
from sim.model.resources import MIB, Container, Resources, pod_requests

SIZES = Catalog().fargate_sizes()

containers = st.lists(
    st.builds(
        Container,
        name=st.just("c"),
        cpu_m=st.integers(0, 9000),
        memory_bytes=st.integers(0, 70 * 1024 * MIB)
        | st.integers(0, 140).map(lambda n: n * 1024 * MIB - 256 * MIB),
        init=st.booleans(),
    ).filter(lambda c: c.memory_bytes >= 0),
    max_size=4,
).map(tuple)


@given(containers)
def test_the_size_is_the_algorithm_on_exact_bytes(pod: tuple[Container, ...]) -> None:
    """aws.md §1.2, word for word, in bytes and thousandths."""
    running = [c for c in pod if not c.init]
    starting = [c for c in pod if c.init]
    cpu_m = max(sum(c.cpu_m for c in running), *(c.cpu_m for c in starting), 0)
    memory = max(sum(c.memory_bytes for c in running), *(c.memory_bytes for c in starting), 0) + 256 * MIB
    with (DATA / "fargate_sizes.csv").open(encoding="utf-8", newline="") as file:
        combos = [(float(r["vcpu"]), float(r["memory_gib"])) for r in csv.DictReader(file)]
    expected = next(
        (c for c in sorted(combos) if c[0] * 1000 >= cpu_m and c[1] * 1024 * MIB >= memory),
        None,
    )
    size = fargate_size(pod_requests(pod), SIZES)
    assert (size and (size.vcpu_m / 1000, size.memory_mib / 1024)) == expected


def test_advice_is_smaller_and_near_for_every_whole_request() -> None:
    for cpu_m, gib in product((0, 250, 500, 1000, 2000, 4000, 8000, 16000), range(1, 121)):
        requests = Resources(cpu_m, gib * 1024)
        advice, size = cheaper_request(requests, SIZES), fargate_size(requests, SIZES)
        if advice is None or size is None:
            continue
        assert requests.memory_mib - 256 <= advice.memory_mib < requests.memory_mib
        assert advice.size < size
        assert advice.size.memory_mib < size.memory_mib
