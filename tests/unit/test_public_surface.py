"""What ``import sim`` offers, and what it and ``--help`` must not load."""

from __future__ import annotations

import subprocess
import sys

import pytest

import sim

# Not pydantic: typer itself reads the options of a command with it.
HEAVY = ("numpy", "pandas", "scipy", "matplotlib", "simpy", "pyarrow", "yaml", "rich.console")


def test_all_is_sorted_and_every_name_is_there() -> None:
    assert sim.__all__ == sorted(sim.__all__)
    assert set(sim.__all__) <= set(dir(sim))
    for name in sim.__all__:
        assert getattr(sim, name) is not None


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'sim' has no attribute 'smulate'"):
        _ = sim.smulate


@pytest.mark.parametrize("command", ["--help", "--version", "run --help", "catalog ec2 --help"])
def test_help_loads_nothing_heavy(command: str) -> None:
    script = (
        "import sys\n"
        f"sys.argv = ['pachsim', *{command.split()}]\n"
        "from sim.cli import main\n"
        "try:\n"
        "    main()\n"
        "except SystemExit:\n"
        "    pass\n"
        f"print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"
