"""Six ClusterConfigs as people keep them: anchors, comments, flow and block, quotes, odd indentation."""

HEAD = "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\n"

COMMENTED = f"""\
# Production. Ask #platform before you touch the sizes!
---
{HEAD}
metadata:
  name:    prod          # keep in step with Terraform
  region:  us-east-1
  version: '1.33'        # quoted, or YAML makes 1.3 of 1.30

# --- access -------------------------------------------------------------
iam: {{withOIDC: true}}

managedNodeGroups:

  # everyday work
  - name: general
    instanceTypes: [ m5.2xlarge ,  m5a.2xlarge ]   # the first is what is simulated
    minSize: 1
    desiredCapacity: 1
    maxSize: 6     # 6 x $0.384
    labels: {{ pool: general , team: "data" }}

    tags:
      cost-centre: "0042"      # not a number
      owner: 'data''s'

  # models
  - name: gpu
    instanceTypes: [g4dn.xlarge]
    minSize: 0
    maxSize: 2
    labels: {{pool: gpu, k8s.amazonaws.com/accelerator: nvidia-tesla-t4}}
    taints:
      - key: nvidia.com/gpu
        value: "true"
        effect: NoSchedule
    preBootstrapCommands:
      - |
        # a comment of the shell's, not of YAML's
        echo "hello:  world"   # so is this

# the end
"""

ANCHORED = f"""\
{HEAD}metadata: {{name: anchored, region: eu-central-1, version: "1.31", tags: {{team: data}}}}
availabilityZones: [eu-central-1a, eu-central-1b]
managedNodeGroups:
  - &base
    name: a   # the first
    instanceType: c6i.2xlarge
    minSize: 0
    maxSize: 3
    volumeSize: &disk 100
    labels: &labels {{pool: work}}
    availabilityZones: [eu-central-1a]
  - <<: *base
    name: b
    availabilityZones: [eu-central-1b]
  - name: c
    instanceType: m5.xlarge
    volumeSize: *disk
    labels: *labels
    tags: &real # what is left of a node
      k8s.io/cluster-autoscaler/node-template/resources/cpu: 3920m
    minSize: 0
    maxSize: 4
  - {{name: d, minSize: 0, maxSize: 1, labels: {{<<: *labels, tier: d}}, tags: *real}}
"""

OVERRIDING = "  - <<: *base\n    name: b\n"
ADDING = "  - name: b\n    labels: {<<: *labels, tier: b}\n    minSize: 0\n"

INDENTLESS = f"""\
{HEAD}metadata:
    name: indentless
    region: us-west-2
managedNodeGroups:
- name: only
  instanceTypes:
  - m5.large
  - m5a.large
  desiredCapacity: 2
  iam:
        withAddonPolicies:
                autoScaler: true
fargateProfiles:
- name: fp-default
  selectors:
  - namespace: default
  - namespace: kube-system
- {{name: fp-work, selectors: [{{namespace: pachyderm, labels: {{node: fargate}}}}]}}
addons:
"""

SELF_MANAGED = f"""\
{HEAD}metadata: {{name: spotty, region: us-west-2}}
nodeGroups:
  - name: mixed
    minSize: 0
    maxSize: 20
    instancesDistribution:
      instanceTypes: [m5.large, m5a.large]
      onDemandBaseCapacity: 0
      onDemandPercentageAboveBaseCapacity: 0
      spotAllocationStrategy: capacity-optimized
    labels: {{pool: spot}}
    taints: {{dedicated: "batch:NoExecute"}}
    kubeletExtraConfig: {{kubeReserved: {{cpu: 300m}}}}
    overrideBootstrapCommand: |
      #!/bin/bash

      /etc/eks/bootstrap.sh spotty
  - name: steady
    instanceType: m5.xlarge
    desiredCapacity: 2
    volumeSize: 120
    volumeType: gp3
    volumeIOPS: 4000"""

JSON = """\
{
  "apiVersion": "eksctl.io/v1alpha5",
  "kind": "ClusterConfig",
  "metadata": {"name": "as-json", "region": "eu-west-1"},
  "managedNodeGroups": [{"name": "a", "minSize": 0, "maxSize": 3}]
}
"""

PRIVATE = f"""\
%YAML 1.2
---
{HEAD}metadata: {{name: closed, region: ap-southeast-2, version: "1.34"}}
privateCluster: {{enabled: true}}
vpc:
  id: vpc-0a1b2c
  subnets:
    private:
      ap-southeast-2a: {{id: subnet-1}}
      ap-southeast-2b: {{id: subnet-2}}
iam:
  withOIDC: true
  serviceAccounts:
  - metadata: {{name: cluster-autoscaler, namespace: kube-system}}
    wellKnownPolicies: {{autoScaler: true}}
managedNodeGroups:
- name: system
  instanceType: m5.large
  minSize: 1
  maxSize: 1
  privateNetworking: true
- name: work
  instanceType: m5.4xlarge
  spot: false
  minSize: 0
  maxSize: 8
  privateNetworking: true
  updateConfig: {{maxUnavailable: 1}}
  propagateASGTags: true
"""

CONFIGS = {
    "commented": COMMENTED,
    "anchored": ANCHORED.replace(OVERRIDING, ADDING),  # eksctl takes no key over a merged one
    "indentless": INDENTLESS,
    "self-managed": SELF_MANAGED,
    "json": JSON,
    "private": PRIVATE,
}
