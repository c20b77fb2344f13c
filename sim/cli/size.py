"""``pachsim size``: one pipeline spec, what its worker pod asks for, and where it can run."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import sim
from sim.cli.options import AsFormat, Format, Region

if TYPE_CHECKING:
    from sim import PodSize


def size(
    spec: Annotated[
        Path, typer.Argument(metavar="SPEC", help="A pipeline spec, JSON or YAML.", show_default=False)
    ],
    region: Region = "us-east-1",
    pachyderm: Annotated[str, typer.Option(help="Pachyderm version: pre-2.5, or 2.5 to 2.12.")] = "2.11",
    instance_type: Annotated[
        list[str] | None, typer.Option(help="Look at this EC2 type only; repeatable.", show_default=False)
    ] = None,
    form: AsFormat = Format.TABLE,
) -> None:
    """Print what a worker asks for and where it fits."""
    from sim.cli.output import print_json, print_rows, print_warnings

    sizes = sim.size(spec, region=region, pachyderm=pachyderm, instance_types=instance_type or ())
    for pod in sizes:
        print_warnings(f"{pod.pipeline}: {told}" for told in (*pod.problems, *pod.warnings))
    if form is Format.JSON:
        print_json([pod.document() for pod in sizes])
    elif form is Format.CSV:
        print_rows([{"pipeline": pod.pipeline, **row} for pod in sizes for row in pod.node_rows()], form)
    else:
        for pod in sizes:
            _print_tables(pod)


def _print_tables(pod: "PodSize") -> None:
    from sim.cli.output import print_rows, print_text

    print_text(f"{pod.pipeline}: a worker under Pachyderm {pod.pachyderm}", "bold")
    print_rows(pod.container_rows(), Format.TABLE)
    print_text(f"\nFargate in {pod.region}", "bold")
    for line in _fargate_lines(pod):
        print_text(line)
    print_text(
        f"\nNodes for {pod.workers} workers: {pod.node_types_fitting} of {pod.node_types_looked_at} types "
        "hold one, the cheapest for all workers first",
        "bold",
    )
    print_rows(pod.node_rows(), Format.TABLE)
    print_text("")


def _fargate_lines(pod: "PodSize") -> list[str]:
    offer = pod.fargate
    if offer.size is None:
        return [f"does not run there: {reason}" for reason in offer.refusals]
    price = "no known price here" if offer.usd_per_hour is None else f"${offer.usd_per_hour:.6f} an hour"
    return [
        f"{offer.size.label}, {price}; the user container can use {offer.usable_mib} MiB",
        *(f"cheaper: {advice}" for advice in offer.advice),
    ]
