"""Editing a user's YAML: what is decided changes, every other line stays byte for byte."""

import copy
import difflib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.documents.yaml_edit import edited
from sim.documents.yaml_read import read_text
from tests.trees import places
from tests.unit.adapters.eksctl.cluster_configs import (
    ANCHORED,
    COMMENTED,
    CONFIGS,
    INDENTLESS,
    PRIVATE,
    SELF_MANAGED,
)

Change = Callable[[dict[str, Any]], None]
NEW = {"name": "new", "instanceTypes": ["m5.large"], "minSize": 0, "maxSize": 4}


def value_of(text: str) -> Any:
    return read_text(text)[0].value


def changed_lines(text: str, change: Change) -> list[str]:
    """Return what the diff shows, once the text says what is wanted."""
    wanted = copy.deepcopy(value_of(text))
    change(wanted)
    new = edited(text, wanted)
    assert value_of(new) == wanted
    diff = difflib.unified_diff(text.splitlines(), new.splitlines(), n=0, lineterm="")
    return [line for line in diff if not line.startswith(("---", "+++", "@@"))]


def set_to(*path: str | int, value: Any) -> Change:
    def change(wanted: dict[str, Any]) -> None:
        inner: Any = wanted
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = value

    return change


def without(*path: str | int) -> Change:
    def change(wanted: dict[str, Any]) -> None:
        inner: Any = wanted
        for step in path[:-1]:
            inner = inner[step]
        del inner[path[-1]]

    return change


GROUPS = "managedNodeGroups"


@pytest.mark.parametrize("text", CONFIGS.values(), ids=CONFIGS)
def test_nothing_decided_nothing_changed(text: str) -> None:
    assert edited(text, value_of(text)) == text


