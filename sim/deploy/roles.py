"""The Fargate pod execution role: eksctl's own, one that exists, or a trust policy and the steps to make one.

The role lets the Fargate kubelet join the cluster and pull images; it is not the pod's own AWS identity.

Source: eksctl-io/eksctl 0.231.0-dev, pkg/cfn/builder/fargate.go; aws.md §9.3.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from sim.errors import InputError
from sim.texts import quoted

EKSCTL, POLICY = "eksctl", "trust-policy"
ALLOWED = f"{EKSCTL}, {POLICY} or the ARN of a role"
TRUST_POLICY = "pod-execution-role-trust-policy.json"
MANAGED_POLICY = "AmazonEKSFargatePodExecutionRolePolicy"
ACCOUNT = "ACCOUNT_ID"  # whose it is, only the user knows; the steps put it in
_ARN = re.compile(r"arn:aws(-[a-z]+)*:iam::\d{12}:role/[\w+=,.@/-]{1,512}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Role:
    """Which role, as asked for."""

    said: str = EKSCTL

    def __post_init__(self) -> None:
        """Refuse what is neither word nor ARN."""
        if self.said not in {EKSCTL, POLICY} and not _ARN.fullmatch(self.said):
            raise InputError(field="execution role", value=self.said, allowed=ALLOWED)

    @property
    def arn(self) -> str:
        """Return the ARN of a role that exists, else nothing."""
        return "" if self.said in {EKSCTL, POLICY} else self.said


def trust_policy(cluster: str, region: str) -> str:
    """Return the trust-policy document, with the account left open."""
    profiles = f"arn:{partition(region)}:eks:{region}:{ACCOUNT}:fargateprofile/{cluster}/*"
    document = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "eks-fargate-pods.amazonaws.com"},
                "Action": "sts:AssumeRole",
                "Condition": {"ArnLike": {"aws:SourceArn": profiles}},
            }
        ],
    }
    return json.dumps(document, indent=2) + "\n"


def role_steps(cluster: str, region: str) -> list[str]:
    """Return the commands that make the role from the trust policy."""
    name = quoted(f"{cluster}-fargate-pods")
    policy = f"arn:{partition(region)}:iam::aws:policy/{MANAGED_POLICY}"
    return [
        "ACCOUNT=$(aws sts get-caller-identity --query Account --output text)",
        f'sed "s/{ACCOUNT}/$ACCOUNT/" {TRUST_POLICY} > trust.json',
        f"aws iam create-role --role-name {name} --assume-role-policy-document file://trust.json",
        f"aws iam attach-role-policy --role-name {name} --policy-arn {policy}",
        f"pachsim export scenario.yaml --out ../with-role --execution-role "
        f'"arn:{partition(region)}:iam::$ACCOUNT:role/{name}"',
    ]


def partition(region: str) -> str:
    """Return the AWS partition of a region."""
    return {"cn": "aws-cn", "us-gov": "aws-us-gov"}.get(region.rpartition("-")[0].rpartition("-")[0], "aws")
