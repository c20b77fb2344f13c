"""Repositories: branches, what their commits hold, and who waits for them.

A commit counts files, and how many were added and changed since the repository began, so that what is new
against any earlier commit is a difference. Opening a commit on a branch that pipelines read opens an output
commit of every pipeline downstream, in topological order and under one id; an input that is not part of that
set is the newest commit of its branch, finished or not. A trigger makes a commit the head of another branch.

Source: pachyderm/pachyderm v2.11.6, src/server/pfs/server/server_commit.go startCommit,
src/server/worker/datum/create.go; pachyderm.md §3.1, §3.2 and §3.7.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from sim.decisions.pachyderm.datums import ALL, Entries, cron_entries, pfs_entries
from sim.decisions.pachyderm.globs import matched, read_glob
from sim.model.layout import FLAT, Layout
from sim.model.pipelines import CronInput, Leaf, PfsInput, Pipeline, leaves

BranchKey = tuple[str, str, str]  # project, repository, branch
MASTER = "master"


class Commit:
    """One commit of one repository.

    ``new`` and ``changed`` count files since the repository began, ``ordinal`` its commits, ``size_bytes``
    what it holds of them. ``waiting`` are what to call once it is finished: the jobs that read it cannot
    start before.
    """

    __slots__ = (
        "changed", "failed", "files", "finished", "finishing_us", "new", "ordinal", "size_bytes", "waiting",
    )  # fmt: skip

    def __init__(self, ordinal: int = 0, files: int = 0, *, finished: bool = True) -> None:
        """Hold ``files`` that were there from the beginning."""
        self.ordinal = ordinal
        self.files = files
        self.new = 0
        self.changed = 0
        self.size_bytes = 0.0
        self.finished = finished
        self.finishing_us = 0
        self.failed = False
        self.waiting: list[Callable[[], None]] = []

    def fill(self, base: Commit | None, files: int, new: int, changed: int, more_bytes: float = 0.0) -> None:
        """Say what the commit holds, with so many files added and changed since ``base``."""
        self.files = files
        self.new = new + (base.new if base else 0)
        self.changed = changed + (base.changed if base else 0)
        self.size_bytes = more_bytes + (base.size_bytes if base else 0.0)


class Branch:
    """A branch of a repository: its newest commit; ``file_bytes`` is the size of each source file."""

    __slots__ = ("file_bytes", "head", "index")

    def __init__(self, index: int, files: int = 0, file_bytes: int = 0) -> None:
        """Start with one commit if there are files, else with an empty one that nobody made."""
        self.index = index
        self.file_bytes = file_bytes
        self.head = Commit(ordinal=int(files > 0), files=files)
        self.head.size_bytes = float(files * file_bytes)

    def commit(self, new: int, changed: int, now_us: int = 0) -> int:
        """Make a finished commit; return how many files it really changed, no more than there were."""
        before = self.head
        self.head = Commit(before.ordinal + 1)
        self.head.finishing_us = now_us
        changed = min(changed, before.files)
        self.head.fill(before, before.files + new, new, changed, new * self.file_bytes)
        return changed

    def open_commit(self) -> Commit:
        """Open a commit that a job will fill."""
        self.head = Commit(self.head.ordinal + 1, finished=False)
        return self.head


def branch_key(leaf: Leaf, pipeline: Pipeline) -> BranchKey:
    """Return which branch an input reads; a cron input has its own repository, named after both."""
    if isinstance(leaf, CronInput):
        return leaf.project, leaf.repo or f"{pipeline.name}_{leaf.name}", MASTER
    return leaf.project, leaf.repo, leaf.branch


def output_key(pipeline: Pipeline) -> BranchKey:
    """Return the branch that a pipeline writes."""
    return pipeline.project, pipeline.name, pipeline.output_branch


def input_keys(pipeline: Pipeline) -> list[BranchKey]:
    """Return the branches of a pipeline's inputs, in the order of the spec."""
    return [branch_key(leaf, pipeline) for leaf in leaves(pipeline.input)]


def leaf_entries(leaf: Leaf, commit: Commit, base: Commit | None, layout: Layout = FLAT) -> Entries:
    """Return an input's entries against what the base job read, or against nothing."""
    if not commit.ordinal:
        return Entries()
    seen = 0 if base is None else base.ordinal
    since = commit.ordinal - seen
    if isinstance(leaf, PfsInput):
        entries = _matched(leaf, commit, base, layout)
        return pfs_entries(leaf, entries, commits=since, in_base=seen > 0)
    return cron_entries(leaf, ticks=commit.files, new_ticks=since)


def _matched(leaf: PfsInput, commit: Commit, base: Commit | None, layout: Layout) -> Entries:
    new, changed = commit.files, 0
    if base is not None:
        new = min(commit.new - base.new, commit.files)
        changed = min(commit.changed - base.changed, commit.files - new)
    if leaf.glob == ALL:
        return Entries(commit.files - new - changed, changed, new)
    return matched(read_glob(leaf.glob), layout, commit.files, new, changed)


def in_topological_order(pipelines: Iterable[Pipeline]) -> list[Pipeline]:
    """Return pipelines so that each comes after those whose output repository it reads, else as given."""
    waiting = {(p.project, p.name): p for p in pipelines}
    ordered: list[Pipeline] = []
    while waiting:
        free = [p for p in waiting.values() if not any(key[:2] in waiting for key in input_keys(p))]
        assert free, "the loader lets no cycle through"
        ordered.extend(free)
        for pipeline in free:
            del waiting[pipeline.project, pipeline.name]
    return ordered


def downstream(key: BranchKey, ordered: Sequence[Pipeline]) -> list[Pipeline]:
    """Return every pipeline that depends on a branch, in topological order."""
    reached = {key}
    found = []
    for pipeline in ordered:
        if reached.intersection(_propagating(pipeline)):
            reached.add(output_key(pipeline))
            found.append(pipeline)
    return found


def _propagating(pipeline: Pipeline) -> list[BranchKey]:
    """Return the branches whose commits start a pipeline's jobs."""
    read = leaves(pipeline.input)
    return [branch_key(leaf, pipeline) for leaf in read if isinstance(leaf, CronInput) or leaf.propagates]
