import gzip
from pathlib import Path

import pytest

from sim.errors import InputError
from sim.model.arrivals import TraceArrivals
from tests.unit.loader import worlds
from tests.unit.loader.worlds import CLUSTER, loaded

HEADER = "job_id,arrival_s,datums,datum_seconds,cpu,memory_gib,gpu"
ROWS = "a,0,1,60,0.5,1,0\nb,90.5,3,10.5,1,2.5,0\n"
TRACE = f"{HEADER}\n{ROWS}"
SCENARIO = f"""horizon: 1d
{CLUSTER}
base_load: []
pods: [{{name: replay, arrivals: {{trace: {{file: t.csv}}}}}}]
"""
PATH = "pods[replay].arrivals.trace"


def trace(folder: Path, text: str, *sets: str) -> TraceArrivals:
    (load,) = loaded(folder, SCENARIO, *sets, t_csv=text).pods
    assert isinstance(load.arrivals, TraceArrivals)
    assert load.duration_s is None
    return load.arrivals


def test_read(tmp_path: Path) -> None:
    assert trace(tmp_path, TRACE) == TraceArrivals(
        source="t.csv",
        times_us=(0, 90_500_000),
        datums=(1, 3),
        datum_s=(60.0, 10.5),
        cpu_m=(500, 1000),
        memory_mib=(1024, 2560),
        gpu=(0, 0),
    )


def test_gzipped(tmp_path: Path) -> None:
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(TRACE.encode()))
    assert trace(tmp_path, "", f"{PATH}.file=t.csv.gz").times_us == (0, 90_500_000)


def test_out_of_order_rows_are_sorted(tmp_path: Path) -> None:
    late_first = f"{HEADER}\nb,90,1,1,1,1,0\na,0,2,1,1,1,0\n"
    assert trace(tmp_path, late_first).datums == (2, 1)


@pytest.mark.parametrize(
    ("said", "times_s"),
    [
        pytest.param(f"{PATH}.from=1m", [30.5], id="from a minute on, counted from there"),
        pytest.param(f"{PATH}.until=90s", [0], id="until a minute and a half"),
        pytest.param(f"{PATH}.limit=1", [0], id="one row"),
        pytest.param(f"{PATH}.stretch=2", [0, 181], id="at half the pace"),
    ],
)
def test_parts(tmp_path: Path, said: str, times_s: list[float]) -> None:
    assert trace(tmp_path, TRACE, said).times_us == tuple(round(1e6 * time_s) for time_s in times_s)


