"""Hostile inputs: shipped files, options and texts of --set, with things in them that nobody would write.

An input is a folder of files and a command line, drawn from a seed and a number alone.
"""

# ruff: noqa: E501  # tables of hostile texts

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.conftest import PROJECT

SCENARIOS = ("edges-fargate", "edges-autoscaled", "edges-static", "trace-replay", "training-spot-gpu")
STUDIES = ("edges-first", "edges-placement", "training-spot")
CONTROLS = ["\x1b[31m", "\x1b]0;x\x07", "\x9b31m", "\x7f", "\u202e", "\u2028", "\x00", "\ud800", "\r", "\t"]
TEXTS: list[Any] = [
    "", " ", "x" * 300, "x" * 250_000, "../../evil", "/etc/passwd", ".", "..", "a/b", "a\\b", "=1+1", "@SUM(1)",
    "$(touch pwned)", "`touch pwned`", "'; touch pwned", "-n", "--help", "$x$", "$\\frac", "{x}", "%s", "[red]x[/red]",
    "null", "true", "yes", "NaN", ".inf", "-.inf", "1e308", "1e400", "0x1F", "010", "1_000", "1:30", "2024-01-01",
    "10m", "-1s", "1us", "1e9d", "100000000000d", "4/h", "1e-30/h", "1e30/s", "5%", "101%", "-5%", "1Ei", "1e300Gi",
    "9" * 100, "9" * 5000, "*", "&a", "*a", "!!int x", "<<", "a: b", "- a", "[", "{", "\"", "'", "#", "é", "縁", "🙂",
    "@every 1us", "@daily", "*/0 * * * *", "0 0 31 2 *", "p95", "p0", "p100", "m5.2xlarge", "us-east-1", "default",
    *CONTROLS, *(f"a{each}b" for each in CONTROLS),
]  # fmt: skip
NUMBERS: list[Any] = [
    0, 1, -1, 2, 3, 7, 10**6, 2 * 10**9, 2**31, 2**32, 2**53, 2**63 - 1, 2**63, 2**64, -(2**63), 10**18, 10**30,
    10**300, 10**400, 0.0, -0.0, 0.5, 1e-9, 1e-300, 5e-324, 1e15, 1e300, float("inf"), float("-inf"), float("nan"),
]  # fmt: skip
SHAPES: list[Any] = [
    None,
    True,
    False,
    [],
    {},
    [[]],
    [None],
    {"": None},
    {"a": {"b": {}}},
    [1, 2],
    {"x": 1},
    [{}] * 3,
]
BYTES = [b"\x00", b"\xff\xfe", b"\x1b[31m", b"\xe2\x80\xae", b"\n", b"\t", b"{", b"}", b"[", b"]", b":", b"-", b"&a ",
         b"*a", b"<<: *a", b'"', b"'", b"#", b"|", b">", b"%", b"@", b"!", b"---\n", b"? ", b"1e999", b"9" * 400]  # fmt: skip
SET_PATHS = (
    "horizon", "name", "question", "seed", "start", "warmup", "region", "cluster.autoscaler.scan-interval",
    "cluster.autoscaler.expander", "cluster.eksctl.managedNodeGroups[0].maxSize", "pipelines[0].datum_time",
    "pipelines[0].commits", "pipelines[0].spec.parallelismSpec.constant", "pipelines[0].parallelismSpec.constant",
    "pipelines[0].datums.new_per_commit", "pods[0].arrivals", "pods[0].duration", "base_load", "base_load[0].replicas",
    "slo.job_latency", "prices.instances", "latency.ec2.ready", "images", "pachyderm.namespace", "pachyderm.version",
    "", "a", "a.b", "[0]", "pipelines[", "pipelines]", "pipelines[99]", "pipelines[edges", "..", "x[y].z", "horizon.x",
)  # fmt: skip


@dataclass(frozen=True)
class Input:
    """Files by name, and what is typed; ``simulates`` where a run may take its time."""

    files: dict[str, bytes]
    command: list[str]
    simulates: bool = False


@cache
def shipped(*folders: str) -> dict[str, bytes]:
    """Return the files of the project's folders, by path."""
    return {
        path.relative_to(PROJECT).as_posix(): path.read_bytes()
        for folder in folders
        for path in sorted((PROJECT / folder).rglob("*"))
        if path.suffix in {".yaml", ".json", ".csv"} and "schema" not in path.name
    }


