"""Instance selectors: the types that eksctl puts into a node group for ``instanceSelector``.

Those offered whose vCPUs, memory and GPUs are exactly the ones asked for; x86_64 unless said; names by
``allow`` and ``deny``; in the order of their names, 40 at most. Where GPUs are not mentioned,
any number will do.

Source: eksctl-io/eksctl 99984adb6164 (0.231.0-dev), pkg/eks/nodegroup_service.go expandInstanceSelector;
aws/amazon-ec2-instance-selector v3 pkg/selector/selector.go rawFilter, pkg/bytequantity/bytequantity.go.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from sim.documents.fields import Field
from sim.model.cluster_config import InstanceSelector
from sim.model.machines import InstanceType

MOST_TYPES = 40  # eksctl's maxInstanceTypes
_MEMORY = re.compile(r"(\d+\.?\d{0,3}) ?(mi?b?|gi?b?|ti?b?)?", re.ASCII)
_MIB = {"m": 1, "g": 1024, "t": 1024 * 1024}
_FRACTIONAL_GPU, _NEURON = ("g6f.", "gr6f."), ("inf", "trn")  # the table says 0 GPUs of them


def selected_types(
    selector: InstanceSelector, offered: Iterable[InstanceType], at: Field
) -> list[InstanceType]:
    """Return the types of a group, in eksctl's order; raise InputError where eksctl would not go on."""
    named, memory_mib = _named(selector, at), _memory_mib(selector, at)
    types = [
        each
        for each in sorted(offered, key=lambda instance: instance.name)
        if _has(selector, each) and memory_mib in {None, each.memory_mib} and named(each.name)
    ]
    if not types:
        raise at.error("matches no known instance type", allowed="a selector that does")
    if len(types) > MOST_TYPES:
        raise at.error(f"matches {len(types)} instance types", allowed=f"at most {MOST_TYPES} (eksctl)")
    return types


def _has(selector: InstanceSelector, instance: InstanceType) -> bool:
    arch = "arm64" if selector.cpu_architecture == "arm64" else "amd64"
    accelerated = instance.name.startswith(_FRACTIONAL_GPU + _NEURON)
    return (
        instance.arch == arch
        and selector.vcpus in {None, 0, instance.vcpu}
        and selector.gpus in {None, instance.gpu}
        and not (selector.gpus == 0 and accelerated)
        and not (selector.neuron_devices == 0 and instance.name.startswith(_NEURON))
    )


def _memory_mib(selector: InstanceSelector, at: Field) -> int | None:
    if not selector.memory:
        return None
    match = _MEMORY.fullmatch(selector.memory.lower())
    number, _, decimals = match[1].partition(".") if match else ("", "", "")
    unit = ((match[2] if match else "") or "g")[0]
    if match is None or (unit == "m" and decimals.strip("0")):
        allowed = "a number of GiB such as 32, or with its unit such as 32GiB or 512MiB"
        raise (at.child("memory") or at).error(allowed=allowed)
    return int(number) if unit == "m" else int(float(match[1]) * _MIB[unit])


def _named(selector: InstanceSelector, at: Field) -> Callable[[str], bool]:
    """Return whether a name passes ``allow`` and ``deny``, which are regular expressions."""
    try:
        allow, deny = re.compile(selector.allow), re.compile(selector.deny or r"(?!)")
    except re.error as error:
        raise at.error(f"has no regular expression ({error})", allowed="such as ^m5\\.") from None
    return lambda name: bool(allow.search(name)) and not deny.search(name)
