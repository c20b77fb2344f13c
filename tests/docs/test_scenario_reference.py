"""``scenarios/README.md`` and ``scenario.schema.json`` say what the loader takes, no more and no less."""

import json
from typing import Any

import jsonschema
import pytest

from sim.documents.yaml_read import read_file
from sim.loader.reference import SCHEMA_FILE, TABLE_FILE, printed_schema, rows, with_table
from tests.conftest import PROJECT

FOLDER = PROJECT / "scenarios"
STALE = "run `python -m sim.loader.reference scenarios`"
SCHEMA = jsonschema.Draft202012Validator(json.loads((FOLDER / SCHEMA_FILE).read_text(encoding="utf-8")))


def test_the_schema_is_current() -> None:
    assert (FOLDER / SCHEMA_FILE).read_text(encoding="utf-8") == printed_schema(), STALE


def test_the_table_is_current() -> None:
    page = (FOLDER / TABLE_FILE).read_text(encoding="utf-8")
    assert page == with_table(page), STALE


def test_the_schema_is_one() -> None:
    SCHEMA.check_schema(SCHEMA.schema)


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.yaml")), ids=lambda file: file.stem)
def test_the_schema_takes_every_scenario(file: Any) -> None:
    (document,) = read_file(file)
    SCHEMA.validate(document.value)


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"horizn": "1d"}, id="unknown key"),
        pytest.param({}, id="horizon missing"),
        pytest.param({"horizon": "1d", "seed": -1}, id="negative seed"),
        pytest.param({"horizon": "1d", "cluster": {"scheduler": "best-fit"}}, id="unknown word"),
        pytest.param(
            {"horizon": "1d", "repos": [{"name": "r", "commits": {"poison": {"per_hour": 1}}}]},
            id="unknown tag",
        ),
    ],
)
def test_the_schema_refuses_what_the_loader_refuses(wrong: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        SCHEMA.validate(wrong)


def test_every_field_has_unit_and_meaning() -> None:
    for path, unit, _, meaning, _ in rows():
        assert unit, path
        assert meaning, path


def test_every_scenario_has_a_line() -> None:
    page = (FOLDER / TABLE_FILE).read_text(encoding="utf-8")
    for file in FOLDER.glob("*.yaml"):
        assert f"`{file.name}`" in page
