"""Datums: how many of a job's datums are new, changed or unchanged, from the entries of its inputs.

An entry is what a glob matches. A datum is a combination of entries: one (pfs, cron), one of each input
(cross), one of each input with the same key (join), all with the same key (group), or the datums of every
input side by side (union). It is *new* if any entry is new, else *changed* if any entry is, so the counts
combine exactly. New datums run in the parallel phase, changed ones in the serial phase, unchanged ones are
skipped. Entries are only added or changed: what a deletion would re-identify is not counted.

Source: pachyderm/pachyderm v2.11.6, src/server/worker/datum/create.go and worker.go,
src/server/worker/common/common.go DatumID and HashDatum, src/server/worker/pipeline/transform/
pending_job.go; pachyderm.md §3.2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sim.model.pipelines import Combine, CombinedInput, CronInput, Input, PfsInput, Pipeline, Reprocess

ALL = "/"


class Entries(NamedTuple):
    """Numbers of entries, or of datums, against the base job's commit."""

    unchanged: int = 0
    changed: int = 0
    new: int = 0

    @property
    def total(self) -> int:
        """Return how many there are now."""
        return self.unchanged + self.changed + self.new


class Phases(NamedTuple):
    """Datums by what a job does with them; ``total`` is its ``data_total``."""

    parallel: int
    serial: int
    skipped: int
    total: int


Match = Callable[[CombinedInput, Sequence[Entries]], Entries]


def pfs_entries(node: PfsInput, files: Entries, *, commits: int, in_base: bool) -> Entries:
    """Return the entries of a pfs input, of which ``files`` are those that its glob matches.

    ``/`` is one entry: new before the base job has seen a commit, changed when ``commits`` arrived since.
    A reference input never changes a datum's hash.
    """
    if node.glob == ALL:
        seen = Entries(changed=1) if commits else Entries(unchanged=1)
        files = seen if in_base else Entries(new=1)
    if node.reference:
        return Entries(files.unchanged + files.changed, 0, files.new)
    return files


def cron_entries(node: CronInput, *, ticks: int, new_ticks: int) -> Entries:
    """Return the entries of a cron input: a file for each tick, or the last one's if it overwrites.

    A tick's file is named after its time, so that overwriting also makes a new datum.
    """
    if node.overwrite:
        return Entries(new=1) if new_ticks else Entries(unchanged=min(ticks, 1))
    return Entries(unchanged=ticks - new_ticks, new=new_ticks)


def count_datums(node: Input, entries: Sequence[Entries], match: Match) -> Entries:
    """Return the datums of an input tree.

    ``entries`` belong to its leaves in the order of the spec; ``match`` says what a join or group makes of
    its inputs, which depends on keys that no spec holds: see `matched_by_ratio`, or use `join` and `group`.
    """
    return _count(node, iter(entries), match)


def _count(node: Input, entries: Iterator[Entries], match: Match) -> Entries:
    if not isinstance(node, CombinedInput):
        return next(entries)
    parts = [_count(child, entries, match) for child in node.inputs]
    if node.combine is Combine.UNION:
        return Entries(*map(sum, zip(*parts, strict=True)))
    return cross(parts) if node.combine is Combine.CROSS else match(node, parts)


def cross(parts: Sequence[Entries]) -> Entries:
    """Return the pairs of every entry of each part with every entry of the others."""
    everything = old = unchanged = 1
    for part in parts:
        everything *= part.total
        old *= part.unchanged + part.changed
        unchanged *= part.unchanged
    return Entries(unchanged, old - unchanged, everything - old)


def matched_by_ratio(join_matches: float, groups: float) -> Match:
    """Return a rule that makes so many datums of a join or group for each entry of its first input."""

    def match(node: CombinedInput, parts: Sequence[Entries]) -> Entries:
        ratio = join_matches if node.combine is Combine.JOIN else groups
        first = parts[0]
        return Entries(*(round(ratio * count) for count in (first.unchanged, first.changed, first.new)))

    return match


@dataclass(frozen=True, slots=True)
class KeyedEntries:
    """Entries of one input of a join or group, by key: arrays of shape ``(keys,)``.

    ``outer`` is the input's ``outer_join``.
    """

    unchanged: npt.NDArray[np.int64]
    changed: npt.NDArray[np.int64]
    new: npt.NDArray[np.int64]
    outer: bool = False

    @property
    def total(self) -> npt.NDArray[np.int64]:
        """Return how many entries each key has."""
        return self.unchanged + self.changed + self.new


def join(parts: Sequence[KeyedEntries]) -> Entries:
    """Return the datums of a join: a cross within each key that every input has.

    A key that some input lacks still makes datums of its outer inputs, crossed among themselves.
    """
    complete = np.all([part.total > 0 for part in parts], axis=0)
    some_outer = np.any([part.total > 0 for part in parts if part.outer] or [np.zeros_like(complete)], axis=0)
    everything, old, unchanged = (np.ones(complete.shape, np.int64) for _ in range(3))
    for part in parts:
        counts = complete | (part.outer & (part.total > 0))
        everything *= np.where(counts, part.total, 1)
        old *= np.where(counts, part.unchanged + part.changed, 1)
        unchanged *= np.where(counts, part.unchanged, 1)
    made = complete | some_outer
    return Entries(
        int(unchanged[made].sum()), int((old - unchanged)[made].sum()), int((everything - old)[made].sum())
    )


def group(parts: Sequence[KeyedEntries]) -> Entries:
    """Return the datums of a group: one for each key that any input has."""
    new = np.any([part.new > 0 for part in parts], axis=0)
    changed = np.any([part.changed > 0 for part in parts], axis=0) & ~new
    unchanged = np.any([part.unchanged > 0 for part in parts], axis=0) & ~new & ~changed
    return Entries(int(unchanged.sum()), int(changed.sum()), int(new.sum()))


def phases(spec: Pipeline, datums: Entries) -> Phases:
    """Return what a job does with its datums.

    Reprocessing every job, or writing through S3, sends the unchanged ones to the serial phase.
    """
    if spec.reprocess is Reprocess.EVERY_JOB or spec.s3_out:
        return Phases(datums.new, datums.changed + datums.unchanged, 0, datums.total)
    return Phases(datums.new, datums.changed, datums.unchanged, datums.total)
