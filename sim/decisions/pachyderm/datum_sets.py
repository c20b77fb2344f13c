"""Datum sets: how the datums of one phase of a job are cut into the tasks that workers claim.

Without a datum set spec a set holds ``N // (4 P)`` datums, where N is all datums of the job that were not
skipped so far, the ones shared with the base job included: a small increment to a large repository makes
few sets. A phase without datums still is one empty task. Each shard of a listing is cut on its own.

Source: pachyderm/pachyderm v2.11.6, src/server/worker/pipeline/transform/registry.go createSetSpec,
src/server/worker/datum/datum.go CreateSets, src/internal/storage/fileset/index/reader.go; pachyderm.md §3.3.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sim.model.pipelines import SETS_PER_WORKER, DatumSetSpec

SHARD_DATUMS = 1_000_000

Bounds = npt.NDArray[np.int64]


def datums_per_set(spec: DatumSetSpec | None, parallelism: int, remaining: int) -> int:
    """Return how many datums a set holds; ``remaining`` is the job's total less its skipped datums.

    Not meaningful for a spec with ``size_bytes``, which wins over ``number``.
    """
    if spec is not None and spec.number > 0:
        return spec.number
    per_worker = SETS_PER_WORKER if spec is None else spec.per_worker
    return max(1, remaining // (parallelism * per_worker))


def datum_set_bounds(
    spec: DatumSetSpec | None,
    parallelism: int,
    remaining: int,
    datums: int,
    sizes_bytes: npt.NDArray[np.int64] | None = None,
) -> Bounds:
    """Return where each set of a phase of ``datums`` datums begins, and where the last one ends.

    Set ``i`` holds the datums ``bounds[i]`` to ``bounds[i + 1]``; there are ``len(bounds) - 1`` tasks, at
    least one. ``sizes_bytes``, the input size of each datum, is needed for a spec with ``size_bytes``.
    """
    if spec is None or spec.size_bytes <= 0:
        return equal_set_bounds(datums_per_set(spec, parallelism, remaining), datums)
    if sizes_bytes is None or len(sizes_bytes) != datums:
        raise ValueError(f"a datum set spec by size needs the size of each of {datums} datums")
    cuts = [_cut_by_size(sizes_bytes[start:end], spec.size_bytes) + start for start, end in _shards(datums)]
    return np.concatenate([*cuts, [datums]])


def equal_set_bounds(held: int, datums: int) -> Bounds:
    """Return the same for sets that hold so many datums each, the last one of a shard what is left."""
    cuts = [np.arange(start, max(end, start + 1), held, dtype=np.int64) for start, end in _shards(datums)]
    return np.concatenate([*cuts, [datums]])


def _shards(datums: int) -> list[tuple[int, int]]:
    starts = range(0, max(datums, 1), SHARD_DATUMS)
    return [(start, min(start + SHARD_DATUMS, datums)) for start in starts]


def _cut_by_size(sizes_bytes: npt.NDArray[np.int64], target_bytes: int) -> Bounds:
    """Return the first datum of each set: a set is closed once it holds ``target_bytes`` or more."""
    total = np.cumsum(sizes_bytes)
    starts, start, held = [0], 0, 0
    while True:
        start = int(np.searchsorted(total, held + target_bytes)) + 1
        if start >= len(sizes_bytes):
            return np.array(starts, dtype=np.int64)
        starts.append(start)
        held = int(total[start - 1])
