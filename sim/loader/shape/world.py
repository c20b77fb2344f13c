"""The world in a scenario: latencies of AWS and Kubernetes, image sizes, prices, discounts, targets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sim.loader.values.distributions import BYTE_RATE_VARYING, SECONDS_VARYING
from sim.loader.values.kinds import Choice, ListOf, MapOf, Scalar
from sim.loader.values.scalars import (
    COUNT,
    FACTOR,
    FLAG,
    SECONDS,
    SHARE,
    SIZE,
    TEXT,
    USD_PER_HOUR,
)
from sim.loader.values.sections import Key, key, section_of
from sim.loader.values.times import Quantiles
from sim.model.latency import Ec2Latency, FargateLatency, ImagePull, Latencies

ASSUMED = "assumption (aws.md §8.2)"
NODES_VARY = f"{ASSUMED}; the environment, not luck, makes request to Ready 35 to 150 s (§8.3): --sensitivity"
PULLS_VARY = f"{ASSUMED}; the environment, not luck, makes it 10 to 100 MB/s on nodes (§8.3): --sensitivity"
ASSUMED_BY_AUTOSCALER_SHEET = "assumption (cluster-autoscaler.md §7)"
NO_IMAGE_SIZE = "assumption: stated by no registry here; give your own"


def _ec2(image: str = "al2023", profile: str = "default", **latency: Any) -> Ec2Latency:
    del image, profile  # words with one meaning so far
    return Ec2Latency(**latency)


def _fargate(profile: str = "default", **latency: Any) -> FargateLatency:
    del profile
    return FargateLatency(**latency)


_PROFILE = Key("profile", Choice(("default",)), "the set of defaults")
EC2 = section_of(
    _ec2,
    Key("image", Choice(("al2023",)), "the machine image these defaults are for"),
    _PROFILE,
    Key("launch", SECONDS_VARYING, "SetDesiredCapacity to launched", source=ASSUMED, attribute="launch_s"),
    Key("ready", SECONDS_VARYING, "launched to Ready, CPU nodes", source=NODES_VARY, attribute="ready_s"),
    Key(
        "gpu_total",
        SECONDS_VARYING,
        "SetDesiredCapacity to usable GPUs, device plugin included",
        source=ASSUMED_BY_AUTOSCALER_SHEET,
        attribute="gpu_total_s",
    ),
    Key("metal_factor", FACTOR, "GPU and metal nodes take this much longer to be Ready", source=ASSUMED),
    Key(
        "nvme_raid",
        SECONDS,
        "added where local disks are made a RAID (cluster.groups)",
        source=ASSUMED,
        attribute="nvme_raid_s",
    ),
    Key(
        "terminate",
        SECONDS_VARYING,
        "terminate call to gone",
        source=ASSUMED_BY_AUTOSCALER_SHEET,
        attribute="terminate_s",
    ),
    of=Ec2Latency,
)
FARGATE = section_of(
    _fargate,
    _PROFILE,
    Key("ready", SECONDS_VARYING, "admission to Ready kubelet", source=ASSUMED, attribute="ready_s"),
    of=FargateLatency,
)


@dataclass(frozen=True, slots=True)
class PullFile:
    """How images are pulled, and how large the user's are unless ``images`` says so."""

    pull: ImagePull = ImagePull()
    size: int | None = None
    zstd: tuple[str, ...] = ()


def _pull(size: int | None = None, zstd: tuple[str, ...] = (), **pull: Any) -> PullFile:
    return PullFile(ImagePull(**pull), size, zstd)


