"""prediction.json: what the simulator promises of a plan, so that reality can be held against it.

A promise is the mean over replications with its 95 % interval, and the range of single replications: one real
week is one draw from that range, not from the interval of the mean.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from sim.model.metrics import ALL, PIPELINE, promised
from sim.study.result import Result

ABOUT = (
    "scenario",
    "version",
    "seed",
    "replications",
    "start",
    "horizon_s",
    "warmup_s",
    "region",
    "price_date",
)


def prediction(result: Result) -> dict[str, Any]:
    """Return the document."""
    summary, trees = result.summary, list(result.replications.values())
    return {
        **{key: summary[key] for key in ABOUT},
        "estimand": f"{summary['estimand']}; range: lowest and highest replication",
        "metrics": _figures(summary["metrics"], [_branch(tree, "metrics") for tree in trees], promised(ALL)),
        "pipelines": {
            name: _figures(
                figures, [_branch(_branch(tree, "pipelines"), name) for tree in trees], promised(PIPELINE)
            )
            for name, figures in summary["pipelines"].items()
        },
        "bill_usd": _figures(
            summary["bill_usd"], [_branch(tree, "bill_usd") for tree in trees], tuple(summary["bill_usd"])
        ),
        "slo": summary["slo"],
        "promise": result.marks.promise,
        **result.marks.document(),
        "warnings": summary["warnings"],
    }


def prediction_text(document: Mapping[str, Any]) -> str:
    """Return the file."""
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def _figures(
    summary: Mapping[str, Any], trees: Sequence[Mapping[str, Any]], names: Sequence[str]
) -> dict[str, Any]:
    return {name: summary[name] | {"range": _range(trees, name)} for name in names if name in summary}


def _range(trees: Sequence[Mapping[str, Any]], name: str) -> list[float] | None:
    known = [float(tree[name]) for tree in trees if name in tree and math.isfinite(tree[name])]
    return [min(known), max(known)] if known else None


def _branch(tree: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    branch = tree.get(name)
    return branch if isinstance(branch, Mapping) else {}
