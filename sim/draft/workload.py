"""The workload of a first scenario: every pipeline of the specs, and the repositories that feed them.

What only history knows, arrivals and datum times, is taken from another scenario by the pipeline's name, or
is a visible placeholder.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sim.adapters.pachyderm.spec import read_specs
from sim.documents.fields import Field, root
from sim.documents.yaml_read import read_file
from sim.draft.page import Page
from sim.draft.paths import moved, reference
from sim.errors import InputError
from sim.loader.shape.scenario import SCENARIO
from sim.loader.shape.workload import PIPELINE, REPO
from sim.loader.values.references import resolved
from sim.loader.values.sections import Section
from sim.model.paths import name_of
from sim.model.pipelines import CronInput, Kind, PfsInput, Pipeline, leaves

COMMITS = {"poisson": {"per_hour": 4}}
NEW_PER_COMMIT = 10
DATUM_TIME = {"lognormal": {"median": "30s", "p95": "90s"}}
WHY_COMMITS = "when data arrives"
WHY_NEW = "files that a commit adds"
WHY_DATUM_TIME = "user code for one datum"
ABOUT_THE_LOAD = frozenset(PIPELINE.by_name) - {"spec", "name"}
ARRIVALS = ("commits", "datums")
SHARED_KEYS = ("start", "horizon", "warmup", "images", "latency")  # with which its arrivals belong together
RepoKey = tuple[str, str]


@dataclass(frozen=True, slots=True)
class FoundPipeline:
    """A pipeline, the file it is in, and what to call it there: nothing where it has the file for itself."""

    pipeline: Pipeline
    file: Path
    called: str


@dataclass(frozen=True, slots=True)
class History:
    """What another scenario says of arrivals and datum times, its paths seen from the new one's folder."""

    loads: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    repos: Mapping[RepoKey, dict[str, Any]] = field(default_factory=dict)
    shared: Mapping[str, Any] = field(default_factory=dict)

    def load(self, pipeline: Pipeline) -> dict[str, Any]:
        """Return the load of a pipeline, by its name with or without its project, empty where unknown."""
        return self.loads.get(pipeline.full_name) or self.loads.get(pipeline.name, {})


def found_pipelines(
    files: Sequence[Path], *, keep_going: bool = False
) -> tuple[list[FoundPipeline], list[str]]:
    """Return the pipelines of spec files, in their order, and why files were left out.

    Raises InputError for a file that cannot be read and a pipeline that is there twice; with ``keep_going``
    only where nothing is left.
    """
    found: dict[str, FoundPipeline] = {}
    left_out: list[str] = []
    for file in files:
        try:
            found |= _found_in(file, found)
        except InputError as error:
            if not keep_going or (file == files[-1] and not found):
                raise
            left_out.append(str(error))
    return list(found.values()), left_out


def _found_in(file: Path, before: Mapping[str, FoundPipeline]) -> dict[str, FoundPipeline]:
    """Return the pipelines of one file by name, none of which may be there ``before``."""
    found: dict[str, FoundPipeline] = {}
    pipelines = [read.pipeline for read in read_specs(file)]
    names = Counter(each.name for each in pipelines)
    for each in pipelines:
        name = each.full_name
        if other := before.get(name) or found.get(name):
            problem = f"holds the pipeline {name}, which {other.file} holds too"
            raise InputError(problem, allowed="each pipeline once", file=str(file))
        called = each.name if names[each.name] == 1 else name
        found[name] = FoundPipeline(each, file, called if len(pipelines) > 1 else "")
    return found


def history_of(workload: Path | None, folder: Path) -> History:
    """Return the history in another scenario."""
    if workload is None:
        return History()
    first, *more = read_file(workload)
    at = root(first)
    if more or "horizon" not in at.mapping():
        raise at.error("is no scenario", allowed="one document with horizon, pipelines and repos")
    _check(at)
    loads: dict[str, dict[str, Any]] = {}
    for entry in at.items_at("pipelines"):
        said = moved(entry.mapping(), workload.parent, folder)
        load = {key: value for key, value in said.items() if key in ABOUT_THE_LOAD}
        loads |= dict.fromkeys(_names(entry.value, str(workload)), load)
    repos = {}
    for repo in at.items_at("repos"):
        key = (repo.text_at("project", "default"), repo.text_at("name"))
        repos[key] = moved(repo.mapping(), workload.parent, folder)
    shared = {key: value for key, value in at.mapping().items() if key in SHARED_KEYS and value is not None}
    return History(loads, repos, moved(shared, workload.parent, folder))


