from __future__ import annotations

import io
import time

import pytest

from sim.study.progress import Progress, time_left


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(stream: io.StringIO, wanted: bool | None) -> str:
    progress = Progress(wanted, stream)
    for done in (1, 2):
        progress.show(done, 2)
    progress.close()
    return stream.getvalue()


@pytest.mark.parametrize(
    ("stream", "wanted", "text"),
    [
        pytest.param(io.StringIO(), None, "", id="no terminal: nothing"),
        pytest.param(Terminal(), False, "", id="a terminal, but not wanted"),
        pytest.param(
            io.StringIO(), True, "1/2 replications, 0s left\n2/2 replications\n", id="asked for: line by line"
        ),
        pytest.param(
            Terminal(),
            None,
            "\r\x1b[K1/2 replications, 0s left\r\x1b[K2/2 replications\r\x1b[K",
            id="a terminal: one line in place, gone at the end",
        ),
    ],
)
def test_where_progress_goes(stream: io.StringIO, wanted: bool | None, text: str) -> None:
    assert shown(stream, wanted) == text


def test_a_line_a_second_and_the_last_one(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 0.4, 0.8, 1.2, 1.6, 2.0, 2.1])
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    progress = Progress(True, stream := io.StringIO())
    for done in range(1, 7):
        progress.show(done, 6, known=0)
    assert [line.split()[0] for line in stream.getvalue().splitlines()] == ["1/6", "4/6", "6/6"]


def test_what_was_known_took_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 10.0])
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    progress = Progress(True, stream := io.StringIO())
    progress.show(105, 120, known=100)
    assert stream.getvalue() == "105/120 replications, 30s left\n"


@pytest.mark.parametrize(
    ("spent_s", "done", "total", "left"),
    [
        pytest.param(10.0, 5, 20, "30s", id="two seconds each"),
        pytest.param(1.0, 1, 7201, "2h", id="hours"),
        pytest.param(0.01, 1, 2, "0s", id="nothing to speak of"),
    ],
)
def test_time_left(spent_s: float, done: int, total: int, left: str) -> None:
    assert time_left(spent_s, done, total) == left