@pytest.mark.parametrize(
    ("text", "change", "lines"),
    [
        pytest.param(
            COMMENTED,
            set_to(GROUPS, 0, "maxSize", value=12),
            ["-    maxSize: 6     # 6 x $0.384", "+    maxSize: 12     # 6 x $0.384"],
            id="a number before a comment",
        ),
        pytest.param(
            COMMENTED,
            set_to("metadata", "version", value="1.34"),
            [
                "-  version: '1.33'        # quoted, or YAML makes 1.3 of 1.30",
                '+  version: "1.34"        # quoted, or YAML makes 1.3 of 1.30',
            ],
            id="a text in quotes stays one",
        ),
        pytest.param(
            COMMENTED,
            set_to(GROUPS, 0, "instanceTypes", 0, value="m6i.2xlarge"),
            [
                "-    instanceTypes: [ m5.2xlarge ,  m5a.2xlarge ]   # the first is what is simulated",
                "+    instanceTypes: [ m6i.2xlarge, m5a.2xlarge ]   # the first is what is simulated",
            ],
            id="a list of texts",
        ),
        pytest.param(
            COMMENTED,
            set_to(GROUPS, 0, "labels", "tier", value="1"),
            [
                '-    labels: { pool: general , team: "data" }',
                '+    labels: { pool: general , team: "data", tier: "1" }',
            ],
            id="a key more in a flow mapping",
        ),
        pytest.param(
            COMMENTED,
            without(GROUPS, 0, "labels", "pool"),
            ['-    labels: { pool: general , team: "data" }', '+    labels: { team: "data" }'],
            id="a key less in a flow mapping",
        ),
        pytest.param(
            COMMENTED,
            set_to(GROUPS, 0, "tags", "new", value="on"),
            ['+      new: "on"'],
            id="a key more in a block, behind its last line",
        ),
        pytest.param(
            COMMENTED,
            set_to(GROUPS, 0, "spot", value=True),
            ["+    spot: true"],
            id="a key more in a group",
        ),
        pytest.param(
            COMMENTED,
            without(GROUPS, 0, "minSize"),
            ["-    minSize: 1"],
            id="a line less",
        ),
        pytest.param(
            COMMENTED,
            lambda wanted: wanted[GROUPS].append(NEW),
            [
                "+  - name: new",
                "+    instanceTypes: [m5.large]",
                "+    minSize: 0",
                "+    maxSize: 4",
            ],
            id="a group more, behind a shell script",
        ),
        pytest.param(
            PRIVATE,
            lambda wanted: wanted[GROUPS].insert(1, NEW),
            ["+- name: new", "+  instanceTypes: [m5.large]", "+  minSize: 0", "+  maxSize: 4"],
            id="a group more in the middle of an indentless list",
        ),
        pytest.param(
            PRIVATE,
            set_to(GROUPS, 1, "spot", value=True),
            ["-  spot: false", "+  spot: true"],
            id="a boolean",
        ),
        pytest.param(
            ANCHORED,
            set_to(GROUPS, 1, "maxSize", value=9),
            ["+    maxSize: 9"],
            id="what << brings in is spelled out where it changes",
        ),
        pytest.param(
            ANCHORED,
            set_to(GROUPS, 0, "maxSize", value=9),
            ["-    maxSize: 3", "+    maxSize: 9", "+    maxSize: 3"],
            id="what others took from an anchor, they keep",
        ),
        pytest.param(
            ANCHORED,
            set_to(GROUPS, 2, "labels", "pool", value="other"),
            ["-    labels: *labels", "+    labels: {pool: other}"],
            id="an alias is replaced where it changes",
        ),
        pytest.param(
            ANCHORED,
            set_to(GROUPS, 0, "volumeSize", value=50),
            [
                "-    volumeSize: &disk 100",
                "+    volumeSize: &disk 50",
                "+    volumeSize: 100",
                "-    volumeSize: *disk",
                "+    volumeSize: 100",
            ],
            id="an anchor keeps its name",
        ),
        pytest.param(
            INDENTLESS,
            lambda wanted: wanted["fargateProfiles"].append(
                {"name": "fp-b", "selectors": [{"namespace": "b"}]}
            ),
            ["+- name: fp-b", "+  selectors:", "+    - {namespace: b}"],
            id="a profile more, behind one in flow style",
        ),
        pytest.param(
            INDENTLESS,
            set_to("addons", value=[{"name": "vpc-cni"}]),
            ["+  - {name: vpc-cni}"],
            id="a key that had no value",
        ),
        pytest.param(
            SELF_MANAGED,
            set_to("nodeGroups", 1, "maxSize", value=5),
            ["+    maxSize: 5"],
            id="a line more where the last one does not end",
        ),
        pytest.param(
            SELF_MANAGED,
            without("nodeGroups", 1),
            [
                "-  - name: steady",
                "-    instanceType: m5.xlarge",
                "-    desiredCapacity: 2",
                "-    volumeSize: 120",
                "-    volumeType: gp3",
                "-    volumeIOPS: 4000",
            ],
            id="a group less, behind a script",
        ),
    ],
)
def test_a_diff_touches_only_what_is_decided(text: str, change: Change, lines: list[str]) -> None:
    assert changed_lines(text, change) == lines


def test_a_group_less_whose_anchor_others_use() -> None:
    lines = changed_lines(ANCHORED, without(GROUPS, 0))
    assert not any(line.strip() == "c" or "- name: c" in line or "metadata" in line for line in lines)


SCALARS = st.sampled_from([0, 7, True, "m5.large", "1.33", "on", "a: b", None, 2.5])
VALUES: st.SearchStrategy[Any] = (
    SCALARS | st.just([]) | st.just({}) | st.just({"x": "y"}) | st.just(["p", {"q": ["r"]}]) | st.just([NEW])
)


@settings(max_examples=25)
@given(st.data())
def test_any_change_is_made_and_nothing_else(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(list(CONFIGS.values())))
    wanted = copy.deepcopy(value_of(text))
    for _ in range(data.draw(st.integers(1, 3))):
        *way, last = data.draw(st.sampled_from(places(wanted)))
        inner = wanted
        for step in way:
            inner = inner[step]
        if data.draw(st.booleans()):
            inner[last] = copy.deepcopy(data.draw(VALUES))
        elif isinstance(inner, dict) and data.draw(st.booleans()):
            inner["new key"] = copy.deepcopy(data.draw(VALUES))
        elif len(inner) > 1 or way:
            del inner[last]
        if not wanted:
            break
    if wanted:
        new = edited(text, wanted)
        assert value_of(new) == wanted
        assert edited(new, wanted) == new
