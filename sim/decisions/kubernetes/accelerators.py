"""Accelerators: how many devices a node of an instance type offers under the name a pod asks for.

A GPU's type in a spec is the name of a resource, and a node offers only what its device plugin advertises:
NVIDIA GPUs whole, AWS Neuron by device or by core. Shares of a GPU (``nvidia.com/mig-…``) depend on how an
administrator cut it, so a type alone offers none.

Source: pachyderm/pachyderm v2.11.6, src/internal/ppsutil/util.go getResourceListFromSpec; AWS Neuron
documentation, "Kubernetes device plugin"; Amazon EC2 pages of Inf1, Inf2 and Trn1 (read 2026-08).
"""

from __future__ import annotations

from sim.model.machines import InstanceType
from sim.model.pipelines import DEFAULT_GPU

NEURON_DEVICES = {
    "inf1.xlarge": 1,
    "inf1.2xlarge": 1,
    "inf1.6xlarge": 4,
    "inf1.24xlarge": 16,
    "inf2.xlarge": 1,
    "inf2.8xlarge": 1,
    "inf2.24xlarge": 6,
    "inf2.48xlarge": 12,
    "trn1.2xlarge": 1,
    "trn1.32xlarge": 16,
    "trn1n.32xlarge": 16,
}
CORES = {"inf1": 4, "inf2": 2, "trn1": 2, "trn1n": 2}


def devices(instance: InstanceType, resource: str = DEFAULT_GPU) -> int:
    """Return how many of an extended resource one node of a type offers."""
    if resource == DEFAULT_GPU:
        return instance.gpu
    neuron = NEURON_DEVICES.get(instance.name, 0)
    if resource in ("aws.amazon.com/neuron", "aws.amazon.com/neurondevice"):
        return neuron
    if resource == "aws.amazon.com/neuroncore":
        return neuron * CORES.get(instance.name.partition(".")[0], 0)
    return 0
