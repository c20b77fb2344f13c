"""The files of a plan: a function of a scenario, its prediction and the role asked for."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sim.adapters.eksctl.read import read_cluster_text
from sim.adapters.kubernetes.manifests import manifests_text, placeholder, priority_class
from sim.adapters.pachyderm.spec import read_specs_text
from sim.adapters.pachyderm.write import spec_text, text_diff
from sim.deploy.autoscalers import VALUES, ValuesPlan, planned_values
from sim.deploy.clusters import CLUSTER, NEW, ClusterPlan, autoscales, planned_cluster
from sim.deploy.places import homes
from sim.deploy.predictions import prediction_text
from sim.deploy.readme import PLACEHOLDERS, Parts, readme
from sim.deploy.roles import POLICY, TRUST_POLICY, Role, trust_policy
from sim.deploy.sources import BEFORE, PREDICTION, Sources, Spec, sources_of
from sim.documents.yaml_write import yaml_text
from sim.errors import InputError, SimulationError
from sim.loader import load
from sim.model.notices import MADE_UP, PLACEHOLDER
from sim.model.scenario import Scenario, WarmUp
from sim.report.folder import put_files
from sim.study.model_json import to_json

SCENARIO = "scenario.yaml"
README = "README.md"
DIFF = "changes.diff"
PRIORITY_CLASSES = "priority-classes.yaml"
HEAD = "The plan, as it was simulated: pachsim run scenario.yaml. Everything it reads is in this folder."
HEAD_MADE_UP = f"\n{PLACEHOLDER} some values were made up and never filled in."
NOT_SIMULATED = {"assumptions", "warnings", "seed", "source"}  # what is said of a scenario, not what it is

_OF_A_FILE = re.compile(r"[^:]+\.\w+:(\d+:)? ")  # as a Notice places itself


def plan_files(scenario: Scenario, prediction: Mapping[str, Any] | None, role: Role) -> dict[str, bytes]:
    """Return every file by name; without a prediction only to see that they can be made."""
    sources, places = sources_of(scenario), homes(scenario)
    specs = tuple(spec for entry in sources.specs for spec in entry)
    cluster = planned_cluster(scenario, sources, places, role.arn)
    values = None
    if cluster and autoscales(scenario):
        values = planned_values(scenario, cluster.config, sources.values, account=cluster.makes_account)
    manifests = _manifests(scenario, sources)
    document = _document(scenario, sources, values)
    if prediction is not None:
        document["seed"] = prediction["seed"]
    files = {
        **{spec.file: spec_text(spec.after) for spec in specs},
        **(_cluster_files(cluster, role) if cluster else {}),
        **({VALUES: values.text} if values else {}),
        **manifests,
        SCENARIO: yaml_text(document, head=HEAD + (HEAD_MADE_UP if MADE_UP in scenario.warnings else "")),
    }
    _check_taken(files, {spec.file for spec in specs})
    before = _before(specs, cluster, values)
    if diff := "".join(text_diff(text, files[name], name) for name, text in before.items()):
        files[DIFF] = diff
    if prediction is not None:
        files[PREDICTION] = prediction_text(prediction)
        names = tuple(files)
        parts = Parts(scenario, prediction, places, specs, cluster, values, tuple(manifests), role, names)
        files[README] = readme(parts)
    files |= {f"{BEFORE}/{name}": text for name, text in before.items()}
    written = {name: text.encode() for name, text in files.items()}
    return written | {name: sources.files[name] for name in _named(document) if name in sources.files}


def _check_taken(files: Mapping[str, str], specs: Collection[str]) -> None:
    """Raise InputError for a file that the program it is for would refuse, by its own strict verdict."""
    readers: dict[str, tuple[str, Callable[[str, str], object]]] = {
        **{name: ("pachctl", partial(read_specs_text, older=False)) for name in specs},
        **dict.fromkeys((CLUSTER, NEW), ("eksctl", read_cluster_text)),
    }
    for name in readers.keys() & files.keys():
        program, read = readers[name]
        try:
            read(files[name], name)
        except InputError as error:
            raise InputError(
                f"cannot be exported, as {program} would refuse it: {error}", field=name
            ) from None


def exported_warnings(said: Iterable[str], files: Mapping[str, bytes]) -> list[str]:
    """Return the warnings of a result with those about its files as the exported ones give them.

    So a second export, which reads the files of the first, warns of the same lines. What was dropped or
    translated on the way in is no longer there.
    """
    with TemporaryDirectory() as folder:
        put_files(Path(folder), files)
        exported = load(Path(folder) / SCENARIO).warnings
        of_files = [each.removeprefix(f"{folder}/") for each in exported if _OF_A_FILE.match(each)]
    return [*of_files, *(each for each in said if not _OF_A_FILE.match(each))]


def check_same(folder: Path, scenario: Scenario) -> None:
    """Raise SimulationError if the scenario exported to a folder is not the one it was made from."""
    exported = load(folder / SCENARIO)
    if exported.warmup_is is WarmUp.AUTO:  # a result has found its own
        scenario = replace(scenario, warmup_us=exported.warmup_us, warmup_is=exported.warmup_is)
    if _simulated(exported) != _simulated(scenario):
        raise SimulationError(
            f"the exported scenario {scenario.name} would not be simulated as the one given"
        )


def _simulated(scenario: Scenario) -> Any:
    return _without(to_json(scenario))


def _without(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without(each) for key, each in value.items() if key not in NOT_SIMULATED}
    return [_without(each) for each in value] if isinstance(value, list) else value


def _cluster_files(cluster: ClusterPlan, role: Role) -> dict[str, str]:
    files = {CLUSTER: cluster.text}
    if cluster.new:
        files[NEW] = yaml_text(cluster.new, head=f"What is new in {CLUSTER}, for a cluster that is there.")
    if role.said == POLICY and cluster.config.fargate_profiles:
        files[TRUST_POLICY] = trust_policy(cluster.config.name, cluster.config.region)
    return files


def _before(
    specs: tuple[Spec, ...], cluster: ClusterPlan | None, values: ValuesPlan | None
) -> dict[str, str]:
    """Return the files that came in and are exported as others."""
    before = {spec.file: spec_text(spec.before) for spec in specs if spec.before != spec.after}
    if cluster and cluster.before is not None:
        before[CLUSTER] = cluster.before
    if values and values.before is not None:
        before[VALUES] = values.before
    return before


def _document(scenario: Scenario, sources: Sources, values: ValuesPlan | None) -> dict[str, Any]:
    """Return the scenario's document, pointing to the exported files."""
    document = {"name": scenario.name, **copy.deepcopy(sources.document)}
    document["name"] = scenario.name
    if sources.cluster:
        document["cluster"]["eksctl"] = CLUSTER
    if sources.values and values and values.chart:
        document["cluster"]["autoscaler"]["values"] = VALUES
    if "pipelines" in document:
        document["pipelines"] = [
            {**entry, "spec": spec.file}
            for entry, specs in zip(document["pipelines"] or (), sources.specs, strict=True)
            for spec in specs
        ]
    return document


def _manifests(scenario: Scenario, sources: Sources) -> dict[str, str]:
    """Return priority classes of the scenario, and pods below every work, which hold room warm."""
    classes = dict((sources.document.get("cluster") or {}).get("priority_classes") or {})
    by_value = {value: name for name, value in classes.items()}
    warm = [each for each in scenario.base_load if each.pod_class.priority < 0]
    for value in [each.pod_class.priority for each in warm]:
        classes.setdefault(by_value.setdefault(value, f"placeholder{value}"), value)
    files = {}
    if classes:
        files[PRIORITY_CLASSES] = manifests_text(priority_class(*each) for each in classes.items())
    if warm:
        files[PLACEHOLDERS] = manifests_text(
            placeholder(each.pod_class, each.replicas, by_value[each.pod_class.priority]) for each in warm
        )
    return files


def _named(value: Any) -> Iterator[str]:
    """Yield every text of a document, some of which name files."""
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _named(each)
    elif isinstance(value, str):
        yield value
