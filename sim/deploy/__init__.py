"""Deploy: from what was simulated to the files that make it real, and what they promise.

What is simulated is what is exported: before a folder takes its name, its own ``scenario.yaml`` is loaded,
and has to be the scenario it was made from.
"""

from __future__ import annotations

from pathlib import Path

from sim.deploy.folder import check_folder, write_folder
from sim.deploy.plan import check_same, exported_warnings, plan_files
from sim.deploy.predictions import prediction
from sim.deploy.roles import EKSCTL, Role
from sim.model.scenario import Scenario
from sim.study.replicate import replicate
from sim.study.result import Result

REPLICATIONS = 10  # enough for an interval; a result brings its own


def export(
    what: Scenario | Result,
    out: str | Path,
    *,
    force: bool = False,
    seed: int | None = None,
    replications: int | None = None,
    execution_role: str = EKSCTL,
    progress: bool | None = None,
) -> tuple[str, ...]:
    """Write the folder that deploys a plan, whole or not at all, and return the names of its files.

    Parameters
    ----------
    what
        A scenario read from a file, or a result of one, whose figures are the prediction.
    force
        Replace an earlier export; anything else in the way is moved to ``OUT.old``.
    seed, replications
        For the prediction of a scenario: without a seed its own, ten replications. A result has its own.
    execution_role
        ``eksctl`` makes the Fargate pod execution role; else its ARN; ``trust-policy`` writes the policy and
        the steps.

    Raises InputError for a plan that cannot be exported or a folder in the way; nothing is written then.
    """
    out, role = Path(out), Role(execution_role)
    check_folder(out, force=force)
    if isinstance(what, Result):
        result = what
    else:
        plan_files(what, None, role)  # before the simulation, which takes longer than finding an error
        result = replicate(what, replications or REPLICATIONS, seed, progress=progress)
    warnings = exported_warnings(result.summary["warnings"], plan_files(result.scenario, None, role))
    files = plan_files(result.scenario, prediction(result) | {"warnings": warnings}, role)
    write_folder(out, files, lambda folder: check_same(folder, result.scenario), force=force)
    return tuple(files)
