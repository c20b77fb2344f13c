"""What nodes of a group are bought as: types and prices, On-Demand and Spot.

Sources: aws.md §6; ``sim/decisions/aws/allocation.py`` for what a strategy takes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sim.catalog import Catalog
from sim.decisions.aws.allocation import SpotPool, SpotStrategy, pools_taken
from sim.documents.fields import Field
from sim.errors import InputError
from sim.loader.notes import Notes
from sim.loader.shape.cluster import GroupFile
from sim.model.cluster_config import NodeGroupConfig
from sim.model.machines import InstanceType, Price

GIVEN = "given"


@dataclass(frozen=True, slots=True)
class Bought:
    """What some nodes of a group are: a type, its price and its interruptions an hour, Spot or not."""

    instance: InstanceType
    price: Price
    hazard: float
    spot: bool


@dataclass(frozen=True, slots=True)
class Buyer:
    """What prices types of a region, by the scenario's own ``prices`` where it has any."""

    region: str
    catalog: Catalog
    prices: Mapping[str, float]
    notes: Notes

    def assume_type(self, config: NodeGroupConfig, name: str, path: str) -> None:
        """Note of what type On-Demand nodes are, where there are several."""
        if config.on_demand_share or config.on_demand_base:
            nodes = "On-Demand nodes" if config.on_demand_share < 1.0 else "all nodes"
            self.notes.assume(
                f"{path}.instanceTypes",
                f"{nodes} are {name}, the first of {len(config.instance_types)} types",
                "aws.md §6 (prioritized; the autoscaler plans with the first)",
            )

    def bought(
        self, config: NodeGroupConfig, instance: InstanceType, more: GroupFile, at: Field
    ) -> list[Bought]:
        """Return what nodes of a group are: On-Demand of the first type, Spot by the strategy."""
        bought = []
        if config.on_demand_share or config.on_demand_base:
            bought.append(
                Bought(instance, self._on_demand_price(config, instance, more, at), 0.0, spot=False)
            )
        if config.on_demand_share < 1.0:
            types = [instance, *self._other_types(config, more, at)]
            offers = {
                each.name: Bought(each, *self._spot(config, each, more, at), spot=True) for each in types
            }
            pools = [SpotPool(name, each.price.usd_per_hour, each.hazard) for name, each in offers.items()]
            strategy = SpotStrategy(config.spot_strategy)
            taken = pools_taken(pools, strategy, config.spot_pools)
            bought += [offers[pool.instance_type] for pool in taken]
            self._assume_spot(config, [offers[pool.instance_type] for pool in taken], more, at)
            if len(offers) > 1:
                named = ", ".join(pool.instance_type for pool in taken)
                self.notes.assume(
                    f"{path_of(at)}.instanceTypes",
                    f"Spot nodes are {named}, of {len(offers)} types, by {strategy.value}",
                    "aws.md §6: the Spot Advisor's band stands for capacity; planned by the first",
                )
        for each in bought:
            self.notes.price(each.instance.name, each.price.date, each.price.status)
        return bought

    def _other_types(self, config: NodeGroupConfig, more: GroupFile, at: Field) -> Iterator[InstanceType]:
        """Yield the types after the first that are known and priced; none if the scenario has its own."""
        if more.allocatable or more.usd_per_hour is not None:
            return
        for name in dict.fromkeys(config.instance_types[1:]):
            try:
                self.catalog.instance(name)
                if name not in self.prices:
                    self.catalog.on_demand(self.region, name)
                self.catalog.spot(self.region, name)
            except InputError as error:
                self.notes.warn(f"group {config.name}: {name} is left out: {error.problem or error}")
                continue
            if name != config.instance_types[0]:
                yield self.catalog.instance(name)

    def _on_demand_price(
        self, config: NodeGroupConfig, instance: InstanceType, more: GroupFile, at: Field
    ) -> Price:
        if more.usd_per_hour is not None:
            return Price(more.usd_per_hour, "", GIVEN, "the scenario")
        return self._on_demand(instance, config.name, at)

    def _spot(
        self, config: NodeGroupConfig, instance: InstanceType, more: GroupFile, at: Field
    ) -> tuple[Price, float]:
        """Return what a Spot node costs, and how often it is taken away."""
        price, hazard = self._on_demand_price(config, instance, more, at), more.interruptions_per_hour
        if more.usd_per_hour is None or hazard is None:
            advice = self.catalog.spot(self.region, instance.name)
            hazard = advice.hazard_per_hour if hazard is None else hazard
            price = advice.price(price) if more.usd_per_hour is None else price
        return price, hazard

    def _assume_spot(
        self, config: NodeGroupConfig, taken: Sequence[Bought], more: GroupFile, at: Field
    ) -> None:
        """Note where price and interruptions of Spot come from, unless the scenario says them."""
        if more.usd_per_hour is not None:
            return
        advised = [(each.instance.name, self.catalog.spot(self.region, each.instance.name)) for each in taken]
        several = len(advised) > 1
        told = "; ".join(
            (f"{name} " if several else "")
            + f"{advice.savings_ratio:.0%} off On-Demand, reclaimed {advice.interruption_band} a month"
            for name, advice in advised
        )
        _, first = advised[0]
        self.notes.assume(
            f"{path_of(at)}.spot", told, f"Spot Advisor of {first.date} ({first.status}), aws.md §6"
        )

    def _on_demand(self, instance: InstanceType, group: str, at: Field) -> Price:
        if instance.name in self.prices:
            return Price(self.prices[instance.name], "", GIVEN, "the scenario")
        try:
            price = self.catalog.on_demand(self.region, instance.name)
        except InputError as error:
            raise at.error(
                f"{instance.name} {error.problem}",
                allowed=f"a price under cluster.groups.{group}.usd_per_hour, or a type priced there",
                near=error.nearest,
            ) from None
        self.notes.assume(
            f"prices.instances[{instance.name}]", f"${price.usd_per_hour:g}/h in {self.region}", price.source
        )
        return price


def path_of(at: Field) -> str:
    """Return the path of a group in the scenario, whether its ClusterConfig is inline or a file."""
    name = at.name()
    return name if name.startswith("cluster.") else f"cluster.eksctl.{name}"
