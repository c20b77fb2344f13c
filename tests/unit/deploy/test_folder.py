"""The folder of an export: whole or not there, and nothing outside it, whatever is in the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.deploy import export
from sim.deploy.folder import check_name, write_folder
from sim.errors import InputError, SimError
from sim.loader import load
from sim.model.scenario import Origin, Scenario
from tests.unit.deploy.plans import contents, written

FILES = {"README.md": b"a", "prediction.json": b"{}", "scenario.yaml": b"b", "pipelines/p.json": b"c"}


def fine(folder: Path) -> None:
    assert folder.is_dir()


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_new_folder_an_empty_one_and_one_below_others(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for name in ("new", "empty", "a/b/c"):
        write_folder(tmp_path / name, FILES, fine)
        assert contents(tmp_path / name) == FILES
    assert names(tmp_path) == {"new", "empty", "a"}


def test_a_folder_that_holds_something_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="is not empty; allowed: a new or empty folder, or --force"):
        write_folder(tmp_path, FILES, fine)
    assert contents(tmp_path) == {"mine.txt": b"mine"}


@pytest.mark.parametrize("out", [".", "..", "/", "../here", ""])
def test_the_ground_one_stands_on_is_not_moved_away(
    out: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(InputError, match="is the folder you are in, or around it; allowed: another folder"):
        write_folder(Path(out), FILES, fine, force=True)
    assert not contents(tmp_path)


def test_a_name_no_disk_takes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written: File name too long"):
        write_folder(tmp_path / ("x" * 300), FILES, fine)


def test_force_replaces_an_earlier_export(tmp_path: Path) -> None:
    write_folder(tmp_path / "out", {**FILES, "old.json": b""}, fine)
    write_folder(tmp_path / "out", FILES, fine, force=True)
    assert contents(tmp_path / "out") == FILES
    assert names(tmp_path) == {"out"}


def test_force_moves_aside_what_is_no_export(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    write_folder(tmp_path / "out", FILES, fine, force=True)
    assert contents(tmp_path / "out") == FILES
    assert contents(tmp_path / "out.old") == {"mine.txt": b"mine"}
    (tmp_path / "out" / "README.md").unlink()
    with pytest.raises(InputError, match=r"is no export, and out\.old is in the way"):
        write_folder(tmp_path / "out", FILES, fine, force=True)


def test_what_fails_a_check_leaves_what_was_there(tmp_path: Path) -> None:
    write_folder(tmp_path / "out", FILES, fine)

    def refuse(_: Path) -> None:
        raise SimError("no")

    with pytest.raises(SimError):
        write_folder(tmp_path / "out", {"README.md": b"new"}, refuse, force=True)
    with pytest.raises(SimError):
        write_folder(tmp_path / "other", FILES, refuse)
    assert contents(tmp_path / "out") == FILES
    assert names(tmp_path) == {"out"}


def test_a_symbolic_link_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "elsewhere")
    for force in (False, True):
        with pytest.raises(InputError, match="is a symbolic link"):
            write_folder(tmp_path / "out", FILES, fine, force=force)
    assert contents(tmp_path / "elsewhere") == {}


def test_links_in_a_replaced_folder_are_not_followed(tmp_path: Path) -> None:
    write_folder(tmp_path / "out", FILES, fine)
    (tmp_path / "kept.txt").write_text("kept")
    (tmp_path / "out" / "cluster.yaml").symlink_to(tmp_path / "kept.txt")
    (tmp_path / "out" / "before").symlink_to(tmp_path)
    write_folder(tmp_path / "out", {**FILES, "cluster.yaml": b"x", "before/kept.txt": b"x"}, fine, force=True)
    assert (tmp_path / "kept.txt").read_text() == "kept"


def test_a_file_in_the_way_and_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(InputError, match="is a file"):
        write_folder(tmp_path / "out", FILES, fine)
    with pytest.raises(InputError, match="cannot be written: Not a directory"):
        write_folder(tmp_path / "out" / "below", FILES, fine)


BAD = [
    "",
    "../x",
    "a/../../x",
    "/etc/passwd",
    "a//b",
    "./a",
    "a/.",
    "..",
    "a\\b",
    "a\x00b",
    "a\nb",
    "a\u202eb",
    "x" * 300,
]


@pytest.mark.parametrize("name", BAD, ids=repr)
def test_names_that_leave_the_folder_or_hide_something(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no name of an exported file"):
        check_name(name)
    with pytest.raises(InputError):
        write_folder(tmp_path / "out", {name: b""}, fine)
    assert names(tmp_path) == set()


def hostile(scenario: Scenario, tmp_path: Path) -> list[Scenario]:
    """Return scenarios whose origin, as a damaged or forged result may have it, names other files."""
    from dataclasses import replace

    document = scenario.origin.document if scenario.origin else {}
    secret = tmp_path / "secret"
    secret.write_text("secret")
    trace = {**document, "question": "../../secret"}
    return [
        replace(scenario, origin=None),
        replace(scenario, origin=Origin({**document, "pipelines": [{"spec": "../../x"}]})),
        replace(scenario, origin=Origin(trace, files=(("../../secret", str(secret)),))),
    ]


def test_origins_that_point_elsewhere_write_nothing(tmp_path: Path) -> None:
    path = written(tmp_path / "in")
    before = contents(tmp_path)
    for n, scenario in enumerate(hostile(load(path, ["horizon=1h"]), tmp_path)):
        with pytest.raises(SimError):
            export(scenario, tmp_path / "a" / "b" / f"out{n}", replications=1)
    (tmp_path / "secret").unlink()
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    "cluster",
    [
        pytest.param("!!python/object/apply:os.system [ls]", id="a tag that constructs"),
        pytest.param(f"name: {'x' * 1_000_000}", id="a megabyte of text"),
        pytest.param('metadata: {name: "a\\0b"}', id="NUL"),
        pytest.param('metadata: {name: "a\u202eb"}', id="a right-to-left override"),
        pytest.param("managedNodeGroups: [{name: ../../x}]", id="a name that leaves the folder"),
    ],
)
def test_hostile_files_are_refused_in_one_line(cluster: str, tmp_path: Path) -> None:
    path = written(tmp_path)
    (tmp_path / "clusters" / "work.yaml").write_text(cluster)
    with pytest.raises(InputError) as refused:
        export(load(path), tmp_path / "out")
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "out").exists()
