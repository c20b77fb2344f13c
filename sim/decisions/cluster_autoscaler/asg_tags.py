"""Tags of an Auto Scaling group by which the autoscaler knows its nodes before it has seen one.

``node-template/label/KEY`` has a label's value, ``node-template/taint/KEY`` a taint's as ``VALUE:EFFECT``;
without an effect the tag says nothing. eksctl's ``propagateASGTags`` writes labels so, but taints without
their effect.

Source: Cluster Autoscaler 1.31.5, cloudprovider/aws/aws_manager.go (extractLabelsFromAsg,
extractTaintsFromAsg); eksctl-io/eksctl 0.231.0-dev, pkg/cfn/builder/nodegroup.go; aws.md §9.4.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from sim.model.pods import Effect, Pairs, Taint

TEMPLATE_TAG = "k8s.io/cluster-autoscaler/node-template/"
LABEL_TAG = f"{TEMPLATE_TAG}label/"
TAINT_TAG = f"{TEMPLATE_TAG}taint/"
_TAINT = re.compile(r"(.*):(NoSchedule|NoExecute|PreferNoSchedule)")


def told_labels(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the labels that tags name."""
    return {key.removeprefix(LABEL_TAG): value for key, value in tags.items() if key.startswith(LABEL_TAG)}


def told_taints(tags: Mapping[str, str]) -> tuple[Taint, ...]:
    """Return the taints that tags name with their effect."""
    found = {
        key.removeprefix(TAINT_TAG): _TAINT.fullmatch(value)
        for key, value in tags.items()
        if key.startswith(TAINT_TAG)
    }
    return tuple(Taint(key, match[1], Effect(match[2])) for key, match in found.items() if match)


def propagated_tags(labels: Pairs, taints: tuple[Taint, ...]) -> dict[str, str]:
    """Return the tags that eksctl writes of labels and taints."""
    return {f"{LABEL_TAG}{key}": value for key, value in labels} | {
        f"{TAINT_TAG}{taint.key}": taint.value for taint in taints
    }
