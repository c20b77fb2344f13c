"""Labels and taints of nodes, as eksctl takes them.

Source: eksctl-io/eksctl v0.215.0, pkg/apis/eksctl.io/v1alpha5, validation.go validateLabels, validateTaints;
k8s.io/apimachinery v0.34.1, pkg/util/validation IsQualifiedName, IsValidLabelValue.
"""

from __future__ import annotations

import re

from sim.documents.fields import Field

LABEL_KEY = re.compile(
    r"([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
)
LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_KUBERNETES_DOMAIN = re.compile(r"(.+\.)?(kubernetes|k8s)\.io")
_KUBELET_DOMAIN = re.compile(r"(.+\.)?(kubelet|node)\.kubernetes\.io")
_KUBELET_LABELS = frozenset(
    {
        "kubernetes.io/hostname",
        "kubernetes.io/os",
        "kubernetes.io/arch",
        "beta.kubernetes.io/os",
        "beta.kubernetes.io/arch",
        "beta.kubernetes.io/instance-type",
        "topology.kubernetes.io/zone",
        "topology.kubernetes.io/region",
        "failure-domain.beta.kubernetes.io/zone",
        "failure-domain.beta.kubernetes.io/region",
    }
)


def check_reserved(field: Field, key: str) -> None:
    """Refuse a label of Kubernetes's own domains that is none of the kubelet's."""
    domain, slash, _ = key.partition("/")
    reserved = slash and _KUBERNETES_DOMAIN.fullmatch(domain)
    if reserved and key not in _KUBELET_LABELS and not _KUBELET_DOMAIN.fullmatch(domain):
        raise field.error(f"has the reserved label {key}", allowed="labels outside kubernetes.io and k8s.io")


def check_label(field: Field, key: str, value: str) -> None:
    """Refuse a key or a value that Kubernetes does not take."""
    if not LABEL_KEY.fullmatch(key):
        raise field.error(
            f"has the key {key!r}", allowed="a Kubernetes key: name or domain/name, 63 characters"
        )
    if not LABEL_VALUE.fullmatch(value):
        raise field.error(
            f"has the value {value!r}", allowed="letters, digits, -, _ and ., at most 63 characters"
        )
