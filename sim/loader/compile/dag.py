"""The DAG: repositories and pipelines, checked and joined.

A pipeline's ``commits`` and ``datums`` declare its only source repository; any other source is declared under
``repos``, and a cron input brings its own, which other pipelines may read. Nothing else is assumed to exist.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Sequence

from sim.documents.fields import Field
from sim.errors import InputError, nearest
from sim.loader.compile.branches import settled_branches
from sim.loader.compile.pipelines import PlacedLoad
from sim.loader.notes import Notes
from sim.loader.shape.workload import DatumsFile, RepoFile
from sim.model.pipelines import CronInput, PfsInput, leaves
from sim.model.scenario import Repo

RepoKey = tuple[str, str]
BranchKey = tuple[str, str, str]  # the branch is empty where nobody says it


def joined_repos(
    loads: Sequence[PlacedLoad], said: Sequence[RepoFile], at: Field, notes: Notes
) -> tuple[Repo, ...]:
    """Return every source repository; raise InputError where the DAG does not hold together."""
    outputs = _outputs(loads)
    _check_cycles(loads)
    repos = _declared(said, outputs, at)
    for placed in loads:
        if placed.said.commits is not None or placed.said.datums is not None:
            repo = _own_source(placed, set(outputs) | _of_crons(loads))
            if any(key[:2] == (repo.project, repo.name) for key in repos):
                raise placed.error(
                    "commits" if placed.said.commits is not None else "datums",
                    f"declares {repo.name} a second time",
                    allowed="the commits of a repository in one place",
                )
            repos[repo.project, repo.name, repo.branch] = repo
    known = {key[:2] for key in repos} | set(outputs) | _of_crons(loads)
    for placed in loads:
        _check_inputs(placed, known)
    return settled_branches(tuple(repos.values()), loads, notes)


def _of_crons(loads: Sequence[PlacedLoad]) -> set[RepoKey]:
    """Return the repositories that cron inputs make."""
    read = (leaf for placed in loads for leaf in leaves(placed.load.pipeline.input))
    return {(leaf.project, leaf.repo) for leaf in read if isinstance(leaf, CronInput)}


def _outputs(loads: Sequence[PlacedLoad]) -> dict[RepoKey, PlacedLoad]:
    outputs: dict[RepoKey, PlacedLoad] = {}
    for placed in loads:
        pipeline = placed.load.pipeline
        if (pipeline.project, pipeline.name) in outputs:
            raise placed.error("pipeline", f"is a second pipeline called {pipeline.full_name}", allowed="one")
        outputs[pipeline.project, pipeline.name] = placed
    return outputs


def _declared(
    said: Sequence[RepoFile], outputs: dict[RepoKey, PlacedLoad], at: Field
) -> dict[BranchKey, Repo]:
    repos: dict[BranchKey, Repo] = {}
    places = at.child("repos")
    for each, place in zip(said, places.items() if places else (), strict=True):
        key = (each.project, each.name, each.branch)
        if key in repos:
            allowed = "each repository once, or an entry for each branch"
            raise place.error(f"declares {each.name} a second time", allowed=allowed)
        if key[:2] in outputs:
            raise place.error(f"is the output of pipeline {each.name}", allowed="source repositories")
        repos[key] = Repo(
            each.name,
            each.project,
            each.initial or len(each.files.names),
            each.commits,
            each.new_per_commit,
            each.changed_per_commit,
            each.branch,
            each.files,
            each.file_size,
        )
    return repos


def _sources(placed: PlacedLoad, made: Container[RepoKey]) -> list[RepoKey]:
    """Return the repositories that a pipeline reads, without those that pipelines make."""
    keys = [
        (leaf.project, leaf.repo) for leaf in leaves(placed.load.pipeline.input) if isinstance(leaf, PfsInput)
    ]
    return [key for key in dict.fromkeys(keys) if key not in made]


def _own_source(placed: PlacedLoad, made: Container[RepoKey]) -> Repo:
    sources = _sources(placed, made)
    if len(sources) != 1:
        names = ", ".join(name for _, name in sources) or "none"
        raise placed.error(
            "commits" if placed.said.commits is not None else "datums",
            f"needs a single source repository, and the pipeline reads {names}",
            allowed="repos: with commits for each of them",
        )
    (project, name), datums = sources[0], placed.said.datums or DatumsFile()
    return Repo(
        name,
        project,
        datums.initial,
        placed.said.commits,
        datums.new_per_commit,
        datums.changed_per_commit,
        branch="",
    )


def _check_inputs(placed: PlacedLoad, known: Collection[RepoKey]) -> None:
    for project, name in _sources(placed, {}):
        if (project, name) not in known:
            raise placed.error(
                "input",
                f"reads {project}/{name}, which nothing declares",
                allowed=f"repos: [{{name: {name}, …}}], or commits on the pipeline if it is its only one",
                near=nearest(name, [other for _, other in known]),
            )


def _check_cycles(loads: Sequence[PlacedLoad]) -> None:
    """Raise InputError on the first cycle, told as it goes round."""
    reads = {
        (p.load.pipeline.project, p.load.pipeline.name): [
            (leaf.project, leaf.repo) for leaf in leaves(p.load.pipeline.input) if isinstance(leaf, PfsInput)
        ]
        for p in loads
    }
    waiting = dict(reads)
    while free := [key for key, inputs in waiting.items() if not any(each in waiting for each in inputs)]:
        for key in free:
            del waiting[key]
    if not waiting:
        return
    walk = [next(iter(waiting))]
    while walk[-1] not in walk[:-1]:
        walk.append(next(each for each in waiting[walk[-1]] if each in waiting))
    cycle = walk[walk.index(walk[-1]) :]
    placed = next(p for p in loads if p.load.pipeline.name == cycle[0][1])
    raise _cycle_error(placed, [name for _, name in reversed(cycle)])


def _cycle_error(placed: PlacedLoad, names: list[str]) -> InputError:
    return placed.error("input", f"goes round in a cycle: {' -> '.join(names)}", allowed="a DAG")
