"""Datums: what each one costs, drawn when it appears, and what a set of them costs together.

A datum's numbers are a column of an array with one row per quantity that the pipeline models; a phase of
a job is such an array. New datums and changed ones have their own streams, drawn in order of appearance,
so two configurations see the same work. A datum is download, user code, upload; every attempt downloads
and computes again and takes equally long; only success uploads. A datum fails when it needs more attempts
than it has tries, when its user code exceeds the datum timeout, or when it needs more memory than there is.

Source: pachyderm/pachyderm v2.11.6, src/server/worker/pipeline/transform/worker.go handleDatumSet and
forEachDatum; pachyderm.md §3.4 and §4.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain, repeat
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.decisions.pachyderm.datum_sets import Bounds
from sim.model.distributions import Constant, Distribution
from sim.model.resources import MIB
from sim.model.units import SECOND

if TYPE_CHECKING:
    from sim.engine.pachyderm.transfers import Turn
    from sim.engine.streams import Streams
    from sim.model.scenario import PipelineLoad

Floats = NDArray[np.float64]
FIRST_BLOCK = 64
LAST_BLOCK = 65_536
FEW = 16
NO_MEMORY = Constant(1e-9)  # nothing but what is added to it


class Draws:
    """Numbers of one stream in order; block sizes depend on the position only, never on who takes."""

    __slots__ = ("_at", "_block", "_sample", "_size")

    def __init__(self, sample: Callable[[int], Floats]) -> None:
        """Take numbers from ``sample(count)``; none yet."""
        self._sample = sample
        self._size = FIRST_BLOCK
        self._block: Floats = np.empty(0)
        self._at = 0

    def take(self, count: int) -> Floats:
        """Return the next ``count`` numbers, shape ``(count,)``; not to be written to."""
        end = self._at + count
        if end <= len(self._block):
            taken = self._block[self._at : end]
            self._at = end
            return taken
        parts = [self._block[self._at :]]
        missing = count - len(parts[0])
        while missing > 0:
            self._block = self._sample(self._size)
            self._size = min(2 * self._size, LAST_BLOCK)
            self._at = min(missing, len(self._block))
            parts.append(self._block[: self._at])
            missing -= self._at
        return np.concatenate(parts)

    def whole_numbers(self) -> Iterator[int]:
        """Yield number after number as a whole one, for ever; nobody else may take from these draws."""
        blocks = (self.take(self._size) for _ in repeat(None))
        return chain.from_iterable(block.astype(np.int64).tolist() for block in blocks)


class DatumSets(NamedTuple):
    """The datums of one phase, shape ``(rows, datums)``, cut at ``bounds``, and what each set costs.

    Lists have one entry per set; None where nothing is modelled.
    """

    work: Floats
    bounds: Bounds
    compute_us: list[int]
    transfer_bytes: list[float] | None = None
    peak_mib: list[float] | None = None
    failed: list[int] | None = None
    upload_bytes: float = 0.0


class DatumCosts(NamedTuple):
    """Seconds of user code over all attempts, bytes moved, failure, attempts: shape ``(datums,)``."""

    compute_s: Floats
    transfer_bytes: Floats | None
    failed: NDArray[np.bool_] | None
    attempts: Floats | float


class DatumModel:
    """The rows that a pipeline's datums have, and what follows from them."""

    def __init__(self, load: PipelineLoad) -> None:
        """Read which quantities are modelled; what is always nothing takes no row."""
        spec = load.pipeline
        self.tries = spec.datum_tries
        self.timeout_s = None if spec.datum_timeout_us is None else spec.datum_timeout_us / SECOND
        self.rows: list[tuple[str, Distribution | None]] = [("seconds", load.datum_s)]
        self.download = self._row("download", load.download_bytes)
        self.upload = self._row("upload", load.upload_bytes)
        peak = load.memory_peak_mib
        if peak is None and spec.memory_volume:
            peak = NO_MEMORY
        self.peak = None if peak is None else self._row("memory", peak)
        self.in_memory = self._in_memory(load)
        self.recovers = bool(spec.err_cmd) and load.recovers
        self.failure = load.failure
        self.attempts = self._row("attempts", None) if load.failure > 0 else None
        self.only_seconds = len(self.rows) == 1 and self.timeout_s is None

    def _in_memory(self, load: PipelineLoad) -> list[int]:
        """Return the rows whose bytes lie in memory: inputs and outputs of a volume that is in RAM."""
        moved = [row for row in (self.download, self.upload) if row is not None]
        return moved if load.pipeline.memory_volume else []

    def _row(self, name: str, distribution: Distribution | None) -> int | None:
        if distribution == Constant(0):
            return None
        self.rows.append((name, distribution))
        return len(self.rows) - 1

    def draws(self, streams: Streams, name: str) -> list[Draws | None]:
        """Return the streams of one kind of datum, row by row; None where a trace gives the seconds."""
        return [self._draws(streams.stream(f"{name}/{row}"), row, dist) for row, dist in self.rows]

    def _draws(self, rng: np.random.Generator, row: str, distribution: Distribution | None) -> Draws | None:
        if row == "attempts":
            if self.failure == 1.0:
                return Draws(lambda count: np.full(count, np.inf))
            return Draws(lambda count: rng.geometric(1.0 - self.failure, count).astype(np.float64))
        return None if distribution is None else Draws(lambda count: distribution.sample(rng, count))

    def take(self, draws: Sequence[Draws | None], count: int, trace_s: float) -> Floats:
        """Return the next ``count`` datums, shape ``(rows, count)``; not to be written to."""
        if len(draws) == 1 and draws[0] is not None:
            return draws[0].take(count)[np.newaxis]  # a view of what was drawn
        work = np.empty((len(draws), count))
        for row, draw in zip(work, draws, strict=True):
            row[:] = trace_s if draw is None else draw.take(count)
        for moved in self.in_memory:
            work[self.peak] += work[moved] / MIB
        return work

    def costs(self, work: Floats, limit_mib: float | None = None) -> DatumCosts:
        """Return what each datum costs where a datum above ``limit_mib`` fails every attempt."""
        seconds = work[0]
        tries: Floats | float = 1.0
        failed: NDArray[np.bool_] | None = None
        if self.attempts is not None:
            tries = np.minimum(work[self.attempts], self.tries)
            failed = work[self.attempts] > self.tries
        hopeless: NDArray[np.bool_] | None = None
        if self.timeout_s is not None:
            hopeless = seconds > self.timeout_s
            seconds = np.minimum(seconds, self.timeout_s)
        if limit_mib is not None and self.peak is not None:
            too_big = work[self.peak] > limit_mib
            hopeless = too_big if hopeless is None else hopeless | too_big
        if hopeless is not None:
            tries = np.where(hopeless, self.tries, tries)
            failed = hopeless if failed is None else failed | hopeless
        moved: Floats | None = None
        if self.download is not None:
            moved = work[self.download] * tries
        if self.upload is not None:
            sent = work[self.upload] if failed is None else np.where(failed, 0.0, work[self.upload])
            moved = sent if moved is None else moved + sent
        return DatumCosts(seconds if isinstance(tries, float) else seconds * tries, moved, failed, tries)

    def sets(self, work: Floats, bounds: Bounds) -> DatumSets:
        """Return a phase's sets; ``bounds`` as `datum_set_bounds` gives them."""
        if work.shape[1] == 0:
            return DatumSets(work, bounds, [0])
        starts = bounds[:-1]
        if self.only_seconds:
            return DatumSets(work, bounds, _whole_us(np.add.reduceat(work[0], starts)))
        each = self.costs(work)
        moved, failed = each.transfer_bytes, each.failed
        return DatumSets(
            work,
            bounds,
            _whole_us(np.add.reduceat(each.compute_s, starts)),
            None if moved is None else np.add.reduceat(moved, starts).tolist(),
            None if self.peak is None else np.maximum.reduceat(work[self.peak], starts).tolist(),
            None
            if failed is None or self.recovers
            else np.add.reduceat(failed.astype(np.int64), starts).tolist(),
            0.0 if self.upload is None else float(work[self.upload].sum()),
        )

    def input_bytes(self, work: Floats) -> NDArray[np.int64]:
        """Return what each datum downloads, which is the size that cuts sets by size."""
        if self.download is None:
            return np.zeros(work.shape[1], dtype=np.int64)
        sizes: NDArray[np.int64] = np.rint(work[self.download]).astype(np.int64)
        return sizes

    def turns(self, work: Floats, limit_mib: float | None = None) -> list[Turn]:
        """Return a set as its worker does it: bytes to move, then user code, for each attempt in turn.

        A datum's upload goes before the download of the next; the last turn is the last upload.
        """
        each = self.costs(work, limit_mib)
        attempts = np.broadcast_to(each.attempts, work.shape[1]).astype(np.int64)
        download = np.zeros(len(attempts)) if self.download is None else work[self.download]
        moved = download if each.transfer_bytes is None else each.transfer_bytes
        turn_bytes = np.append(np.repeat(download, attempts), 0.0)
        turn_bytes[np.cumsum(attempts)] += moved - download * attempts
        compute_s = np.append(np.repeat(each.compute_s / attempts, attempts), 0.0)
        compute_us = np.rint(compute_s * SECOND).astype(np.int64)
        return list(zip(turn_bytes.tolist(), compute_us.tolist(), strict=True))

    def turns_until_killed(self, work: Floats, limit_mib: float) -> list[Turn]:
        """Return the turns of a set up to where `until_killed_us` ends."""
        assert self.peak is not None
        first = int(np.argmax(work[self.peak] > limit_mib))
        *turns, (upload, _) = self.turns(work[:, :first])
        last = work[:, first]
        download = 0.0 if self.download is None else float(last[self.download])
        return [*turns, (upload + download, round(float(last[0]) * SECOND))]

    def until_killed_us(self, work: Floats, limit_mib: float, bytes_per_s: float) -> int:
        """Return how far a set comes before its first datum above ``limit_mib`` ends its container."""
        assert self.peak is not None
        first = int(np.argmax(work[self.peak] > limit_mib))
        done, last = self.costs(work[:, :first]), work[:, first]
        seconds = float(done.compute_s.sum() + last[0])
        if done.transfer_bytes is not None:
            download = 0.0 if self.download is None else last[self.download]
            seconds += float(done.transfer_bytes.sum() + download) / bytes_per_s
        return round(seconds * SECOND)

    def with_tries_lost(self, work: Floats, limit_mib: float, bytes_per_s: float) -> tuple[int, int]:
        """Return how long a set takes, and how many of its datums fail only for being above ``limit_mib``."""
        each, otherwise = self.costs(work, limit_mib), self.costs(work)
        seconds = float(each.compute_s.sum())
        if each.transfer_bytes is not None:
            seconds += float(each.transfer_bytes.sum()) / bytes_per_s
        assert each.failed is not None
        failed = int(each.failed.sum())
        failed_anyway = 0 if otherwise.failed is None else int(otherwise.failed.sum())
        return round(seconds * SECOND), 0 if self.recovers else failed - failed_anyway

    def after_failure(self, work: Floats) -> Floats:
        """Return the same datums for the next job: those out of tries have used them up."""
        if self.attempts is None:
            return work
        work = work.copy()
        needed = work[self.attempts]
        work[self.attempts] = np.where(needed > self.tries, needed - self.tries, needed)
        return work


def _whole_us(seconds: Floats) -> list[int]:
    if len(seconds) <= FEW:  # rounded one by one sooner than by three calls for all
        return [round(each * SECOND) for each in seconds.tolist()]
    whole: list[int] = np.rint(seconds * SECOND).astype(np.int64).tolist()
    return whole


def last_of(parts: Sequence[Floats], count: int) -> Floats:
    """Return the last ``count`` datums of several arrays side by side."""
    work = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
    return work[:, work.shape[1] - count :]
