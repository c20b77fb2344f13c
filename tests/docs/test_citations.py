"""Every citation of a page of docs/model leads to a section that is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import sim
from tests.conftest import PROJECT

MODEL = PROJECT / "docs" / "model"
SECTION = r"§\d+(?:\.\d+)*"
CITED = re.compile(rf"([a-z-]+\.md) ({SECTION}(?:(?:,? and |, | to |; ){SECTION})*)")
BROKEN = re.compile(r"\s*\n\s*(?:#|\*|\")*\s*")  # a citation may go on in the next line, of a comment too
CITING = ("sim", "tests", "docs", "scenarios", "studies", "benchmarks", "evidence", "notebooks")
OURS = {
    "recordings",
    "test_citations.py",
}  # what others recorded has pages of its own; below is one that is lost
KINDS = {".py", ".md", ".yaml", ".csv", ".ipynb"}
HEADINGS = {
    page.name: set(re.findall(r"^#+ (\d+(?:\.\d+)*)[. ]", page.read_text(encoding="utf-8"), re.MULTILINE))
    for page in MODEL.glob("*.md")
}


def files() -> Iterator[Path]:
    yield from PROJECT.glob("*.md")
    for folder in CITING:
        found = (PROJECT / folder).rglob("*")
        yield from (path for path in sorted(found) if path.suffix in KINDS and not OURS & {*path.parts})


def citations(path: Path) -> Iterator[tuple[str, str]]:
    """Yield page and section of everything that a file cites; a bare ``§`` in a page is its own."""
    text = BROKEN.sub(" ", path.read_text(encoding="utf-8"))
    for page, sections in CITED.findall(text):
        yield from ((page, section.strip("§")) for section in re.findall(SECTION, sections))


def test_there_are_citations() -> None:
    cited = {page for path in files() for page, _ in citations(path)}
    assert {"pachyderm.md", "cluster-autoscaler.md", "aws.md"} <= cited


@pytest.mark.parametrize("path", [*files()], ids=lambda path: str(path.relative_to(PROJECT)))
def test_what_is_cited_is_there(path: Path) -> None:
    lost = [
        f"{page} §{section}" for page, section in citations(path) if section not in HEADINGS.get(page, set())
    ]
    assert lost == []


def test_a_lost_section_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("as in aws.md §1.2, §99.9\n  # and pachyderm.md §3.1 and\n  # §77", encoding="utf-8")
    assert [*citations(page)] == [
        ("aws.md", "1.2"), ("aws.md", "99.9"), ("pachyderm.md", "3.1"), ("pachyderm.md", "77")
    ]  # fmt: skip


SCENARIOS = sorted((PROJECT / "scenarios").glob("*.yaml"))
# A section of a page, a version, a commit, the year of a publication, the user's own file, or no source.
OPENS = re.compile(r"§\d|\d\.\d|\b[0-9a-f]{10,}\b|\b20\d\d\b|\(\d{4}\)|^the ClusterConfig's|^assumption")


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda path: path.stem)
def test_what_check_assumes_says_where_to_look(scenario: Path) -> None:
    assumptions = sim.load(scenario).assumptions
    assert len(assumptions) > 50
    assert [said for said in assumptions if not OPENS.search(said.source)] == []
