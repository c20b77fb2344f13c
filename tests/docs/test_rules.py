"""docs/rules.md: every rule has a test, every test exists, and every section it cites is in its sheet."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from tests.conftest import PROJECT

PAGE = (PROJECT / "docs" / "rules.md").read_text(encoding="utf-8")
TOPICS = (
    "Pachyderm", "kube-scheduler", "Cluster Autoscaler", "EC2", "Fargate", "Memory", "Bill", "Latency",
    "Export", "Karpenter",
)  # fmt: skip
SECTION = re.compile(r"([a-z-]+\.md) §([\d.]+)")
TEST = re.compile(r"`([\w/]+\.py)::([\w:]+)`")

Rule = tuple[str, str, str, str]  # topic, rule, sheet and section, tests


def rules() -> list[Rule]:
    found = []
    for part in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]:
        topic, _, body = part.partition("\n")
        for line in body.splitlines():
            cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
            if line.startswith("|") and not line.startswith(("|---", "| rule |")):
                rule, section, tests = cells
                found.append((topic.strip(), rule, section, tests))
    return found


RULES = rules()


@cache
def names_in(file: str) -> frozenset[str]:
    """Return the tests of a file as pytest names them, without parameters."""
    tree = ast.parse((PROJECT / "tests" / file).read_text(encoding="utf-8"))
    names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    for cls in (node for node in tree.body if isinstance(node, ast.ClassDef)):
        names |= {f"{cls.name}::{node.name}" for node in cls.body if isinstance(node, ast.FunctionDef)}
    return frozenset(name for name in names if name.split("::")[-1].startswith("test_"))


def test_every_topic_has_rules_and_no_rule_is_told_twice() -> None:
    assert [*dict.fromkeys(topic for topic, *_ in RULES)] == [*TOPICS]
    told = [(topic, rule) for topic, rule, *_ in RULES]
    assert len(told) == len(set(told)) > 100


@pytest.mark.parametrize(
    ("rule", "tests"), [pytest.param(rule, tests, id=rule) for _, rule, _, tests in RULES]
)
def test_a_rule_has_tests_that_exist(rule: str, tests: str) -> None:
    named = TEST.findall(tests)
    assert named, f"no test for: {rule}"
    assert tests == ", ".join(f"`{file}::{name}`" for file, name in named)
    for file, name in named:
        assert (PROJECT / "tests" / file).is_file(), file
        assert name in names_in(file), f"{file}::{name}"


def test_every_rule_cites_a_section() -> None:
    """``test_citations.py`` follows it."""
    assert [rule for _, rule, section, _ in RULES if not SECTION.fullmatch(section)] == []
