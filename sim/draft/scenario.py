"""init: a commented scenario from the files that exist, which loads and runs at once.

What only history knows is a visible placeholder, or is taken from another scenario. Nothing is written unless
the scenario is valid, and then all of it is.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sim.adapters.kubernetes.kubectl import read_live_file
from sim.adapters.kubernetes.kubectl_pods import LivePods
from sim.adapters.pachyderm.spec import read_cluster_defaults
from sim.decisions.pachyderm.requests import STOCK_DEFAULTS
from sim.documents.fields import root
from sim.documents.yaml_read import read_file
from sim.draft.cluster import (
    ClusterSources,
    add_priority_classes,
    drafted_cluster,
    selected_namespace,
)
from sim.draft.needs import needed_nodes
from sim.draft.page import Page
from sim.draft.paths import matching, reference
from sim.draft.pods import drafted_base_load
from sim.draft.workload import FoundPipeline, drafted_workload, found_pipelines, history_of
from sim.errors import InputError
from sim.loader import load
from sim.model.cluster_config import ClusterConfig
from sim.model.scenario import PachydermOptions

MOST_SOURCES = 3
SPAN = {"start": "2026-01-05T00:00+00:00", "horizon": "2d", "warmup": "6h"}
QUESTION = "What does this cluster cost, and how long do its jobs take?"
WHY_VERSION = "your Pachyderm's"
WHY_NAMESPACE = "the one that Fargate profiles select; your workers'?"
HEAD = """{question}