IMAGE_PULL = section_of(
    _pull,
    Key("size", SIZE, "compressed size of user images that `images` does not name"),
    Key("rate", BYTE_RATE_VARYING, "pull and unpack on Fargate", source=ASSUMED, attribute="bytes_per_s"),
    Key("ec2_factor", FACTOR, "EC2 nodes pull this much faster", source=PULLS_VARY),
    Key("zstd", ListOf(TEXT), "images compressed with zstd, by name as under `images`"),
    Key("zstd_factor", FACTOR, "time that these take, of others'", source=ASSUMED),
    of=ImagePull,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LatencyFile:
    """How long AWS and Kubernetes take."""

    ec2: Ec2Latency = key(EC2, "EC2 nodes", Ec2Latency())
    fargate: FargateLatency = key(FARGATE, "Fargate pods", FargateLatency())
    image_pull: PullFile = key(IMAGE_PULL, "image pulls", PullFile())
    container_start: Any = key(
        SECONDS_VARYING, "images pulled to containers running", Latencies().container_start_s, source=ASSUMED
    )


USD_PER_GIB = Scalar("USD/GiB", USD_PER_HOUR.allowed, USD_PER_HOUR.parse, float, ("number",), {"minimum": 0})
USD_PER_GIB_MONTH = Scalar(
    "USD/GiB-month", USD_PER_HOUR.allowed, USD_PER_HOUR.parse, float, ("number",), {"minimum": 0}
)
USD_PER_MONTH = Scalar(
    "USD/month", USD_PER_HOUR.allowed, USD_PER_HOUR.parse, float, ("number",), {"minimum": 0}
)
_FROM_TABLE = "left out: the price table"


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumePriceFile:
    """Prices of one type of EBS volume."""

    gib_month: float | None = key(USD_PER_GIB_MONTH, f"its storage; {_FROM_TABLE}", None)
    iops_month: float | None = key(USD_PER_MONTH, f"each provisioned IOPS; {_FROM_TABLE}", None)


@dataclass(frozen=True, slots=True, kw_only=True)
class PricesFile:
    """Prices that replace those of the tables; one of 0 leaves a line of the bill out."""

    instances: Mapping[str, float] | None = key(
        MapOf(USD_PER_HOUR, "instance type"), "On-Demand prices of instance types", None
    )
    fargate_vcpu_hour: float | None = key(USD_PER_HOUR, f"Fargate vCPU; {_FROM_TABLE}", None)
    fargate_gib_hour: float | None = key(USD_PER_HOUR, f"Fargate GiB of memory; {_FROM_TABLE}", None)
    fargate_ephemeral_gib_hour: float | None = key(
        USD_PER_HOUR, f"Fargate GiB of storage above 20; {_FROM_TABLE}", None
    )
    extended_support: bool | None = key(
        FLAG,
        "whether the cluster's version is in extended support, which AWS charges for; left out: by its dates",
        None,
    )
    control_plane_hour: float | None = key(
        USD_PER_HOUR, f"EKS cluster, in whatever support; {_FROM_TABLE}", None
    )
    ebs_gib_month: float | None = key(USD_PER_GIB_MONTH, f"gp3 volume; {_FROM_TABLE}", None)
    ebs_iops_month: float | None = key(USD_PER_MONTH, f"each IOPS of gp3 above 3000; {_FROM_TABLE}", None)
    ebs_throughput_month: float | None = key(
        USD_PER_MONTH, f"each MiB/s of gp3 above 125; {_FROM_TABLE}", None
    )
    volumes: Mapping[str, VolumePriceFile] | None = key(
        MapOf(section_of(VolumePriceFile), "volume type"), "volumes of other types than gp3", None
    )
    public_ipv4_hour: float | None = key(
        USD_PER_HOUR, f"public IPv4 address of a node or a NAT gateway; {_FROM_TABLE}", None
    )
    nat_gateway_hour: float | None = key(USD_PER_HOUR, f"NAT gateway; {_FROM_TABLE}", None)
    nat_gib: float | None = key(USD_PER_GIB, f"data through a NAT gateway; {_FROM_TABLE}", None)
    nat_gateways: int | None = key(COUNT, "how many NAT gateways; as vpc.nat.gateway says", None)
    pulls_through_nat: bool = key(
        FLAG, "whether image pulls pay for the NAT gateway", True, source="assumption (aws.md §5)"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscountsFile:
    """Shares off the list price, as a Savings Plan gives."""

    ec2: float = key(SHARE, "off On-Demand prices", 0.0)
    fargate: float = key(SHARE, "off Fargate prices", 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class SloFile:
    """What the user wants to hold."""

    job_latency: tuple[tuple[float, float], ...] = key(
        Quantiles(), "quantiles of commit to output, over all pipelines", ()
    )
    pipelines: Mapping[str, tuple[tuple[float, float], ...]] | None = key(
        MapOf(Quantiles(), "pipeline"), "the same for single pipelines", None
    )


LATENCY = section_of(LatencyFile)
PRICES = section_of(PricesFile)
DISCOUNTS = section_of(DiscountsFile)
SLO = section_of(SloFile)
IMAGES = MapOf(SIZE, "image")