def test_defaults_fill_columns_and_cells(tmp_path: Path) -> None:
    sparse = "job_id,arrival_s,datum_seconds,cpu\na,0,5,\nb,1,6,2\n"
    defaults = f"{PATH}.defaults={{datums: 1, cpu: 0.25, memory_gib: 2, gpu: 0}}"
    filled = trace(tmp_path, sparse, defaults)
    assert filled.cpu_m == (250, 2000)
    assert filled.memory_mib == (2048, 2048)
    assert filled.datums == (1, 1)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("", ".file is empty", id="empty"),
        pytest.param("job_id,arrivals\na,0\n", "t.csv:1: ", id="no arrivals column"),
        pytest.param(
            "arrival_s,datum_seconds,cpu\n0,5,1\n",
            "lacks values in datums, memory_gib, gpu; allowed: a default for each",
            id="columns missing",
        ),
        pytest.param(f"{HEADER}\na,0,1,60,,1,0\n", "lacks values in cpu", id="a cell missing"),
        pytest.param(
            f"{HEADER.replace('datums', 'datum')}\na,0,1,60,1,1,0\n", "did you mean datum?", id="misspelt"
        ),
        pytest.param(f"{HEADER},cpu\na,0,1,60,1,1,0,2\n", "t.csv:1: pods[replay]", id="a column twice"),
        pytest.param(f"{HEADER}\na,soon,1,60,1,1,0\n", "t.csv:2: ", id="no number"),
        pytest.param(f"{HEADER}\na,0,1,-60,1,1,0\n", "t.csv:2: ", id="negative"),
        pytest.param(f"{HEADER}\na,0,1,nan,1,1,0\n", "t.csv:2: ", id="not finite"),
        pytest.param(f"{HEADER}\na,,1,5,1,1,0\n", "arrival_s is empty", id="no arrival"),
        pytest.param(f"{HEADER}\na,0,1\n", "t.csv:2: ", id="too few cells"),
        pytest.param(f"{HEADER}\n", "has no rows left", id="no rows"),
    ],
)
def test_malformed(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(InputError) as caught:
        trace(tmp_path, text)
    assert problem in str(caught.value)
    assert PATH in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_a_trace_says_again_is_warned_of(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(TRACE)
    more = ("pods[replay].duration=1m", "pods[replay].requests.memory=1Gi")
    pods = loaded(tmp_path, SCENARIO, *more)
    assert "pods replay: what is said of duration, memory is not used, the trace says it" in pods.warnings
    commits = "pipelines[edges].commits={trace: {file: t.csv}}"
    edges = loaded(tmp_path, worlds.SCENARIO, commits, "pipelines[edges].datums.new_per_commit=7")
    assert "pipeline edges: datum_time is used, not what the trace says of it" in edges.warnings
    assert "pipeline edges: datums per commit are those of the trace" in edges.warnings


def test_broken_gzip(tmp_path: Path) -> None:
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(TRACE.encode())[:-9])
    with pytest.raises(InputError, match="cannot be read"):
        trace(tmp_path, "", f"{PATH}.file=t.csv.gz")


def test_a_line_of_a_trace_that_set_points_to_keeps_its_place(tmp_path: Path) -> None:
    (tmp_path / "u.csv").write_text(f"{HEADER}\na,0,1\n")
    with pytest.raises(InputError, match=r"u\.csv:2: .* has 3 cells; allowed: 7, as the header"):
        trace(tmp_path, TRACE, f"{PATH}.file=u.csv")


def test_rows_that_fit_nowhere_are_counted(tmp_path: Path) -> None:
    text = f"{TRACE}c,100,1,5,64,1,0\nd,101,1,5,1,1,1\n"
    scenario = loaded(tmp_path, SCENARIO, t_csv=text)
    (load,) = scenario.pods
    assert isinstance(load.arrivals, TraceArrivals)
    assert len(load.arrivals.times_us) == 2
    (warning,) = scenario.warnings
    assert (
        "2 of 4 rows of t.csv fit nowhere and count as pods that never start, such as 64000m cpu" in warning
    )
    assert load.dropped == ((100_000_000, 1), (101_000_000, 1))


def test_a_traced_pipeline_takes_datums_and_their_time_from_the_trace(tmp_path: Path) -> None:
    text = f"""horizon: 1d
{CLUSTER}
pipelines:
  - spec: {{pipeline: {{name: p}}, input: {{pfs: {{repo: r, glob: "/*"}}}}, transform: {{cmd: [x]}}}}
    commits: {{trace: {{file: t.csv}}}}
"""
    scenario = loaded(tmp_path, text, t_csv="arrival_s,datums,datum_seconds\n0,4,2.5\n")
    (repo,) = scenario.repos
    assert isinstance(repo.commits, TraceArrivals)
    assert (repo.commits.datums, repo.commits.datum_s) == ((4,), (2.5,))
    assert scenario.pipelines[0].datum_s is None


def test_an_empirical_column(tmp_path: Path) -> None:
    text = f"""horizon: 1d
{CLUSTER}
pods:
  - {{name: p, arrivals: {{every: 1h}}, duration: {{empirical: {{file: t.csv, column: datum_seconds}}}}}}
"""
    (load,) = loaded(tmp_path, text, t_csv=TRACE).pods
    assert load.duration_s is not None
    assert load.duration_s.mean == 35.25
