"""What pages and notebooks show of one search, which takes ten seconds: it is done once."""

from __future__ import annotations

from pathlib import Path

import pytest

FIRST_STUDY = "studies/edges-first.yaml"


@pytest.fixture(scope="session")
def first_search(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the store of whoever searches ``FIRST_STUDY``: the first fills it, others read it."""
    return tmp_path_factory.mktemp("first-search") / "study.db"
