"""A store in every state that a file can be in: each refusal is one line, and the file stays as it was."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from sim.errors import InputError
from sim.report.metrics import Tree
from sim.study import store_file
from sim.study.evaluate import evaluator, in_process
from sim.study.store import Row, Store
from sim.study.versions import said, versions
from tests.unit.study.tasks import answer

ROW = Row("a=1", b"scenario", 1, 0)
TREE: Tree = {
    "metrics": {"cost_usd_per_day": 0.1 + 0.2, "p95_s": math.nan},
    "slo": {"0": {"latency_s": math.inf}},
}


def written(path: Path) -> Path:
    """Return the path of a store with one row."""
    with Store(path, "edges") as store:
        store.add(ROW, TREE)
    return path


def test_numbers_come_back_bit_for_bit(tmp_path: Path) -> None:
    with Store(written(tmp_path / "study.db"), "edges", resume=True) as store:
        assert repr(list(store.read([Row("a=1", b"other", 1, 0), ROW]))) == repr([(1, TREE)])
        assert len(store) == 1


def test_a_store_is_one_file_that_any_sqlite_reads(tmp_path: Path) -> None:
    path = written(tmp_path / "study.db")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["study.db", "study.db-lock"]
    rows = sqlite3.connect(path)
    query = "SELECT configuration, json_extract(metrics, '$.metrics.cost_usd_per_day') FROM replications"
    assert rows.execute(query).fetchall() == [("a=1", 0.1 + 0.2)]
    assert rows.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    rows.close()


def an_empty_file(path: Path) -> None:
    path.touch()


def begun(path: Path) -> None:
    rows = sqlite3.connect(path)
    rows.execute("PRAGMA journal_mode = WAL")
    rows.close()


@pytest.mark.parametrize("make", [an_empty_file, begun])
def test_what_a_kill_at_the_start_leaves_behind_is_a_new_file(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    make(tmp_path / "study.db")
    written(tmp_path / "study.db")


def text(path: Path) -> None:
    path.write_text("years of work\n" * 100, encoding="utf-8")


def foreign(path: Path) -> None:
    rows = sqlite3.connect(path)
    rows.execute("CREATE TABLE replications (key)")
    rows.commit()
    rows.close()


def truncated(path: Path) -> None:
    written(path)
    path.write_bytes(path.read_bytes()[:-4096])


def scrambled(path: Path) -> None:
    content = bytearray(written(path).read_bytes())
    content[4096 : 4096 + 512] = b"\x07" * 512
    path.write_bytes(content)


def of_another(key: str, value: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        rows = sqlite3.connect(written(path))
        rows.execute("UPDATE about SET value = ? WHERE key = ?", (value, key))
        about = dict(rows.execute("SELECT key, value FROM about WHERE key <> 'checksum'"))
        signed = store_file.checksum(sorted(about.items())).hex()
        rows.execute("UPDATE about SET value = ? WHERE key = 'checksum'", (signed,))
        rows.commit()
        rows.close()

    return make


def of_another_layout(path: Path) -> None:
    rows = sqlite3.connect(written(path))
    rows.execute("PRAGMA user_version = 1")
    rows.close()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param(
            text, "is no store of replications: file is not a database; allowed: a file that", id="text"
        ),
        pytest.param(
            foreign, "is another program's database; allowed: a file that --store wrote", id="foreign"
        ),
        pytest.param(truncated, "is a damaged store: ", id="truncated"),
        pytest.param(scrambled, "is a damaged store: ", id="scrambled"),
        pytest.param(
            of_another("pachsim", "0.0.1"),
            f"is of {said(('0.0.1', versions()[1]))}; allowed: a store of {said(versions())}",
            id="another version",
        ),
        pytest.param(
            of_another("numpy", "1.0"), f"is of pachsim {versions()[0]} with numpy 1.0; ", id="another numpy"
        ),
        pytest.param(
            of_another("study", "opencv"),
            "is of the study opencv; allowed: a store of edges, or a new file",
            id="another study",
        ),
        pytest.param(
            of_another_layout,
            "is a store of layout 1; allowed: one of layout 2: a new file, in which",
            id="another layout",
        ),
    ],
)
def test_what_is_no_store_of_this_study_is_one_line_and_stays_as_it_was(
    tmp_path: Path, make: Callable[[Path], None], message: str
) -> None:
    path = tmp_path / "study.db"
    make(path)
    before = path.read_bytes()
    with pytest.raises(InputError) as raised:
        Store(path, "edges", resume=True)
    assert str(raised.value).startswith(f"{path} {message}")
    assert "\n" not in str(raised.value)
    assert path.read_bytes() == before


def test_going_on_must_be_asked_for(tmp_path: Path) -> None:
    path = written(tmp_path / "study.db")
    with pytest.raises(
        InputError, match="holds 1 replication; allowed: a new file, or --resume to go on with them"
    ):
        Store(path, "edges")


def test_one_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "study.db"
    with Store(path, "edges"), pytest.raises(InputError, match="is in use by another process; allowed: when"):
        Store(path, "edges", resume=True)
    Store(path, "edges", resume=True).close()


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be opened: unable to open database file"):
        Store(tmp_path / "no" / "study.db", "edges")


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "study.db"
    with evaluator("study", store=path, workers=1) as evaluate:
        pages = evaluate._store._rows  # type: ignore[attr-defined] # an Evaluation, whose file gets a limit
        pages.execute("PRAGMA max_page_count = 40")
        with pytest.raises(
            InputError, match="cannot be written; what was finished before is kept: database or disk"
        ):
            answer(evaluate)
    with evaluator("study", store=path, workers=1, resume=True) as evaluate:
        assert len(evaluate._store) > 5  # type: ignore[attr-defined] # likewise
        assert answer(evaluate) == answer(in_process)
