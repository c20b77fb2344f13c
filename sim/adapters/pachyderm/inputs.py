"""Pipeline inputs: the tree of pfs, cron, cross, union, join and group, with upstream's defaults.

Source: pachyderm/pachyderm e237475e9910, src/server/pps/server/api_server.go setInputDefaults and
validateInput, src/internal/ppsutil/util.go ValidateNames.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from sim.adapters.pachyderm.rules import checked_name
from sim.documents.fields import Field
from sim.errors import InputError
from sim.model.cron import parse_cron
from sim.model.pipelines import Combine, CombinedInput, CronInput, Input, PfsInput, Trigger, leaves

RESERVED_NAMES = ("out", ".env")
_COMBINED = {combine.value: combine for combine in Combine}
_HUMAN_SIZE = re.compile(r"(\d+(?:\.\d*)?|\.\d+) ?([kKmMgGtTpP])?i?[bB]?")
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}


def read_input(field: Field, pipeline: str, project: str) -> Input:
    """Return a canonical input message of a pipeline, checked as the server checks it."""
    node = _node(field, _Owner(pipeline, project, Counter()))
    _check_names(field, node, set())
    return node


@dataclass(frozen=True, slots=True)
class _Owner:
    """Whose input is read; ``triggered`` counts the branches of each repository that were named for it."""

    pipeline: str
    project: str
    triggered: Counter[str]


def _has_s3(node: Input) -> bool:
    return any(isinstance(leaf, PfsInput) and leaf.s3 for leaf in leaves(node))


def _node(field: Field, owner: _Owner) -> Input:
    said = [(kind, place) for kind, place in field.children() if place.value != []]
    if len(said) != 1:
        kinds = "one of pfs, cron, cross, union, join or group"
        raise field.error(
            "names no kind of input" if not said else "names several kinds of input", allowed=kinds
        )
    kind, place = said[0]
    if kind == "pfs":
        return _pfs(place, owner)
    if kind == "cron":
        return _cron(place, owner.pipeline, owner.project)
    node = CombinedInput(_COMBINED[kind], tuple(_node(child, owner) for child in place.items()))
    if node.combine is not Combine.CROSS and _has_s3(node):
        raise place.error("has an s3 input", allowed="s3 alone or in a cross")
    return node


def _pfs(field: Field, owner: _Owner) -> PfsInput:
    said = _said(field)
    s3 = bool(said.get("s3"))
    for key in ("repo", "glob"):
        if not said.get(key):
            raise field.missing(key)
    glob = f"/{str(said['glob']).strip('/')}"
    if s3 and glob != "/":
        raise field.error("gives a glob to an s3 input", allowed="glob: /")
    if s3 and (mode := next((key for key in ("lazy", "emptyFiles") if said.get(key)), "")):
        raise field.error(f"has both s3 and {mode}", allowed="one of them")
    if said.get("commit"):
        raise field.error("names a commit", allowed="a branch whose head is that commit")
    branch, trigger = _branch(field, said, owner)
    return PfsInput(
        repo=said["repo"],
        glob=glob,
        name=said.get("name") or said["repo"],
        project=said.get("project") or owner.project,
        branch=branch,
        join_on=said.get("joinOn", ""),
        group_by=said.get("groupBy", ""),
        outer_join=bool(said.get("outerJoin")),
        lazy=bool(said.get("lazy")),
        s3=s3,
        reference=bool(said.get("reference")),
        trigger=trigger,
        propagates=not (said.get("propagationSpec") or {}).get("never"),
    )


def _branch(field: Field, said: dict[str, Any], owner: _Owner) -> tuple[str, Trigger | None]:
    """Return the branch that is read, and what moves it; one that only a trigger needs gets a name."""
    place = field.child("trigger")
    if place is None:
        return said.get("branch") or "master", None
    branch, watched = said.get("branch") or "", place.text_at("branch")
    if not branch:
        owner.triggered[said["repo"]] += 1
        branch, watched = f"{owner.pipeline}-trigger-{owner.triggered[said['repo']]}", watched or "master"
    if not watched:
        raise place.missing("branch", "the branch whose commits it watches")
    if watched == branch:
        raise place.error(f"watches the branch {branch} that it moves", allowed="another branch")
    conditions = place.value
    for key in ("cronSpec", "rateLimitSpec"):
        _check_cron(place.child(key))
    if conditions.get("commits", 0) < 0:
        raise place.error("counts a negative number of commits", allowed="commits of 0 or more")
    size = place.child("size")
    trigger = Trigger(
        branch=watched,
        all=bool(conditions.get("all")),
        size_bytes=_human_size(size) if size and size.value else None,
        commits=conditions.get("commits") or 0,
        rate_limit=conditions.get("rateLimitSpec") or "",
        cron=conditions.get("cronSpec") or "",
    )
    return branch, trigger


def _human_size(field: Field) -> int:
    """Return bytes as docker/go-units FromHumanSize reads them: powers of 1000, whatever the spelling."""
    found = _HUMAN_SIZE.fullmatch(str(field.value))
    if found is None:
        raise field.error(allowed="a size such as 100MB")
    return int(float(found[1]) * 1000 ** _POWERS[(found[2] or "").lower()])


def _cron(field: Field, pipeline: str, project: str) -> CronInput:
    said = _said(field)
    for key in ("name", "spec"):
        if not said.get(key):
            raise field.missing(key)
    _check_cron(field.child("spec"))
    if repo := field.child("repo"):
        checked_name(repo)
    else:
        checked_name(Field(field.document, (*field.path, "name"), said["name"]))
    return CronInput(
        name=said["name"],
        spec=said["spec"],
        overwrite=bool(said.get("overwrite")),
        project=said.get("project") or project,
        repo=said.get("repo") or f"{pipeline}_{said['name']}",
        start=said.get("start", ""),
    )


def _check_cron(place: Field | None) -> None:
    """Refuse what the server's parser refuses."""
    if place is None or not place.value:
        return
    try:
        parse_cron(place.value)
    except InputError as error:
        raise place.locate(error) from None


def _check_names(field: Field, node: Input, taken: set[str]) -> set[str]:
    """Return the names in use after ``node``; only the sides of a union may repeat one."""
    if not isinstance(node, CombinedInput):
        if node.name in RESERVED_NAMES:
            raise field.error(
                f"has an input named {node.name}, which Pachyderm uses itself", allowed="another name"
            )
        if node.name in taken:
            raise field.error(f"names two inputs {node.name}", allowed="a name of its own for each input")
        return taken | {node.name}
    if node.combine is Combine.UNION:
        return set().union(*(_check_names(field, child, set(taken)) for child in node.inputs))
    for child in node.inputs:
        taken = _check_names(field, child, taken)
    return taken


def _said(field: Field) -> dict[str, Any]:
    return {key: place.value for key, place in field.children()}
