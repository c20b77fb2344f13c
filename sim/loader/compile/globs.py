"""Globs of a scenario: what is taken for granted of them, and which cannot mean what they seem to.

Source: pachyderm.md §3.2; how globs count is in ``sim.decisions.pachyderm.globs``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from sim.decisions.pachyderm.datums import ALL
from sim.decisions.pachyderm.globs import named_entries, read_glob
from sim.loader.notes import Notes
from sim.model.layout import FLAT, Layout
from sim.model.pipelines import PfsInput, leaves
from sim.model.scenario import PipelineLoad, Repo

GLOB_SOURCE = "pachyderm v2.11.6 src/server/pfs/server/server_file.go globFile"
SPOKEN = 3  # readers that a warning names
Key = tuple[str, str]  # project, repository


def note_globs(loads: Sequence[PipelineLoad], repos: Iterable[Repo], notes: Notes) -> None:
    """Note literal globs; warn of depths that nothing tells apart and of globs that match nothing."""
    layouts: dict[Key, Layout] = {
        (each.pipeline.project, each.pipeline.name): each.output_layout for each in loads
    }
    layouts |= {(repo.project, repo.name): repo.layout for repo in repos}
    of_repo: defaultdict[Key, dict[str, str]] = defaultdict(dict)
    for name, leaf in _read(loads):
        of_repo[leaf.project, leaf.repo].setdefault(leaf.glob, name)
        paths = read_glob(leaf.glob).paths
        if paths is not None:
            one = "one datum" if len(paths) == 1 else f"at most {len(paths)} datums"
            value = f"{leaf.glob} of {leaf.repo}: {one}, which does not grow"
            notes.assume(f"pipelines[{name}].input.pfs.glob", value, GLOB_SOURCE)
        elif any(part.strip("*") for part in leaf.glob.split("/")):
            value = f"{leaf.glob} of {leaf.repo}: taken to match every unnamed file or folder of its depth"
            notes.assume(f"pipelines[{name}].input.pfs.glob", value, "assumption")
        _warn_of_no_match(name, leaf, layouts.get((leaf.project, leaf.repo), FLAT), notes)
    _warn_of_depths(of_repo, layouts, notes)


def _read(loads: Iterable[PipelineLoad]) -> Iterator[tuple[str, PfsInput]]:
    for load in loads:
        for leaf in leaves(load.pipeline.input):
            if isinstance(leaf, PfsInput) and leaf.glob != ALL:
                yield load.pipeline.shown_name, leaf


def _warn_of_no_match(name: str, leaf: PfsInput, layout: Layout, notes: Notes) -> None:
    glob = read_glob(leaf.glob)
    named = named_entries(leaf.glob, layout.names)
    unseen = layout.names if glob.paths is not None else layout != FLAT and glob.level > layout.depth
    if unseen and not named:
        notes.warn(
            f"pipeline {name}: {leaf.glob} matches nothing of {leaf.repo} as its files are stated "
            f"({layout.depth} deep, {len(layout.names)} names): it has no datums"
        )


def _warn_of_depths(
    of_repo: Mapping[Key, Mapping[str, str]], layouts: Mapping[Key, Layout], notes: Notes
) -> None:
    """Warn where globs of several depths read one repository whose folders nobody described."""
    for key, readers in of_repo.items():
        wild = {text: name for text, name in readers.items() if read_glob(text).paths is None}
        depths = {(read_glob(text).level, read_glob(text).deeper) for text in wild}
        if len(depths) < 2 or layouts.get(key, FLAT) != FLAT:  # noqa: PLR2004  # one depth is no question
            continue
        told = ", ".join(f"{name} by {text}" for text, name in [*wild.items()][:SPOKEN])
        notes.warn(
            f"{key[1]} is read at several depths ({told}) and nothing says how its files lie: each of them "
            f"gets one datum a file; say per_folder, in repos[{key[1]}].files or a pipeline's output_files"
        )
