"""Branches: on which branch a repository gets its commits, and which branches are read that nobody writes.

An entry of ``repos`` may say its branch. One that does not gets its commits where they have an effect: on the
only branch that pipelines read or that their triggers watch. Where there are several that is ``master``, or
else the first, and a warning says so: each commit is on one branch alone.

Source: pachyderm/pachyderm v2.11.6, src/server/pfs/server/server_commit.go startCommit; pachyderm.md §3.7.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sim.loader.compile.pipelines import PlacedLoad
from sim.loader.notes import Notes
from sim.model.pipelines import CronInput, PfsInput, leaves
from sim.model.scenario import Repo

MASTER = "master"
Key = tuple[str, str, str]  # project, repository, branch


def settled_branches(repos: Sequence[Repo], loads: Sequence[PlacedLoad], notes: Notes) -> tuple[Repo, ...]:
    """Return the source repositories, each with its branch; warn of what is ambiguous or never fed."""
    read = [(placed, leaf) for placed in loads for leaf in _files_read(placed)]
    moved = {(leaf.project, leaf.repo, leaf.branch) for _, leaf in read if leaf.trigger}
    wanted = dict.fromkeys(key for _, leaf in read for key in _followed(leaf) if key not in moved)
    stated = {(repo.project, repo.name, repo.branch) for repo in repos if repo.branch}
    settled = tuple(
        repo if repo.branch else _settled(repo, [k for k in wanted if k not in stated], notes)
        for repo in repos
    )
    _warn_of_unfed(settled, loads, read, notes)
    return settled


def _files_read(placed: PlacedLoad) -> Iterator[PfsInput]:
    return (leaf for leaf in leaves(placed.load.pipeline.input) if isinstance(leaf, PfsInput))


def _followed(leaf: PfsInput) -> tuple[Key, ...]:
    """Return the branch that an input needs commits on: the one it watches, or the one it reads."""
    branch = leaf.trigger.branch if leaf.trigger else leaf.branch
    return ((leaf.project, leaf.repo, branch),)


def _settled(repo: Repo, wanted: Sequence[Key], notes: Notes) -> Repo:
    branches = [key[2] for key in wanted if key[:2] == (repo.project, repo.name)]
    branch = MASTER if MASTER in branches or not branches else branches[0]
    if len(branches) > 1:
        others = ", ".join(name for name in branches if name != branch)
        notes.warn(
            f"repository {repo.name} is read by branch ({', '.join(branches)}) and its commits name none: "
            f"they are made on {branch}, and start nothing on {others}; say repos[{repo.name}].branch, in an "
            "entry for each branch"
        )
    return replace(repo, branch=branch)


def _warn_of_unfed(
    repos: Sequence[Repo],
    loads: Sequence[PlacedLoad],
    read: Sequence[tuple[PlacedLoad, PfsInput]],
    notes: Notes,
) -> None:
    """Warn of inputs on branches that no commit, no pipeline and no trigger ever reaches."""
    pipelines = [placed.load.pipeline for placed in loads]
    written = {(repo.project, repo.name, repo.branch) for repo in repos}
    written |= {(p.project, p.name, p.output_branch) for p in pipelines}
    for pipeline in pipelines:
        crons = (leaf for leaf in leaves(pipeline.input) if isinstance(leaf, CronInput))
        written |= {(leaf.project, leaf.repo, MASTER) for leaf in crons}
    following = [leaf for _, leaf in read if leaf.trigger]
    for _ in following:  # a chain of triggers is at most as long as there are triggers
        written |= {
            (leaf.project, leaf.repo, leaf.branch)
            for leaf in following
            if written.intersection(_followed(leaf))
        }
    for placed, leaf in read:
        if (leaf.project, leaf.repo, leaf.branch) not in written:
            notes.warn(
                f"pipeline {placed.load.pipeline.shown_name} reads branch {leaf.branch} of {leaf.repo}, to "
                "which nothing commits: it gets no job from it"
            )
