"""Whatever a spec or a ClusterConfig holds, reading it gives a value or one line that says what is wrong."""

import json
from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sim.adapters.eksctl.messages import MESSAGES as EKSCTL_MESSAGES
from sim.adapters.eksctl.read import read_cluster
from sim.adapters.pachyderm.keys import MESSAGES
from sim.adapters.pachyderm.spec import read_spec
from sim.decisions.pachyderm.requests import RequestRules, worker_requests
from sim.documents.fields import Field, root
from sim.documents.yaml_read import read_text
from sim.errors import InputError

SPEC_KEYS = sorted(
    {key for fields in MESSAGES.values() for key in fields} | {"standby", "chunk_spec", "atom"}
)
CLUSTER_KEYS = sorted({key for kinds in EKSCTL_MESSAGES.values() for key in kinds})
SCALARS = st.sampled_from(
    [
        None,
        True,
        0,
        -1,
        2,
        0.5,
        1e300,
        10**30,
        "",
        "p",
        "/*",
        "1Gi",
        "5",
        "600s",
        "@every 1h",
        "NoSchedule",
        "x:y",
    ]
)


def values(keys: list[str]) -> st.SearchStrategy[Any]:
    return st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(keys), inner, max_size=3),
        max_leaves=6,
    )


def attempt(read: Callable[[Field], Any], value: Any) -> tuple[Any, str]:
    """Return what was read, or the refusal."""
    try:
        return read(root(read_text(json.dumps(value), "f.json")[0])), ""
    except InputError as error:
        return None, str(error)


def one_line(refusal: str) -> bool:
    return refusal.startswith("f.json:1: ") and "\n" not in refusal


@given(st.dictionaries(st.sampled_from(SPEC_KEYS), values(SPEC_KEYS), max_size=5))
def test_specs(said: dict[str, Any]) -> None:
    sound: dict[str, Any] = {
        "pipeline": {"name": "p"},
        "transform": {"cmd": ["x"]},
        "input": {"pfs": {"repo": "r", "glob": "/"}},
    }
    read, refusal = attempt(read_spec, sound | said)
    assert read is not None or one_line(refusal)
    for rules in RequestRules if read else ():
        assert len(worker_requests(read.pipeline, rules).containers) == 3


@given(st.dictionaries(st.sampled_from(CLUSTER_KEYS), values(CLUSTER_KEYS), max_size=5), st.booleans())
def test_clusters(said: dict[str, Any], in_group: bool) -> None:
    sound: dict[str, Any] = {"managedNodeGroups": [{"name": "g"} | said]} if in_group else said
    read, refusal = attempt(lambda field: read_cluster(field, inline_region="us-east-1"), sound)
    assert read is not None or one_line(refusal)
