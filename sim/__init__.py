"""pachsim: which workers, nodes and Fargate sizes hold a latency target for the least money.

This is the whole public surface; the command line and the notebooks use nothing else. A name is
imported when it is first asked for: ``import sim`` costs no numpy, no pandas, no pyplot.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sim.version import VERSION

if TYPE_CHECKING:
    from sim import catalog
    from sim.checking import Check, check
    from sim.deploy import export
    from sim.draft import Draft, init
    from sim.errors import InputError, SimError
    from sim.loader import load
    from sim.loader.study import load_study
    from sim.model.scenario import Scenario
    from sim.model.study import Study
    from sim.searching import load_winner, search
    from sim.sizing import PodSize, size
    from sim.study.compare import Comparison, compare
    from sim.study.open_study import open_study
    from sim.study.replicate import replicate, simulate
    from sim.study.result import Result, load_result
    from sim.study.search.answer import Answer
    from sim.study.sensitivity import sensitivity

__version__ = VERSION

__all__ = [
    "Answer",
    "Check",
    "Comparison",
    "Draft",
    "InputError",
    "PodSize",
    "Result",
    "Scenario",
    "SimError",
    "Study",
    "catalog",
    "check",
    "compare",
    "export",
    "init",
    "load",
    "load_result",
    "load_study",
    "load_winner",
    "metrics",
    "open_study",
    "replicate",
    "search",
    "sensitivity",
    "simulate",
    "size",
]

_MODULES = {"catalog": "sim.catalog", "metrics": "sim.model.metrics"}
_HOMES = {
    "Answer": "sim.study.search.answer",
    "Check": "sim.checking",
    "Comparison": "sim.study.compare",
    "Draft": "sim.draft",
    "InputError": "sim.errors",
    "PodSize": "sim.sizing",
    "Result": "sim.study.result",
    "Scenario": "sim.model.scenario",
    "SimError": "sim.errors",
    "Study": "sim.model.study",
    "check": "sim.checking",
    "compare": "sim.study.compare",
    "export": "sim.deploy",
    "init": "sim.draft",
    "load": "sim.loader",
    "load_result": "sim.study.result",
    "load_study": "sim.loader.study",
    "load_winner": "sim.searching",
    "open_study": "sim.study.open_study",
    "replicate": "sim.study.replicate",
    "search": "sim.searching",
    "sensitivity": "sim.study.sensitivity",
    "simulate": "sim.study.replicate",
    "size": "sim.sizing",
}


def __getattr__(name: str) -> Any:
    """Import a public name from its home."""
    if name in _MODULES:
        return import_module(_MODULES[name])
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'sim' has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the public names, so that a notebook completes them before they are imported."""
    return sorted(__all__)
