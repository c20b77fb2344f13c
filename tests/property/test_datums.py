"""Datum counts against an explicit listing: ids, hashes and a base job, as the worker code has them.

The reference gives every entry a path and a content, lists the datums of an input tree twice (for the base
commit and for the new one) by upstream's words, and sorts them by pachyderm.md §3.2: id not in the base job,
same hash, other hash.
"""

from collections import Counter, defaultdict
from itertools import product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sim.decisions.pachyderm.datums import (
    Entries,
    KeyedEntries,
    count_datums,
    cron_entries,
    cross,
    group,
    join,
    matched_by_ratio,
    pfs_entries,
    phases,
)
from sim.model.pipelines import Combine, CombinedInput, CronInput, Input, PfsInput, Pipeline, Reprocess

Entry = tuple[int, int, int]  # which input, which path, which content
Datum = tuple[Entry, ...]

few = st.integers(0, 3)
entries = st.builds(Entries, few, few, few)


def listed(leaf: int, counts: Entries, *, base: bool, offset: int = 0) -> list[Entry]:
    """Return the entries of a leaf; in the new commit the changed ones have other content."""
    paths = range(offset, offset + (counts.unchanged + counts.changed if base else counts.total))
    first_changed = offset + counts.unchanged
    return [(leaf, path, int(not base and path >= first_changed)) for path in paths]


def compared(now: list[Datum], before: list[Datum]) -> Entries:
    """Return how many datums of ``now`` the base job had unchanged, had otherwise, or had not."""
    base = {identity(datum): datum for datum in before}
    verdicts = Counter(
        "new" if identity(d) not in base else "unchanged" if base[identity(d)] == d else "changed"
        for d in set(now)
    )
    return Entries(verdicts["unchanged"], verdicts["changed"], verdicts["new"])


def identity(datum: Datum) -> tuple[tuple[int, int], ...]:
    """Return what DatumID hashes: input names and paths."""
    return tuple((leaf, path) for leaf, path, _ in datum)


def tree_datums(node: Input, counts: list[Entries], *, base: bool, leaf: list[int]) -> list[Datum]:
    """List the datums of a tree of crosses and unions."""
    if not isinstance(node, CombinedInput):
        leaf[0] += 1
        return [(entry,) for entry in listed(leaf[0] - 1, counts[leaf[0] - 1], base=base)]
    parts = [tree_datums(child, counts, base=base, leaf=leaf) for child in node.inputs]
    if node.combine is Combine.UNION:
        return [datum for part in parts for datum in part]
    return [tuple(entry for datum in row for entry in datum) for row in product(*parts)]


def combined(children: st.SearchStrategy[Input]) -> st.SearchStrategy[Input]:
    return st.builds(
        CombinedInput,
        st.sampled_from([Combine.CROSS, Combine.UNION]),
        st.lists(children, min_size=1, max_size=3).map(tuple),
    )


trees: st.SearchStrategy[Input] = st.recursive(st.just(PfsInput("repo", "/*")), combined, max_leaves=4)


@given(trees, st.lists(entries, min_size=12, max_size=12))
def test_crosses_and_unions(tree: Input, counts: list[Entries]) -> None:
    now = tree_datums(tree, counts, base=False, leaf=[0])
    before = tree_datums(tree, counts, base=True, leaf=[0])
    assert count_datums(tree, counts, matched_by_ratio(1, 1)) == compared(now, before)


def by_key(inputs: list[list[Entries]], *, base: bool) -> dict[int, dict[int, list[Entry]]]:
    """Return key -> input -> entries; keys an input lacks are absent, as in its key file set."""
    keyed: dict[int, dict[int, list[Entry]]] = defaultdict(dict)
    for leaf, keys in enumerate(inputs):
        for key, counts in enumerate(keys):
            if found := listed(leaf, counts, base=base, offset=100 * key):
                keyed[key][leaf] = found
    return keyed


def joined(inputs: list[list[Entries]], outer: list[bool], *, base: bool) -> list[Datum]:
    """List the datums of a join as processMergeTask does: cross the inputs a key has, then filter."""
    datums = []
    for found in by_key(inputs, base=base).values():
        for row in product(*found.values()):
            if len(row) == len(inputs):
                datums.append(row)
            elif kept := tuple(entry for entry in row if outer[entry[0]]):
                datums.append(kept)
    return datums


def grouped(inputs: list[list[Entries]], *, base: bool) -> list[Datum]:
    """List the datums of a group: all entries of a key."""
    return [
        tuple(entry for entries in found.values() for entry in entries)
        for found in by_key(inputs, base=base).values()
    ]


def arrays(keys: list[Entries], outer: bool) -> KeyedEntries:
    columns = np.array([(k.unchanged, k.changed, k.new) for k in keys], dtype=np.int64).T
    return KeyedEntries(columns[0], columns[1], columns[2], outer)


@given(
    st.lists(st.lists(entries, min_size=3, max_size=3), min_size=1, max_size=3),
    st.lists(st.booleans(), min_size=3, max_size=3),
)
def test_joins_and_groups(inputs: list[list[Entries]], outer: list[bool]) -> None:
    parts = [arrays(keys, is_outer) for keys, is_outer in zip(inputs, outer, strict=False)]
    assert join(parts) == compared(joined(inputs, outer, base=False), joined(inputs, outer, base=True))
    assert group(parts) == compared(grouped(inputs, base=False), grouped(inputs, base=True))


@given(st.lists(entries, min_size=1, max_size=4))
def test_phases_share_out_every_datum(parts: list[Entries]) -> None:
    datums = cross(parts)
    for spec in (
        Pipeline("p"),
        Pipeline("p", reprocess=Reprocess.EVERY_JOB),
        Pipeline("p", s3_out=True),
    ):
        shared_out = phases(spec, datums)
        assert shared_out.total == datums.total
        assert shared_out.parallel == datums.new
        assert spec == Pipeline("p") or shared_out.skipped == 0


def test_the_whole_repo_is_one_datum() -> None:
    whole, files = PfsInput("model", "/"), Entries(5, 2, 3)
    assert pfs_entries(whole, files, commits=1, in_base=False) == Entries(new=1)
    assert pfs_entries(whole, files, commits=2, in_base=True) == Entries(changed=1)
    assert pfs_entries(whole, files, commits=0, in_base=True) == Entries(unchanged=1)
    assert pfs_entries(PfsInput("model", "/*"), files, commits=1, in_base=True) == files


def test_a_reference_input_reruns_nothing() -> None:
    reference = PfsInput("model", "/*", reference=True)
    assert pfs_entries(reference, Entries(5, 2, 3), commits=1, in_base=True) == Entries(7, 0, 3)


def test_ticks_pile_up_unless_they_overwrite() -> None:
    assert cron_entries(CronInput("tick", "@daily"), ticks=7, new_ticks=1) == Entries(unchanged=6, new=1)
    overwriting = CronInput("tick", "@daily", overwrite=True)
    assert cron_entries(overwriting, ticks=7, new_ticks=1) == Entries(new=1)
    assert cron_entries(overwriting, ticks=7, new_ticks=0) == Entries(unchanged=1)


def test_stated_ratios_stand_in_for_unknown_keys() -> None:
    node = CombinedInput(Combine.JOIN, (PfsInput("stores", "/*"), PfsInput("sales", "/*")))
    parts = [Entries(10, 2, 4), Entries(100, 0, 30)]
    assert count_datums(node, parts, matched_by_ratio(1.5, 1)) == Entries(15, 3, 6)
