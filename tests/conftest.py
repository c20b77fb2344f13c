"""What every test may lean on: the shared reference material, and hypothesis that repeats itself."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

PROJECT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("PACHSIM_SHARED", PROJECT.parent / "shared"))
NO_SHARED = (
    f"no reference material in {SHARED}; set PACHSIM_SHARED to the folder that holds domain/ and data/"
)

HAS_SHARED = (SHARED / "data").is_dir()

needs_shared = pytest.mark.skipif(not HAS_SHARED, reason=NO_SHARED)


def of_shared(cases: Iterable[Any]) -> list[Any]:
    """Return the cases of a test that ``needs_shared``: where nothing is there, one to be skipped.

    Where the material is there and cases are not, none: that fails, as every empty list of cases does.
    """
    return [*cases] if HAS_SHARED else [SHARED]


# The same code gives the same verdict, and a busy machine is not a failure.
settings.register_profile("pachsim", deadline=None, derandomize=True)
settings.load_profile("pachsim")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the slow tests where several workers share them, or one is left with them at the end."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of the reference material, or skip the test with the reason."""
    if not HAS_SHARED:
        pytest.skip(NO_SHARED)
    return SHARED
