"""Globs against upstream's own tests, and against counting real paths with a matcher that is not ours."""

from __future__ import annotations

import fnmatch

import pytest

from sim.decisions.pachyderm.datums import Entries
from sim.decisions.pachyderm.globs import matched, named_entries, read_glob
from sim.model.layout import FLAT, Layout

UPSTREAM = ("/dir1/file1.1", "/dir1/file1.2", "/dir2/file2.1", "/dir2/file2.2")
NUMBERED = tuple(f"/{n}" for n in range(100))


@pytest.mark.parametrize(
    ("glob", "names", "expected"),
    [
        ("/**.2", UPSTREAM, 2),
        ("/dir1/*", UPSTREAM, 2),
        ("/*", UPSTREAM, 2),
        ("/1*", NUMBERED, 11),
        ("/**", UPSTREAM, 6),
        ("/dir1", UPSTREAM, 1),
        ("/dir3", UPSTREAM, 0),
        ("/dir?/file[12].1", UPSTREAM, 2),
        ("/dir1/file1.[!2]", UPSTREAM, 1),
        ("/{dir1,dir2}/file1.*", UPSTREAM, 2),
        ("/(*)/file?.(1)", UPSTREAM, 2),
        ("/dir@(1|3)/*", UPSTREAM, 2),
        ("/1\\*", (*NUMBERED, "/1*"), 1),
    ],
)
def test_upstreams_table_of_matches(glob: str, names: tuple[str, ...], expected: int) -> None:
    """The first four rows: v2.11.6 src/server/pfs/server/testing/server_test.go TestGlobFile2 and 3."""
    assert named_entries(glob, names) == expected


@pytest.mark.parametrize(
    ("glob", "paths"),
    [
        ("/schema.json", 1),
        ("/{a,b}.csv", 2),
        ("/part-[0-9]", 10),
        ("/{a,b{1,2}}", 3),
        ("/a?", None),
        ("/*", None),
    ],
)
def test_what_a_glob_can_match_at_most(glob: str, paths: int | None) -> None:
    found = read_glob(glob).paths
    assert (None if found is None else len(found)) == paths


def test_a_path_does_not_grow() -> None:
    path = read_glob("/schema.json")
    assert matched(path, FLAT, 20, 20, 0) == Entries(new=1)
    assert matched(path, FLAT, 30, 10, 0) == Entries(unchanged=1)
    assert matched(path, FLAT, 20, 0, 20) == Entries(changed=1)
    assert matched(path, FLAT, 1_000, 0, 1) == Entries(unchanged=1)
    assert matched(read_glob("/{a,b}.csv"), FLAT, 20, 19, 0) == Entries(unchanged=1, new=1)


@pytest.mark.parametrize("files", [0, 1, 49, 50, 51, 500, 1_201])
@pytest.mark.parametrize("before", [0, 1, 50, 100])
def test_folders_fill_in_order(files: int, before: int) -> None:
    """Every file's path is written out, and matched by Python's own fnmatch, part by part."""
    layout = Layout(per_folder=(5, 10))
    before = min(before, files)

    def entries(count: int, level: int) -> dict[str, set[int]]:
        held: dict[str, set[int]] = {}
        for n in range(count):
            parts = [f"{n // 50}", f"{n // 10 % 5}", f"{n % 10}"][:level]
            assert all(fnmatch.fnmatchcase(part, "*") for part in parts)
            held.setdefault("/".join(parts), set()).add(n)
        return held

    for level, glob in enumerate(("/*", "/*/*", "/*/*/*"), start=1):
        old, now = entries(before, level), entries(files, level)
        changed = sum(1 for path in old if now[path] != old[path])
        expected = Entries(len(old) - changed, changed, len(now) - len(old))
        assert matched(read_glob(glob), layout, files, files - before, 0) == expected
    assert matched(read_glob("/*/*/*/*"), layout, files, files, 0) == Entries()
    everything = matched(read_glob("/**"), layout, files, files, 0)
    assert everything.new == sum(len(entries(files, level)) for level in (1, 2, 3))


def test_named_files_are_there_from_the_start_and_others_lie_in_folders() -> None:
    layout = Layout(per_folder=(10,), names=("/config/a.yaml", "/config/b.yaml"))
    assert matched(read_glob("/config/*.yaml"), layout, 22, 22, 0).total == 2 + 20
    assert matched(read_glob("/config/a.yaml"), layout, 22, 22, 0) == Entries(new=1)
    assert matched(read_glob("/config/c.yaml"), layout, 22, 22, 0) == Entries()
    assert matched(read_glob("/*"), layout, 22, 20, 0) == Entries(unchanged=1, new=2)
