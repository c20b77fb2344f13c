"""The DAG: repositories and pipelines, checked and joined.

A pipeline's ``commits`` and ``datums`` declare its only source repository; any other source is declared under
``repos``, and a cron input brings its own. Nothing else is assumed to exist.
"""

from __future__ import annotations

from collections.abc import Sequence

from sim.documents.fields import Field
from sim.errors import InputError, nearest
from sim.loader.compile.pipelines import PlacedLoad
from sim.loader.shape.workload import DatumsFile, RepoFile
from sim.model.pipelines import PfsInput, leaves
from sim.model.scenario import Repo

RepoKey = tuple[str, str]


def joined_repos(loads: Sequence[PlacedLoad], said: Sequence[RepoFile], at: Field) -> tuple[Repo, ...]:
    """Return every source repository; raise InputError where the DAG does not hold together."""
    outputs = _outputs(loads)
    _check_cycles(loads)
    repos = _declared(said, outputs, at)
    for placed in loads:
        if placed.said.commits is not None or placed.said.datums is not None:
            repo = _own_source(placed, outputs)
            if (repo.project, repo.name) in repos:
                raise placed.error(
                    "commits" if placed.said.commits is not None else "datums",
                    f"declares {repo.name} a second time",
                    allowed="the commits of a repository in one place",
                )
            repos[repo.project, repo.name] = repo
    for placed in loads:
        _check_inputs(placed, repos, outputs)
    return tuple(repos.values())


def _outputs(loads: Sequence[PlacedLoad]) -> dict[RepoKey, PlacedLoad]:
    outputs: dict[RepoKey, PlacedLoad] = {}
    for placed in loads:
        pipeline = placed.load.pipeline
        if (pipeline.project, pipeline.name) in outputs:
            raise placed.error("pipeline", f"is a second pipeline called {pipeline.full_name}", allowed="one")
        outputs[pipeline.project, pipeline.name] = placed
    return outputs


def _declared(said: Sequence[RepoFile], outputs: dict[RepoKey, PlacedLoad], at: Field) -> dict[RepoKey, Repo]:
    repos: dict[RepoKey, Repo] = {}
    places = at.child("repos")
    for each, place in zip(said, places.items() if places else (), strict=True):
        key = (each.project, each.name)
        if key in repos:
            raise place.error(f"declares {each.name} a second time", allowed="each repository once")
        if key in outputs:
            raise place.error(f"is the output of pipeline {each.name}", allowed="source repositories")
        repos[key] = Repo(
            each.name, each.project, each.initial, each.commits, each.new_per_commit, each.changed_per_commit
        )
    return repos


def _sources(placed: PlacedLoad, outputs: dict[RepoKey, PlacedLoad]) -> list[RepoKey]:
    keys = [
        (leaf.project, leaf.repo) for leaf in leaves(placed.load.pipeline.input) if isinstance(leaf, PfsInput)
    ]
    return [key for key in dict.fromkeys(keys) if key not in outputs]


def _own_source(placed: PlacedLoad, outputs: dict[RepoKey, PlacedLoad]) -> Repo:
    sources = _sources(placed, outputs)
    if len(sources) != 1:
        names = ", ".join(name for _, name in sources) or "none"
        raise placed.error(
            "commits" if placed.said.commits is not None else "datums",
            f"needs a single source repository, and the pipeline reads {names}",
            allowed="repos: with commits for each of them",
        )
    (project, name), datums = sources[0], placed.said.datums or DatumsFile()
    return Repo(
        name, project, datums.initial, placed.said.commits, datums.new_per_commit, datums.changed_per_commit
    )


def _check_inputs(placed: PlacedLoad, repos: dict[RepoKey, Repo], outputs: dict[RepoKey, PlacedLoad]) -> None:
    for project, name in _sources(placed, outputs):
        if (project, name) not in repos:
            known = [known for _, known in (*repos, *outputs)]
            raise placed.error(
                "input",
                f"reads {project}/{name}, which nothing declares",
                allowed=f"repos: [{{name: {name}, …}}], or commits on the pipeline if it is its only one",
                near=nearest(name, known),
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