Made by pachsim init from {sources}.
It runs as it is: pachsim check {file}, then pachsim run {file}.
"""
MADE_UP = "\nWhat is marked PLACEHOLDER is made up, as no file told it. Where to find yours:\n"
WHERE = {  # pachyderm.md §6: what --raw prints
    "version": "pachctl version; it rules what workers ask for",
    "namespace": "kubectl get pods -A -l component=worker",
    "priority_classes": "kubectl get priorityclass",
    "managedNodeGroups": "your ClusterConfig: --eksctl, or a running cluster: --nodes",
    "usd_per_hour": "the price list of your region; the table has none for this type",
    "allocatable": "kubectl get nodes -o json: status.allocatable",
    "maxSize": "eksctl get nodegroup; kubectl does not know the Auto Scaling groups' sizes",
    "commits": "when the jobs of pipelines that read the repository were created: pachctl list job --raw",
    "new_per_commit": "data_processed of those jobs",
    "datum_time": "process_time where state is SUCCESS: pachctl list datum PIPELINE@JOB --raw",
}


@dataclass(frozen=True, slots=True)
class Draft:
    """A scenario that was written: where, how many pipelines and made-up values it has, what to know.

    ``sources`` are the repositories that no pipeline writes, ``left_out`` says of each spec file that could
    not be read why.
    """

    path: Path
    pipelines: int
    placeholders: int
    warnings: tuple[str, ...]
    sources: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def init(
    pipelines: str | Path | Iterable[str | Path],
    out: str | Path = "scenario.yaml",
    *,
    eksctl: str | Path | None = None,
    autoscaler: str | Path | None = None,
    nodes: str | Path | None = None,
    workload: str | Path | None = None,
    cluster_defaults: str | Path | None = None,
    force: bool = False,
    keep_going: bool = False,
) -> Draft:
    """Write a first scenario.

    Parameters
    ----------
    pipelines
        Files or patterns such as ``specs/*.json``: specs, or what ``pachctl list pipeline --raw`` prints.
    out
        The scenario to write; the files it refers to stay where they are.
    eksctl
        A ClusterConfig. Without one, node groups are those of ``nodes``, else made up.
    autoscaler
        The Cluster Autoscaler's chart values, or manifests.
    nodes
        What ``kubectl get nodes,pods -A -o json`` prints.
    workload
        Another scenario, whose arrivals and datum times are taken by the pipelines' names.
    cluster_defaults
        What ``pachctl inspect defaults --cluster`` prints.
    force
        Write over a scenario that is there.
    keep_going
        Leave out spec files that cannot be read, and say why, as long as one can be.

    Raises InputError for anything that cannot be used; then nothing is written.
    """
    path = _free(Path(out), force=force)
    folder = path.parent
    files = matching([pipelines] if isinstance(pipelines, str | Path) else pipelines)
    found, left_out = found_pipelines(files, keep_going=keep_going)
    live = None if nodes is None else read_live_file(Path(nodes))
    defaults = None if cluster_defaults is None else Path(cluster_defaults)
    history = history_of(None if workload is None else Path(workload), folder)
    page = Page({"name": path.stem, "question": QUESTION, **SPAN, **history.shared})
    known = ClusterSources(folder, _path(eksctl), _path(autoscaler), live)
    page.add("pachyderm", _pachyderm(known, defaults))
    cluster = drafted_cluster(known, lambda: _needed(found, defaults))
    add_priority_classes(cluster, (each.pipeline for each in found))
    page.add("cluster", cluster)
    work = drafted_workload(found, history, folder)
    page.values |= work.values
    page.comments |= work.comments
    page.warnings += work.warnings
    if live is not None:
        page.values["base_load"] = drafted_base_load(live, (each.pipeline.shown_name for each in found))
        page.warnings += [str(notice) for notice in live.notices]
    others = [Path(each) for each in (eksctl, autoscaler, nodes, workload, defaults) if each]
    _write(path, page.text(_head(path, files, others, page)))
    sources = sorted(each["name"] for each in page.values.get("repos", ()))
    made_up = len(page.placeholders())
    return Draft(path, len(found), made_up, tuple(page.warnings), tuple(sources), tuple(left_out))


def _free(path: Path, *, force: bool) -> Path:
    if not path.parent.is_dir():
        raise InputError(
            "is in a folder that is not there", field="--out", value=str(path), allowed="a folder"
        )
    if path.is_dir() or ((path.exists() or path.is_symlink()) and not force):
        raise InputError("is there already", field=str(path), allowed="another --out, or --force for a file")
    return path


def _path(said: str | Path | None) -> Path | None:
    return None if said is None else Path(said)


def _needed(found: Sequence[FoundPipeline], defaults: Path | None) -> ClusterConfig:
    said = STOCK_DEFAULTS if defaults is None else read_cluster_defaults(root(read_file(defaults)[0]))[0]
    return needed_nodes([each.pipeline for each in found], said)


def _pachyderm(known: ClusterSources, defaults: Path | None) -> Page:
    options = PachydermOptions()
    page = Page({"version": options.version, "namespace": options.namespace})
    page.placeholder(("version",), WHY_VERSION)
    loads: Sequence[LivePods] = known.live.base_load if known.live else ()
    if found := next((each.namespace for each in loads if each.name == "pachd"), ""):
        page.values["namespace"] = found
    elif selected := selected_namespace(known):
        page.values["namespace"] = selected
        page.placeholder(("namespace",), WHY_NAMESPACE)
    if defaults is not None:
        page.values["cluster_defaults"] = reference(defaults, known.folder)
    return page


def _head(path: Path, specs: Sequence[Path], others: Sequence[Path], page: Page) -> str:
    shown = [each.as_posix() for each in specs[:MOST_SOURCES]]
    if len(specs) > MOST_SOURCES:
        shown.append(f"{len(specs) - MOST_SOURCES} more specs")
    sources = ", ".join([*shown, *(each.as_posix() for each in others)])
    head, made_up = HEAD.format(question=QUESTION, sources=sources, file=path.name), page.placeholders()
    told = [f"  {key:<18}{where}\n" for key, where in WHERE.items() if key in made_up]
    return f"{head}{MADE_UP}{''.join(told)}" if told else head


def _write(path: Path, text: str) -> None:
    """Put the text in its place once it has been read back as a scenario."""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=path.suffix)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", field=str(path)) from None
    draft = path.parent / Path(name).name  # as the user says the folder, for messages
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        load(draft)
        draft.chmod(0o644)
        draft.replace(path)
    except InputError as error:
        error.file = str(path) if error.file == str(draft) else error.file
        raise
    finally:
        draft.unlink(missing_ok=True)
