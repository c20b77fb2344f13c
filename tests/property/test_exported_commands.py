"""The commands of an exported README, pasted into a shell: whatever names there are, only tools run.

Every place of a scenario and of its files that takes a text is given one that a shell would run. It is
refused, or the commands run with stubs of the tools as the only programs, and nothing else is run.
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from sim.deploy.plan import plan_files
from sim.deploy.predictions import prediction
from sim.deploy.roles import POLICY, Role
from sim.errors import InputError
from sim.loader import load
from sim.study.replicate import simulate
from tests.unit.deploy.plans import CLUSTER, SCENARIO, written

TOOLS = ("aws", "eksctl", "helm", "kubectl", "pachctl", "pachsim", "sed")
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAYLOADS = st.sampled_from(
    [
        "$(touch pwned)",
        "`touch pwned`",
        "a; touch pwned",
        "a && touch pwned #",
        "a'; touch pwned; '",
        'a"; touch pwned; "',
        "a | touch pwned",
        "> pwned",
        "a\\\n```\n\n```sh\ntouch pwned",
        "```sh touch pwned",
        "--out=$(touch pwned)",
        "x${IFS}$(touch${IFS}pwned)",
        "*",
        "~",
        "a b",
    ]
)
CONFIG = CLUSTER.replace(
    "    maxSize: 4   # bounds the bill\n",
    "    maxSize: 4\n    labels: {LABEL: LABEL_VALUE}\n    tags: {TAG: TAG_VALUE}\n"
    "  - {name: gpu, instanceTypes: [m5.large], minSize: 0, maxSize: 1, labels: {k: EMPTY},\n"
    "     taints: [{key: t, value: TAINT, effect: NoSchedule}]}\n",
).replace("name: fp-workers", "name: PROFILE")
PLAN = SCENARIO.replace(
    "horizon: 6h", "name: NAME\nquestion: QUESTION\nhorizon: 6h\npachyderm: {namespace: SPACE}"
) + ("base_load: [{name: LOAD, namespace: POD_SPACE, priority: -5, requests: {cpu: 1}}]\n")
SOUND = {
    "NAME": "plan",
    "QUESTION": "why",
    "SPACE": "default",
    "LOAD": "warm",
    "POD_SPACE": "default",
    "PROFILE": "fp-workers",
    "LABEL": "team",
    "LABEL_VALUE": "a",
    "TAG": "owner",
    "TAG_VALUE": "b",
    "EMPTY": "c",
    "TAINT": "d",
}


def filled(text: str, values: dict[str, str]) -> str:
    """Return a text with YAML strings in the places of capital words."""
    words = re.compile(rf"\b({'|'.join(sorted(values, key=len, reverse=True))})\b")
    return words.sub(lambda found: json.dumps(values[found[0]]), text)


def shell(folder: Path, commands: str) -> tuple[set[str], str]:
    """Run commands with the tools' stubs as the only programs; return the files there then, and stderr."""
    stubs = folder / "stubs"
    stubs.mkdir()
    for tool in (*TOOLS, "touch"):
        (stubs / tool).write_text(f'#!/bin/bash\n[ {tool} = touch ] && : > "$1"\nexit 0\n')
        (stubs / tool).chmod(0o755)
    (folder / "work").mkdir()
    done = subprocess.run(
        ["/bin/bash", "-c", commands],
        cwd=folder / "work",
        env={"PATH": str(stubs)},
        capture_output=True,
        text=True,
        check=False,
    )
    return {path.name for path in (folder / "work").iterdir()}, done.stderr


@pytest.mark.parametrize("tool", TOOLS)
def test_the_shell_of_this_test_sees_what_is_run(tmp_path: Path, tool: str) -> None:
    assert shell(tmp_path, f"{tool} $(touch pwned)") == ({"pwned"}, "")


@pytest.fixture(scope="module")
def promised(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return prediction(simulate(load(written(tmp_path_factory.mktemp("plan")))))


@settings(max_examples=40)
@given(st.sampled_from(sorted(SOUND)), PAYLOADS)
def test_commands_of_a_readme(
    tmp_path_factory: pytest.TempPathFactory, promised: dict[str, Any], place: str, payload: str
) -> None:
    folder = tmp_path_factory.mktemp("plan")
    values = {**SOUND, place: payload}
    path = written(folder / "in", filled(PLAN, values))
    (folder / "in" / "clusters" / "work.yaml").write_text(filled(CONFIG, values), encoding="utf-8")
    try:
        scenario = load(path)
        files = plan_files(scenario, promised | {"warnings": [payload]}, Role(POLICY))
    except InputError:
        event("refused")
        return
    readme = files["README.md"].decode()
    assert readme.replace("\n", "").isprintable()
    blocks = BLOCK.findall(readme)
    assert len(blocks) > 4
    there, errors = shell(folder, "\n".join(blocks))
    assert there <= {"trust.json"}
    assert errors == ""
