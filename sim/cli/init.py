"""``pachsim init``: a first scenario from the specs, ClusterConfig and cluster that there are."""

from pathlib import Path
from typing import Annotated

import typer

import sim

NAMED = 5  # of the sources


def init(
    *,
    pipelines: Annotated[
        list[str],
        typer.Option(
            metavar="SPECS",
            help="Pipeline specs, or what `pachctl list pipeline --raw` prints: 'specs/*.json'; repeatable.",
            show_default=False,
        ),
    ],
    eksctl: Annotated[
        Path | None, typer.Option(metavar="FILE", help="An eksctl ClusterConfig.", show_default=False)
    ] = None,
    autoscaler: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The Cluster Autoscaler: values of its Helm chart, or its manifests.",
            show_default=False,
        ),
    ] = None,
    nodes: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="What `kubectl get nodes,pods -A -o json` prints.", show_default=False
        ),
    ] = None,
    workload: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Another scenario, whose arrivals and datum times are taken by pipeline name.",
            show_default=False,
        ),
    ] = None,
    cluster_defaults: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="What `pachctl inspect defaults --cluster` prints.", show_default=False
        ),
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="The scenario to write.")] = Path(
        "scenario.yaml"
    ),
    force: Annotated[bool, typer.Option("--force", help="Write over a scenario that is there.")] = False,
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Leave out spec files that cannot be read, and say why.")
    ] = False,
) -> None:
    """Write a commented scenario that runs at once; what only history knows is a marked placeholder."""
    from sim.cli.output import print_text, print_warnings

    draft = sim.init(
        pipelines,
        out,
        eksctl=eksctl,
        autoscaler=autoscaler,
        nodes=nodes,
        workload=workload,
        cluster_defaults=cluster_defaults,
        force=force,
        keep_going=keep_going,
    )
    print_warnings(f"left out: {each}" for each in draft.left_out)
    print_warnings(draft.warnings)
    print_text(f"{draft.path}: pipelines {draft.pipelines}, placeholders to fill in {draft.placeholders}")
    more = f" and {len(draft.sources) - NAMED} more" if len(draft.sources) > NAMED else ""
    if draft.sources:
        print_text(f"sources {len(draft.sources)}: {', '.join(draft.sources[:NAMED])}{more}")
    if keep_going:
        print_text(f"spec files left out {len(draft.left_out)}")
