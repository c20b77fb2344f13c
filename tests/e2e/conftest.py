"""The commands as a user types them, in a fresh folder."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.commands import Done, pachsim, pachsim_in_a_process

Pachsim = Callable[..., Done]


@pytest.fixture(name="pachsim")
def in_this_process(tmp_path: Path) -> Pachsim:
    """Return what runs ``pachsim`` with some arguments in an empty folder."""
    return partial(pachsim, tmp_path)


@pytest.fixture
def installed_pachsim(tmp_path: Path) -> Pachsim:
    """Return what runs the installed program there, in a process of its own."""
    return partial(pachsim_in_a_process, tmp_path)
