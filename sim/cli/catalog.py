"""``pachsim catalog``: the tables that every size and price comes from."""

import typer

import sim
from sim.cli.options import AsFormat, Format, Region

app = typer.Typer(help="Print instance types, Fargate sizes or prices of a region.", no_args_is_help=True)


@app.command()
def ec2(region: Region = "us-east-1", form: AsFormat = Format.TABLE) -> None:
    """Print EC2 types with their On-Demand price and Spot advice."""
    from sim.cli.output import print_rows

    print_rows(sim.catalog.ec2(region), form)


@app.command()
def fargate(region: Region = "us-east-1", form: AsFormat = Format.TABLE) -> None:
    """Print the sizes that Fargate sells and what an hour of each costs."""
    from sim.cli.output import print_rows

    print_rows(sim.catalog.fargate(region), form)


@app.command()
def prices(region: Region = "us-east-1", form: AsFormat = Format.TABLE) -> None:
    """Print every other price: control plane, volumes, NAT, addresses."""
    from sim.cli.output import print_rows

    print_rows(sim.catalog.prices(region), form)