def scalar(draw: random.Random) -> Any:
    """Return a value that a field may not expect."""
    return draw.choice(draw.choice([TEXTS, NUMBERS, SHAPES]))


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of everything in a document."""
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    return [path, *(place for key, child in children for place in places(child, (*path, key)))]


def changed(draw: random.Random, value: Any) -> Any:
    """Return a document with one to three places replaced, taken away, repeated, moved or called otherwise."""
    value = json.loads(json.dumps(value, default=str))
    for _ in range(draw.choice([1, 1, 1, 2, 3])):
        inner = [place for place in places(value) if place]
        if not inner:
            return scalar(draw)
        *way, key = draw.choice(inner)
        holder = value
        for step in way:
            holder = holder[step]
        match draw.randrange(6):
            case 0 if isinstance(holder, dict):
                holder[str(draw.choice(TEXTS))] = holder.pop(key)
            case 1:
                del holder[key]
            case 2 if isinstance(holder, list):
                holder += [holder[key]] * draw.choice([1, 1, 50])
            case 3 if isinstance(holder, dict):
                holder[str(draw.choice(TEXTS))] = scalar(draw)
            case _:
                holder[key] = scalar(draw)
    return value


def written(draw: random.Random, value: Any) -> bytes:
    """Return a document as JSON or YAML; what no UTF-8 can say is replaced."""
    try:
        text = json.dumps(value) if draw.random() < 0.5 else yaml.safe_dump(value, allow_unicode=True)
    except (yaml.YAMLError, ValueError):
        text = json.dumps(value)
    return text.encode("utf-8", "replace")


def torn(draw: random.Random, content: bytes) -> bytes:
    """Return bytes that were flipped, cut, doubled, mixed up or put into."""
    at = draw.randrange(len(content) + 1)
    to = min(len(content), at + draw.choice([1, 2, 10, 200]))
    match draw.randrange(6):
        case 0 if content:
            at = draw.randrange(len(content))
            return content[:at] + bytes([content[at] ^ (1 << draw.randrange(8))]) + content[at + 1 :]
        case 1:
            return content[:at]
        case 2:
            return content[:at] + content[to:]
        case 3:
            return content[:at] + content[at:to] * draw.choice([2, 3, 2000]) + content[to:]
        case 4:
            lines = content.splitlines(keepends=True)
            draw.shuffle(lines)
            return b"".join(lines)
    return content[:at] + draw.choice(BYTES) + content[at:]


def hostile(draw: random.Random, name: str, content: bytes) -> bytes:
    """Return what a file may hold instead."""
    if draw.random() < 0.35 or name.endswith(".csv"):
        return torn(draw, content)
    if draw.random() < 0.03:
        return draw.choice([b"", b"\x00", b"[" * 100_000, b"- " * 100_000, b'{"a":' * 100_000, b"a: &a [*a]"])
    values = list(yaml.safe_load_all(content))
    return b"\n---\n".join(written(draw, changed(draw, value)) for value in values)


def options(draw: random.Random, *names: str) -> list[str]:
    """Return some options of a command, with values that may not fit."""
    words = []
    for name in names:
        if draw.random() < 0.15:
            value = (
                str(draw.choice(draw.choice([TEXTS, NUMBERS])))[:2000]
                .replace("\x00", "")
                .replace("\ud800", "")
            )
            words += [f"--{name}={value}"]
    return words


def sets(draw: random.Random, most: int = 2) -> list[str]:
    """Return some --set, most of them of paths that are there."""
    words = []
    for _ in range(draw.randint(0, most)):
        value = scalar(draw)
        text = value if isinstance(value, str) else json.dumps(value)
        text = f"{draw.choice(SET_PATHS)}{draw.choice(['=', '=', '=', '', '=='])}{text}"
        words += ["--set", text[:100_000].replace("\x00", "").replace("\ud800", "")]
    return words


def of_a_scenario(draw: random.Random, command: list[str], *, simulates: bool, more: list[str]) -> Input:
    """Return a command on a shipped scenario, of which a file, --set or an option is hostile."""
    files = dict(shipped("scenarios"))
    name = draw.choice(SCENARIOS)
    words = sets(draw, 1 if draw.random() < 0.4 else 0)
    if not words or draw.random() < 0.5:
        near = [each for each in files if name in each or ("edges" in name and "edges.json" in each)]
        near += ["scenarios/traces/synthetic.csv"] if name == "trace-replay" else []
        file = draw.choice([f"scenarios/{name}.yaml", *near])
        files[file] = hostile(draw, file, files[file])
    if simulates:
        words += ["--set", "horizon=20m", "--set", "warmup=0s"]
    return Input(files, [*command, f"scenarios/{name}.yaml", *words, *more], simulates)


def check(draw: random.Random) -> Input:
    """Check a scenario."""
    return of_a_scenario(draw, ["check"], simulates=False, more=options(draw, "format"))


def run(draw: random.Random) -> Input:
    """Run one, sometimes into a folder."""
    out = ["--out", draw.choice(["out", "out", "out/a/b", "/dev/full/x", "out/" + "x" * 300, "scenarios"])]
    more = options(draw, "seed", "format", "precision")
    more += out if draw.random() < 0.1 else []
    return of_a_scenario(draw, ["run", "--replications", "1"], simulates=True, more=more)


def compare(draw: random.Random) -> Input:
    """Compare a scenario with itself under other values."""
    vary = [
        f"--vary=pipelines[0].parallelismSpec.constant={draw.choice(['1,2', '1', '', ',', '1,x', '=', '1,1'])}"
    ]
    more = [*options(draw, "seed", "format", "indifference"), *(vary if draw.random() < 0.5 else [])]
    return of_a_scenario(draw, ["compare", "--replications", "2"], simulates=True, more=more)


def export(draw: random.Random) -> Input:
    """Export a scenario."""
    more = ["--replications", "1", *options(draw, "seed", "execution-role", "alternative")]
    more += ["--out", draw.choice(["out", "out", "out/a", "scenarios", ".", "/dev/null"])]
    return of_a_scenario(draw, ["export"], simulates=True, more=more)


def search(draw: random.Random) -> Input:
    """Search a study, of which something is hostile; the budget is small."""
    files = dict(shipped("scenarios", "studies"))
    name = f"studies/{draw.choice(STUDIES)}.yaml"
    files[name] = hostile(draw, name, files[name])
    more = options(draw, "budget", "precision", "format")
    more = more if any("--budget" in each for each in more) else [*more, "--budget", "4"]
    return Input(files, ["search", name, "--workers", "1", *more], simulates=True)


def size(draw: random.Random) -> Input:
    """Size a spec."""
    files = dict(shipped("scenarios/pipelines"))
    name = draw.choice(sorted(files))
    files[name] = hostile(draw, name, files[name])
    return Input(files, ["size", name, *options(draw, "region", "pachyderm", "instance-type", "format")])


def init(draw: random.Random) -> Input:
    """Draft a scenario from specs, a ClusterConfig and what a cluster says of itself."""
    files = dict(shipped("scenarios")) | {"live.json": json.dumps(LIVE).encode(), "ca.yaml": VALUES}
    given = {
        "--pipelines": "scenarios/pipelines/edges.json",
        "--eksctl": "scenarios/clusters/edges-autoscaled.yaml",
        "--nodes": "live.json",
        "--autoscaler": "ca.yaml",
        "--workload": "scenarios/edges-fargate.yaml",
    }
    some = ["--pipelines", *draw.sample(list(given)[1:], draw.randint(1, 3))]
    file = given[draw.choice(some)]
    files[file] = hostile(draw, file, files[file])
    words = [word for option in some for word in (option, given[option])]
    return Input(
        files, ["init", *words, "-o", draw.choice(["out", "out", "out", ".", "/dev/full/x", "out/x"])]
    )


def odd(draw: random.Random) -> Input:
    """Type something that is no command as it should be."""
    words = [
        "run",
        "check",
        "catalog",
        "search",
        "export",
        "size",
        "init",
        "compare",
        "instances",
        "fargate",
        "--seed",
    ]
    some = [draw.choice([*words, *TEXTS])[:2000] for _ in range(draw.randint(1, 4))]
    return Input({}, [each.replace("\x00", "").replace("\ud800", "") for each in some])


LIVE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "List",
    "items": [
        {
            "kind": "Node",
            "metadata": {
                "name": "ip-10-0-0-1.ec2.internal",
                "labels": {
                    "node.kubernetes.io/instance-type": "m5.2xlarge",
                    "topology.kubernetes.io/zone": "us-east-1a",
                    "eks.amazonaws.com/nodegroup": "w",
                },
            },
            "spec": {"providerID": "aws:///us-east-1a/i-1"},
            "status": {
                "allocatable": {"cpu": "7910m", "memory": "30Gi", "pods": "58"},
                "capacity": {"cpu": "8", "memory": "31Gi", "pods": "58"},
                "nodeInfo": {"kubeletVersion": "v1.33.1-eks-1"},
            },
        },
        {
            "kind": "Pod",
            "metadata": {
                "name": "a",
                "namespace": "default",
                "ownerReferences": [{"kind": "ReplicaSet", "name": "a"}],
            },
            "spec": {
                "nodeName": "ip-10-0-0-1.ec2.internal",
                "containers": [{"name": "c", "resources": {"requests": {"cpu": "1", "memory": "1Gi"}}}],
            },
            "status": {"phase": "Running"},
        },
    ],
}
VALUES = b"autoDiscovery: {clusterName: work}\nawsRegion: us-east-1\nextraArgs: {expander: least-waste, scan-interval: 10s}\n"
MIX: tuple[tuple[Callable[[random.Random], Input], int], ...] = (
    (check, 50),
    (size, 13),
    (init, 12),
    (run, 10),
    (odd, 7),
    (export, 3),
    (compare, 3),
    (search, 2),
)


def an_input(seed: int, number: int) -> Input:
    """Return the input of a number."""
    draw = random.Random(f"{seed}/{number}")
    make: Callable[[random.Random], Input] = draw.choices([m for m, _ in MIX], [weight for _, weight in MIX])[
        0
    ]
    return make(draw)


def put(folder: Path, files: dict[str, bytes]) -> None:
    """Write files into a folder."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
