"""Repositories: commits, what they hold, and who waits for them.

A commit counts files, and how many were added and changed since the repository began, so that what is new
against any earlier commit is a difference. Opening a commit in a source repository opens an output commit
of every pipeline downstream, in topological order and under one id; an input that is not part of that set
is the newest commit of its repository, finished or not.

Source: pachyderm/pachyderm v2.11.6, src/server/pfs/server/server_commit.go startCommit,
src/server/worker/datum/create.go; pachyderm.md §3.1 and §3.2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from sim.decisions.pachyderm.datums import Entries, cron_entries, pfs_entries
from sim.model.pipelines import CronInput, Leaf, PfsInput, Pipeline, leaves

RepoKey = tuple[str, str]  # project, name


class Commit:
    """One commit of one repository.

    ``new`` and ``changed`` count files since the repository began, ``ordinal`` its commits. ``waiting``
    are what to call once it is finished: the jobs that read it cannot start before.
    """

    __slots__ = ("changed", "failed", "files", "finished", "new", "ordinal", "waiting")

    def __init__(self, ordinal: int = 0, files: int = 0, *, finished: bool = True) -> None:
        """Hold ``files`` that were there from the beginning."""
        self.ordinal = ordinal
        self.files = files
        self.new = 0
        self.changed = 0
        self.finished = finished
        self.failed = False
        self.waiting: list[Callable[[], None]] = []

    def fill(self, base: Commit | None, files: int, new: int, changed: int) -> None:
        """Say what the commit holds, with so many files added and changed since ``base``."""
        self.files = files
        self.new = new + (base.new if base else 0)
        self.changed = changed + (base.changed if base else 0)


class Repo:
    """A repository: its newest commit."""

    __slots__ = ("head", "index")

    def __init__(self, index: int, files: int = 0) -> None:
        """Start with one commit if there are files, else with an empty one that nobody made."""
        self.index = index
        self.head = Commit(ordinal=int(files > 0), files=files)

    def commit(self, new: int, changed: int) -> int:
        """Make a finished commit; return how many files it really changed, no more than there were."""
        before = self.head
        self.head = Commit(before.ordinal + 1)
        changed = min(changed, before.files)
        self.head.fill(before, before.files + new, new, changed)
        return changed

    def open_commit(self) -> Commit:
        """Open a commit that a job will fill."""
        self.head = Commit(self.head.ordinal + 1, finished=False)
        return self.head


def repo_key(leaf: Leaf, pipeline: Pipeline) -> RepoKey:
    """Return which repository an input reads; a cron input has its own, named after both."""
    if isinstance(leaf, CronInput):
        return leaf.project, leaf.repo or f"{pipeline.name}_{leaf.name}"
    return leaf.project, leaf.repo


def input_keys(pipeline: Pipeline) -> list[RepoKey]:
    """Return the repositories of a pipeline's inputs, in the order of the spec."""
    return [repo_key(leaf, pipeline) for leaf in leaves(pipeline.input)]


def leaf_entries(leaf: Leaf, commit: Commit, base: Commit | None) -> Entries:
    """Return an input's entries against what the base job read, or against nothing."""
    if not commit.ordinal:
        return Entries()
    seen = 0 if base is None else base.ordinal
    since = commit.ordinal - seen
    if isinstance(leaf, PfsInput):
        return pfs_entries(leaf, _files(commit, base), commits=since, in_base=seen > 0)
    return cron_entries(leaf, ticks=commit.files, new_ticks=since)


def _files(commit: Commit, base: Commit | None) -> Entries:
    if base is None:
        return Entries(0, 0, commit.files)
    new = min(commit.new - base.new, commit.files)
    changed = min(commit.changed - base.changed, commit.files - new)
    return Entries(commit.files - new - changed, changed, new)


def in_topological_order(pipelines: Iterable[Pipeline]) -> list[Pipeline]:
    """Return pipelines so that each comes after those whose output it reads, else in the order given."""
    waiting = {(p.project, p.name): p for p in pipelines}
    ordered: list[Pipeline] = []
    while waiting:
        free = [p for p in waiting.values() if not any(key in waiting for key in input_keys(p))]
        assert free, "the loader lets no cycle through"
        ordered.extend(free)
        for pipeline in free:
            del waiting[pipeline.project, pipeline.name]
    return ordered


def downstream(key: RepoKey, ordered: Sequence[Pipeline]) -> list[Pipeline]:
    """Return every pipeline that depends on a repository, in topological order."""
    reached = {key}
    found = []
    for pipeline in ordered:
        if reached.intersection(input_keys(pipeline)):
            reached.add((pipeline.project, pipeline.name))
            found.append(pipeline)
    return found
