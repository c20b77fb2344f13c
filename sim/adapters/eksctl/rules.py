"""Rules of eksctl for a whole cluster that no type states: networks, identities, add-ons, what excludes what.

Source: eksctl-io/eksctl v0.215.0, pkg/apis/eksctl.io/v1alpha5, validation.go ValidateClusterConfig, addon.go,
access_entry.go, auto_mode.go, identitymapping.go; pkg/ctl/cmdutils/configfile.go NewCreateClusterLoader;
pkg/accessentry/service.go; aws.md §9.2.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import suppress

from sim.adapters.eksctl.typed import arn, cidr
from sim.documents.fields import Field
from sim.documents.go_yaml import read_as_eksctl
from sim.errors import InputError

GROUP_LISTS = ("managedNodeGroups", "nodeGroups")
POLICIES = ("wellKnownPolicies", "attachPolicyARNs", "attachPolicy", "attachRoleARN")
IDENTITY_POLICIES = ("permissionPolicy", "permissionPolicyARNs", "wellKnownPolicies")
ADDON_POLICIES = ("attachPolicy", "attachPolicyARNs", "serviceAccountRoleARN", "wellKnownPolicies")
IDENTITY_AGENT, VPC_CNI = "eks-pod-identity-agent", "vpc-cni"
CORE_ADDONS = (VPC_CNI, "coredns", "kube-proxy")
LOG_TYPES = ("api", "audit", "authenticator", "controllerManager", "scheduler")
ALL_LOG_TYPES = ("*", "all")
RETENTION_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1827, 3653)
ENDPOINT_SERVICES = ("cloudformation", "autoscaling", "logs")
HOSTNAME_TYPES = ("ip-name", "resource-name")
NODE_POOLS = ("general-purpose", "system")
ENTRY_TYPES = ("", "STANDARD", "EC2")
NODE_ENTRY_TYPES = ("EC2_LINUX", "EC2_WINDOWS", "FARGATE_LINUX", "HYBRID_LINUX")
CONFIG_MAP = "CONFIG_MAP"
NOT_ON_OUTPOSTS = (
    *("managedNodeGroups", "fargateProfiles", "addons", "identityProviders", "karpenter"),
    *("availabilityZones", "localZones", "gitops", "secretsEncryption"),
)
LEAST_ZONES = 2
LEAST_KARPENTER = (0, 20, 0)
LEAST_CNI = (1, 10, 0)
_NAMESPACE = re.compile(r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
_RELEASE = re.compile(r"v?(\d+(?:\.\d+)*)(?:[-+.].*)?")


def check_rules(field: Field) -> None:
    """Raise InputError for the first rule that a ClusterConfig breaks, its node groups aside."""
    for check in _CHECKS:
        check(field)


def _iam(field: Field) -> None:
    iam = field.child("iam")
    oidc, names = bool(iam and iam.true_at("withOIDC")), set()
    for account in iam.items_at("serviceAccounts") if iam else ():
        if not oidc:
            raise account.error("is a service account without OIDC", allowed="iam.withOIDC: true")
        metadata = account.child("metadata")
        name = metadata.text_at("name") if metadata else ""
        if not name:
            raise account.missing("metadata.name", "the name of a service account")
        where = (metadata and metadata.text_at("namespace")) or "default"
        if (where, name) in names:
            raise account.error(f"is {where}/{name} again", allowed="a name of its own")
        names.add((where, name))
        if not any(_says(account, key) for key in POLICIES):
            raise account.error("has no policy and no role", allowed=f"one of {', '.join(POLICIES)}")
    associations = iam.items_at("podIdentityAssociations") if iam else []
    if associations or any(_identities(addon) for addon in field.items_at("addons")) or _applies_all(field):
        names_of_addons = [addon.text_at("name") for addon in field.items_at("addons")]
        if IDENTITY_AGENT not in names_of_addons and not _auto_mode(field):
            raise field.error(
                "has pod identity associations", allowed=f"them with the addon {IDENTITY_AGENT}"
            )
    for association in associations:
        _check_association(association)


def _applies_all(field: Field) -> bool:
    config = field.child("addonsConfig")
    return bool(config and config.true_at("autoApplyPodIdentityAssociations") and field.items_at("addons"))


def _identities(addon: Field) -> bool:
    return addon.true_at("useDefaultPodIdentityAssociations") or bool(
        addon.items_at("podIdentityAssociations")
    )


def _says(field: Field, key: str) -> bool:
    """Say whether a key gives a policy or a role; well-known policies do if any is true."""
    place = field.child(key)
    if place is None:
        return False
    if key == "wellKnownPolicies":
        return any(place.mapping().values())
    return bool(place.value) or key == "attachPolicy"


def _check_association(association: Field) -> None:
    for key in ("namespace", "serviceAccountName"):
        if not association.text_at(key):
            raise association.missing(key)
    policies = [key for key in IDENTITY_POLICIES if _says(association, key)]
    role = association.text_at("roleARN")
    if not role and not policies:
        allowed = f"one of roleARN, {', '.join(IDENTITY_POLICIES)}"
        raise association.error("has no policy and no role", allowed=allowed)
    if role and policies:
        raise association.error(f"has roleARN and {policies[0]}", allowed="one of the two")


def _addons(field: Field) -> None:
    for addon in field.items_at("addons"):
        if not addon.text_at("name"):
            raise addon.missing("name", "the name of an add-on")
        _check_settings(addon)
        namespace = addon.child("namespaceConfig")
        name = namespace.text_at("namespace") if namespace else ""
        if name and not _NAMESPACE.fullmatch(name):
            raise addon.error(f"has the namespace {name}", allowed="small letters, digits and -, at most 63")
        _check_addon_policies(addon)


def _check_settings(addon: Field) -> None:
    settings = addon.child("configurationValues")
    if settings is None:
        return
    with suppress(ValueError, RecursionError):
        json.loads(settings.text())
        return
    with suppress(InputError):
        if all(isinstance(each.value, dict | None) for each in read_as_eksctl(settings.text(), "")):
            return
    raise settings.error("is neither JSON nor a YAML mapping", allowed="settings in a text")


def _check_addon_policies(addon: Field) -> None:
    said = [key for key in ADDON_POLICIES if _says(addon, key)]
    own = addon.items_at("podIdentityAssociations")
    default = addon.true_at("useDefaultPodIdentityAssociations")
    if len(said) > 1:
        raise addon.error(f"has {' and '.join(said)}", allowed="one of them")
    if (said and (own or default)) or (own and default):
        raise addon.error("has policies and pod identity associations", allowed="one of the two")
    if own and addon.text_at("name").lower() == IDENTITY_AGENT:
        raise addon.error("has pod identity associations of its own agent", allowed="none")
    for association in own:
        _check_association(association)
        if _says(association, "wellKnownPolicies") or association.child("tags"):
            raise association.error("has wellKnownPolicies or tags", allowed="neither, in an add-on")


def _auto_mode(field: Field) -> bool:
    config = field.child("autoModeConfig")
    return bool(config and config.true_at("enabled"))


def _modes(field: Field) -> None:
    config, on = field.child("autoModeConfig"), _auto_mode(field)
    groups = [kind for kind in GROUP_LISTS if field.items_at(kind)]
    if config:
        _check_auto_mode(config, on=on)
    names = [addon.text_at("name") for addon in field.items_at("addons")]
    if config and on and groups:
        raise config.error(f"is enabled beside {groups[0]}", allowed="groups made after the cluster")
    without = not field.items_at("fargateProfiles") and not field.child("remoteNetworkConfig")
    if config and on and without and not {*CORE_ADDONS}.isdisjoint(names):
        raise config.error("is enabled beside core networking add-ons", allowed="neither of them")
    addons = field.child("addonsConfig")
    bare = addons and addons.true_at("disableDefaultAddons") and not on and VPC_CNI not in names
    if addons and bare and (also := _needs_network(field)):
        raise addons.error(f"disables the default add-ons beside {also}", allowed=f"the add-on {VPC_CNI}")


def _needs_network(field: Field) -> str:
    """Return what a cluster without network add-on cannot have, empty where it has none of it."""
    iam, gitops = field.child("iam"), field.child("gitops")
    sized = (_nodes(group) for kind in GROUP_LISTS for group in field.items_at(kind))
    found = {
        "node groups": any(sized),
        "fargateProfiles": bool(field.items_at("fargateProfiles")),
        "karpenter": field.child("karpenter") is not None,
        "gitops": gitops is not None and gitops.child("flux") is not None,
        "service accounts": bool(iam and (iam.items_at("serviceAccounts"))),
        "pod identities": bool(iam and iam.items_at("podIdentityAssociations")),
    }
    return next((key for key, there in found.items() if there), "")


def _nodes(group: Field) -> int:
    for key in ("desiredCapacity", "minSize"):
        if place := group.child(key):
            return place.integer()
    return 0


def _check_auto_mode(config: Field, *, on: bool) -> None:
    role, boundary = config.text_at("nodeRoleARN"), config.text_at("permissionsBoundaryARN")
    pools = config.child("nodePools")
    names = config.texts_at("nodePools")
    if not on and (role or boundary or names):
        raise config.error("has settings and is not enabled", allowed="enabled: true")
    if on and pools is not None:
        if (not names and (role or boundary)) or (role and boundary):
            raise config.error("has roles that exclude each other, or no pools for them", allowed="one role")
        if len({*names}) < len(names) or {*names} - {*NODE_POOLS}:
            raise pools.error(allowed=f"each once of {', '.join(NODE_POOLS)}")


def _karpenter(field: Field) -> None:
    karpenter = field.child("karpenter")
    if karpenter is None:
        return
    version = _release(karpenter.text_at("version"))
    if version is None or version < LEAST_KARPENTER:
        raise karpenter.error(allowed="version of 0.20.0 or later")
    iam = field.child("iam")
    if not (iam and iam.true_at("withOIDC")):
        raise karpenter.error("is given without OIDC", allowed="iam.withOIDC: true")


def _release(text: str) -> tuple[int, ...] | None:
    match = _RELEASE.fullmatch(text)
    return None if match is None else tuple(int(part) for part in f"{match[1]}.0.0".split("."))[:3]


def _logging(field: Field) -> None:
    watch = field.child("cloudWatch")
    logging = watch.child("clusterLogging") if watch else None
    if logging is None:
        return
    kinds, days = (
        logging.texts_at("enableTypes"),
        logging.integer_at("logRetentionInDays", least=-(2**31)) or 0,
    )
    if not {*kinds} & {*ALL_LOG_TYPES} and (unknown := {*kinds} - {*LOG_TYPES}):
        raise logging.error(f"has the log type {min(unknown)}", allowed=", ".join(LOG_TYPES))
    if days and (not kinds or days not in RETENTION_DAYS):
        allowed = f"with enableTypes, one of {', '.join(map(str, RETENTION_DAYS))}"
        raise logging.error(f"has logRetentionInDays {days}", allowed=allowed)


def _secrets(field: Field) -> None:
    if secrets := field.child("secretsEncryption"):
        key = secrets.child("keyARN")
        if key is None:
            raise secrets.missing("keyARN", "the ARN of a KMS key")
        arn(key)


def _identity_mappings(field: Field) -> None:
    for mapping in field.items_at("iamIdentityMappings"):
        text = {
            key: mapping.text_at(key) for key in ("arn", "username", "account", "serviceName", "namespace")
        }
        groups = mapping.texts_at("groups")
        both = bool(text["serviceName"]) == bool(text["namespace"])
        if not both or (text["serviceName"] and text["arn"] and text["username"] and groups):
            raise mapping.error("mixes a service with a user", allowed="serviceName and namespace, or arn")
        if text.pop("account") and (groups or any(text.values())):
            raise mapping.error("has account and more", allowed="account alone")


def _identity_providers(field: Field) -> None:
    for provider in field.items_at("identityProviders"):
        for key in ("name", "clientID", "issuerURL"):
            if not provider.text_at(key):
                raise provider.missing(key)


def _access(field: Field) -> None:
    config = field.child("accessConfig")
    if config is None:
        return
    entries, mode = config.items_at("accessEntries"), config.text_at("authenticationMode")
    if entries and mode == CONFIG_MAP:
        raise config.error("has accessEntries with CONFIG_MAP", allowed="API_AND_CONFIG_MAP or API")
    seen: set[str] = set()
    for entry in entries:
        _check_entry(entry)
        if entry.text_at("principalARN") in seen:
            raise entry.error("is there twice", allowed="each principal once")
        seen.add(entry.text_at("principalARN"))
    admin = config.child("bootstrapClusterCreatorAdminPermissions")
    if admin and admin.value is False and field.items_at("nodeGroups") and not entries:
        raise admin.error("is false beside nodeGroups", allowed="accessEntries that let eksctl in")


def _check_entry(entry: Field) -> None:
    if not entry.text_at("principalARN"):
        raise entry.missing("principalARN", "the ARN of a role or user")
    kind, policies = entry.text_at("type"), entry.items_at("accessPolicies")
    if kind not in (*ENTRY_TYPES, *NODE_ENTRY_TYPES):
        raise entry.error(f"has the type {kind}", allowed=", ".join((*ENTRY_TYPES[1:], *NODE_ENTRY_TYPES)))
    more = entry.texts_at("kubernetesGroups") or entry.text_at("kubernetesUsername") or policies
    if kind in NODE_ENTRY_TYPES and more:
        raise entry.error(f"has groups, a user or policies with {kind}", allowed="none of them")
    for policy in policies:
        _check_access_policy(policy)


def _check_access_policy(policy: Field) -> None:
    resource = policy.text_at("policyARN").split(":", 5)[-1]
    if not resource.startswith("cluster-access-policy/"):
        raise policy.error(
            "has no policyARN of a cluster access policy", allowed="arn:aws:eks::aws:cluster-access-policy/…"
        )
    scope = policy.child("accessScope")
    kind, namespaces = (scope.text_at("type"), scope.texts_at("namespaces")) if scope else ("", ())
    if kind not in ("cluster", "namespace") or (kind == "namespace") != bool(namespaces):
        raise policy.error(
            "has no valid accessScope", allowed="type: cluster, or type: namespace with namespaces"
        )


def _zones(field: Field) -> None:
    zones = field.child("availabilityZones")
    if zones and 0 < len(zones.items()) < LEAST_ZONES:
        raise zones.error(f"are {len(zones.items())}", allowed=f"{LEAST_ZONES} or more")


def _remote(field: Field) -> None:
    remote = field.child("remoteNetworkConfig")
    if remote is None:
        return
    access, vpc = field.child("accessConfig"), field.child("vpc")
    if _ipv6(field) or (access and access.text_at("authenticationMode") == CONFIG_MAP):
        raise remote.error("is given with IPv6 or CONFIG_MAP", allowed="IPv4 and access entries")
    if not remote.items_at("remoteNodeNetworks"):
        raise remote.missing("remoteNodeNetworks", "the networks of remote nodes")
    gateway = remote.text_at("vpcGatewayID")
    if gateway and ((vpc and vpc.text_at("id")) or not gateway.startswith(("tgw-", "vgw-"))):
        raise remote.error(f"has the gateway {gateway}", allowed="tgw-… or vgw-…, with a VPC of eksctl's own")
    iam = remote.child("iam")
    provider = (iam.text_at("provider") if iam and iam.child("provider") else "ssm").lower()
    bundle = iam is not None and iam.child("caBundleCert") is not None
    if provider not in ("ssm", "ira") or bundle != (provider == "ira"):
        raise remote.error("has no valid provider", allowed="ssm, or ira with caBundleCert")


def _gitops(field: Field) -> None:
    gitops = field.child("gitops")
    if gitops and (flux := gitops.child("flux")):
        for key in ("gitProvider", "flags"):
            if not flux.child(key) or not flux.mapping()[key]:
                raise flux.missing(key)


def _ipv6(field: Field) -> bool:
    network = field.child("kubernetesNetworkConfig")
    return network is not None and network.text_at("ipFamily").lower() == "ipv6"


def _network(field: Field) -> None:
    network = field.child("kubernetesNetworkConfig")
    if network is None:
        return
    block = network.child("serviceIPv4CIDR")
    if block and block.value:
        if _ipv6(field):
            raise block.error("is given with IPv6", allowed="one of the two")
        cidr(block)
    if network.text_at("ipFamily").lower() not in ("", "ipv4", "ipv6"):
        raise network.error(f"has the ipFamily {network.text_at('ipFamily')}", allowed="IPv4, IPv6")
    if _ipv6(field):
        _check_ipv6(field, network)


def _check_ipv6(field: Field, network: Field) -> None:
    addons = {addon.text_at("name").lower(): addon for addon in field.items_at("addons")}
    if not _auto_mode(field):
        missing = [name for name in CORE_ADDONS if name not in addons]
        if missing:
            raise network.error(f"asks for IPv6 without the add-ons {', '.join(missing)}", allowed="them")
        iam, config = field.child("iam"), field.child("addonsConfig")
        if IDENTITY_AGENT not in addons and not (iam and iam.true_at("withOIDC")):
            raise network.error("asks for IPv6 without identities", allowed="withOIDC or pod identities")
        applied = config is not None and config.true_at("autoApplyPodIdentityAssociations")
        if IDENTITY_AGENT in addons and not applied and not _identities(addons[VPC_CNI]):
            raise network.error("asks for IPv6 without an identity of vpc-cni", allowed="pod identities")
    version = addons[VPC_CNI].text_at("version") if VPC_CNI in addons else ""
    if version not in ("", "latest") and (_release(version) or (0,)) < LEAST_CNI:
        raise network.error(f"asks for IPv6 with vpc-cni {version}", allowed="1.10.0 or later")


def _vpc(field: Field) -> None:
    vpc = field.child("vpc")
    _check_private(field, vpc)
    if vpc is None:
        return
    _check_endpoints(vpc)
    for key in ("extraCIDRs", "publicAccessCIDRs", "extraIPv6CIDRs"):
        for block in vpc.items_at(key):
            cidr(block)
    nat = vpc.child("nat")
    if nat is not None and nat.child("gateway") is None:
        raise nat.missing("gateway", "HighlyAvailable, Single or Disable")
    _check_vpc_ipv6(field, vpc)
    if vpc.text_at("securityGroup") and vpc.texts_at("controlPlaneSecurityGroupIDs"):
        raise vpc.error("has securityGroup and controlPlaneSecurityGroupIDs", allowed="one of the two")
    shared = vpc.child("manageSharedNodeSecurityGroupRules")
    if shared and shared.value is False and not vpc.text_at("sharedNodeSecurityGroup"):
        raise shared.error("is false with eksctl's own groups", allowed="a sharedNodeSecurityGroup")
    subnets = vpc.child("subnets")
    own = subnets is not None and any(at.value for key, at in subnets.children() if key != "localZone")
    if own and field.texts_at("availabilityZones"):
        raise vpc.error("has subnets beside availabilityZones", allowed="one of the two")
    host = vpc.text_at("hostnameType")
    if host and (own or host not in HOSTNAME_TYPES):
        raise vpc.error(
            f"has the hostnameType {host}", allowed=f"{', '.join(HOSTNAME_TYPES)}, without subnets"
        )
    zones = field.texts_at("localZones")
    available = nat is not None and nat.text_at("gateway") == "HighlyAvailable"
    if zones and (vpc.text_at("id") or available):
        raise vpc.error("has an id or a highly available NAT beside localZones", allowed="neither")


def _check_vpc_ipv6(field: Field, vpc: Field) -> None:
    six = _ipv6(field)
    block, pool = vpc.text_at("ipv6Cidr"), vpc.text_at("ipv6Pool")
    if not six and (block or pool or vpc.texts_at("extraIPv6CIDRs")):
        raise vpc.error("has addresses of IPv6 in a cluster of IPv4", allowed="ipFamily: IPv6")
    if not six:
        return
    if vpc.child("nat") or field.texts_at("localZones") or vpc.true_at("autoAllocateIPv6"):
        raise vpc.error("has nat, localZones or autoAllocateIPv6 with IPv6", allowed="none of them")
    if bool(block) != bool(pool) or (block and vpc.text_at("id")):
        raise vpc.error("has one of ipv6Cidr and ipv6Pool, or an id beside them", allowed="both or neither")


def _check_endpoints(vpc: Field) -> None:
    if endpoints := vpc.child("clusterEndpoints"):
        public, private = endpoints.child("publicAccess"), endpoints.child("privateAccess")
        if not (public is None or public.value) and not (private and private.value):
            raise endpoints.error("has neither public nor private access", allowed="one of the two")


def _check_private(field: Field, vpc: Field | None) -> None:
    private = field.child("privateCluster")
    if private is None or not private.true_at("enabled"):
        return
    for kind in GROUP_LISTS:
        for group in field.items_at(kind):
            if not group.true_at("privateNetworking"):
                name = group.text_at("name")
                raise private.error(
                    f"has the node group {name}", allowed="privateNetworking: true in every group"
                )
    services = private.texts_at("additionalEndpointServices")
    unique = len({*services}) == len(services) and {*services} <= {*ENDPOINT_SERVICES}
    if services and (private.true_at("skipEndpointCreation") or not unique):
        allowed = f"each once of {', '.join(ENDPOINT_SERVICES)}, without skipEndpointCreation"
        raise private.error("has additionalEndpointServices", allowed=allowed)
    if field.texts_at("localZones"):
        raise private.error("is enabled beside localZones", allowed="one of the two")
    endpoints = vpc.child("clusterEndpoints") if vpc else None
    if endpoints and any(at.value is not None for _, at in endpoints.children()):
        raise private.error("is enabled beside vpc.clusterEndpoints", allowed="one of the two")
    subnets = vpc.child("subnets") if vpc else None
    if (
        vpc
        and vpc.text_at("id")
        and not (subnets and subnets.child("private") and subnets.mapping()["private"])
    ):
        raise private.error("is enabled in a VPC without private subnets", allowed="vpc.subnets.private")


def _outpost(field: Field) -> None:
    outpost = field.child("outpost")
    if outpost is None:
        return
    arn_of = outpost.child("controlPlaneOutpostARN")
    if arn_of is None or ":outposts:" not in arn(arn_of):
        raise outpost.missing("controlPlaneOutpostARN", "the ARN of an Outpost")
    if also := next((key for key in NOT_ON_OUTPOSTS if (at := field.child(key)) and at.value), ""):
        raise outpost.error(f"is given beside {also}", allowed="nodeGroups only on Outposts")
    iam = field.child("iam")
    if (iam and iam.true_at("withOIDC")) or _ipv6(field):
        raise outpost.error("is given with OIDC or IPv6", allowed="neither on Outposts")


_CHECKS: tuple[Callable[[Field], None], ...] = (
    _iam,
    _addons,
    _modes,
    _karpenter,
    _logging,
    _secrets,
    _identity_mappings,
    _identity_providers,
    _access,
    _zones,
    _remote,
    _gitops,
    _network,
    _vpc,
    _outpost,
)