def _check(at: Field) -> None:
    """Raise InputError, with the place in the workload's own file, for what is taken from it and is wrong."""
    taken: list[tuple[Field, Section, Container[str]]] = [(at, SCENARIO, SHARED_KEYS)]
    taken += [(entry, PIPELINE, ABOUT_THE_LOAD) for entry in at.items_at("pipelines")]
    for place, section, keys in taken:
        for key, child in place.children():
            if key in keys:
                section.by_name[key].kind.read(child)
    for repo in at.items_at("repos"):
        REPO.read(repo)


def _names(entry: Mapping[str, Any], file: str) -> list[str]:
    """Return the pipelines that an entry is about: the one it names, or all of its spec."""
    if entry.get("name"):
        return [str(entry["name"])]
    spec = resolved(entry.get("spec"), file, "spec")
    return [name_of(each.value) for each in spec] if isinstance(spec, tuple) else [name_of(spec)]


def drafted_workload(found: Sequence[FoundPipeline], history: History, folder: Path) -> Page:
    """Return ``repos`` and ``pipelines``."""
    page = Page()
    entries = [_entry(each, history, folder) for each in found]
    repos = list(_repos(found, entries, history))
    if repos:
        page.values["repos"] = repos
    page.values["pipelines"] = entries
    for n, repo in enumerate(repos):
        if (repo.get("project", "default"), repo["name"]) not in history.repos:
            page.placeholder(("repos", n, "commits"), WHY_COMMITS)
            page.placeholder(("repos", n, "new_per_commit"), WHY_NEW)
    for n, each in enumerate(found):
        if not history.load(each.pipeline) and "datum_time" in entries[n]:
            page.placeholder(("pipelines", n, "datum_time"), WHY_DATUM_TIME)
    names = {name for each in found for name in (each.pipeline.name, each.pipeline.full_name)}
    for name in history.loads:
        if name not in names:
            page.warnings.append(f"the other scenario's pipeline {name} is in none of the specs")
    return page


def _entry(each: FoundPipeline, history: History, folder: Path) -> dict[str, Any]:
    entry: dict[str, Any] = {"spec": reference(each.file, folder)}
    if each.called:
        entry["name"] = each.called
    load = history.load(each.pipeline)
    if not load and each.pipeline.kind is Kind.TRANSFORM:
        load = {"datum_time": DATUM_TIME}
    return entry | load


def _repos(
    found: Sequence[FoundPipeline], entries: Sequence[Mapping[str, Any]], history: History
) -> Iterator[dict[str, Any]]:
    """Yield the source repositories that no pipeline's own entry declares."""
    outputs = {(each.pipeline.project, each.pipeline.name) for each in found}
    read = [leaf for each in found for leaf in leaves(each.pipeline.input)]
    outputs |= {(leaf.project, leaf.repo) for leaf in read if isinstance(leaf, CronInput)}
    sources: dict[RepoKey, bool] = {}
    for each, entry in zip(found, entries, strict=True):
        declared = any(key in entry for key in ARRIVALS)
        for leaf in leaves(each.pipeline.input):
            if isinstance(leaf, PfsInput) and (leaf.project, leaf.repo) not in outputs:
                sources[leaf.project, leaf.repo] = declared or sources.get((leaf.project, leaf.repo), False)
    for (project, name), declared in sources.items():
        if declared:
            continue
        own = {"project": project} if project != "default" else {}
        made_up = {"commits": COMMITS, "new_per_commit": NEW_PER_COMMIT}
        yield history.repos.get((project, name), {"name": name, **own, **made_up})
