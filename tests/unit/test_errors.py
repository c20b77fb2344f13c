from __future__ import annotations

import pickle

import pytest

from sim.errors import InputError, SimError, SimulationError, nearest


@pytest.mark.parametrize(
    ("error", "line"),
    [
        pytest.param(
            InputError(
                field="autoscaler.backoff.initial_s",
                value=0,
                allowed="above 0 and at most max_s (1800.0)",
                file="scenarios/burst.yaml",
                line=12,
            ),
            "scenarios/burst.yaml:12: autoscaler.backoff.initial_s is 0; "
            "allowed: above 0 and at most max_s (1800.0)",
            id="the example of the style guide, with its line",
        ),
        pytest.param(
            InputError("is not a known key", field="autoscaler.scan_intervall", nearest="scan-interval"),
            "autoscaler.scan_intervall is not a known key; did you mean scan-interval?",
            id="unknown key, no file yet",
        ),
        pytest.param(
            InputError("the file is empty", file="a.yaml"),
            "a.yaml: the file is empty",
            id="no field, no line",
        ),
        pytest.param(
            InputError(field="name", value="two\nlines"),
            r"name is 'two\nlines'",
            id="a value stays on one line",
        ),
        pytest.param(
            InputError(field="blob", value="x" * 500), f"blob is '{'x' * 76}...", id="a long value is cut"
        ),
    ],
)
def test_an_input_error_is_one_line_that_names_everything(error: InputError, line: str) -> None:
    assert str(error) == line


def test_outer_layers_add_what_they_know_and_keep_what_was_known() -> None:
    error = InputError(field="max", value=-1, allowed="0 or more", line=7)
    seen = error.inside("nodeGroups[cpu]").inside("cluster", file="edges.yaml", line=1)
    assert str(seen) == "edges.yaml:7: cluster.nodeGroups[cpu].max is -1; allowed: 0 or more"
    assert str(error.inside().inside("a").inside()) == "a.max is -1; allowed: 0 or more"
    assert str(InputError(field="[2]", value=0).inside("times")) == "times[2] is 0"


@pytest.mark.parametrize(
    "error",
    [
        InputError("is odd", field="a", value=3, file="f", line=2, nearest="b"),
        InputError(field="a", value=object),
        SimulationError("pod 7 is on two nodes", ["created", "bound"]),
    ],
    ids=str,
)
def test_errors_cross_process_borders(error: SimError) -> None:
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_a_broken_invariant_tells_what_the_entity_went_through() -> None:
    error = SimulationError("pod 7: illegal transition RUNNING -> PENDING", ["PENDING", "BOUND", "RUNNING"])
    assert str(error) == (
        "pod 7: illegal transition RUNNING -> PENDING; history: PENDING -> BOUND -> RUNNING"
    )


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        pytest.param("scan_intervall", "scan-interval", id="typo and another separator"),
        pytest.param("ParallelismSpec", "parallelism_spec", id="camelCase for snake_case"),
        pytest.param("m5.xlrge", "m5.xlarge", id="instance type"),
        pytest.param("zzz", None, id="nothing alike"),
    ],
)
def test_nearest(word: str, expected: str | None) -> None:
    assert nearest(word, ["scan-interval", "parallelism_spec", "m5.xlarge", "m5.2xlarge"]) == expected
