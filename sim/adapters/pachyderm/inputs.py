"""Pipeline inputs: the tree of pfs, cron, cross, union, join and group, with upstream's defaults.

Source: pachyderm/pachyderm e237475e9910, src/server/pps/server/api_server.go setInputDefaults and
validateInput, src/internal/ppsutil/util.go ValidateNames.
"""

from __future__ import annotations

from typing import Any

from sim.adapters.pachyderm.rules import checked_name
from sim.documents.fields import Field
from sim.errors import InputError
from sim.model.cron import parse_cron
from sim.model.pipelines import Combine, CombinedInput, CronInput, Input, PfsInput, leaves

RESERVED_NAMES = ("out", ".env")
_COMBINED = {combine.value: combine for combine in Combine}


def read_input(field: Field, pipeline: str, project: str) -> Input:
    """Return a canonical input message of a pipeline, checked as the server checks it."""
    node = _node(field, pipeline, project)
    _check_names(field, node, set())
    return node


def _has_s3(node: Input) -> bool:
    return any(isinstance(leaf, PfsInput) and leaf.s3 for leaf in leaves(node))


def _node(field: Field, pipeline: str, project: str) -> Input:
    said = [(kind, place) for kind, place in field.children() if place.value != []]
    if len(said) != 1:
        kinds = "one of pfs, cron, cross, union, join or group"
        raise field.error(
            "names no kind of input" if not said else "names several kinds of input", allowed=kinds
        )
    kind, place = said[0]
    if kind == "pfs":
        return _pfs(place, project)
    if kind == "cron":
        return _cron(place, pipeline, project)
    node = CombinedInput(_COMBINED[kind], tuple(_node(child, pipeline, project) for child in place.items()))
    if node.combine is not Combine.CROSS and _has_s3(node):
        raise place.error("has an s3 input", allowed="s3 alone or in a cross")
    return node


def _pfs(field: Field, project: str) -> PfsInput:
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
    return PfsInput(
        repo=said["repo"],
        glob=glob,
        name=said.get("name") or said["repo"],
        project=said.get("project") or project,
        branch=said.get("branch") or "master",
        join_on=said.get("joinOn", ""),
        group_by=said.get("groupBy", ""),
        outer_join=bool(said.get("outerJoin")),
        lazy=bool(said.get("lazy")),
        s3=s3,
        reference=bool(said.get("reference")),
    )


def _cron(field: Field, pipeline: str, project: str) -> CronInput:
    said = _said(field)
    for key in ("name", "spec"):
        if not said.get(key):
            raise field.missing(key)
    _check_cron(field)
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


def _check_cron(field: Field) -> None:
    """Refuse what the server's parser refuses."""
    place = field.child("spec")
    assert place is not None  # the caller has just seen it
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
