"""The Cluster Autoscaler as it is deployed: values of its Helm chart, or a manifest's command line.

Either way the answer is what the process is started with: each flag with a value of its type. What upstream
would not start with is refused; what it ignores is said; nothing else is looked at.

Sources: kubernetes/autoscaler 55c37cd5eb55, charts/cluster-autoscaler 9.59.0 templates/deployment.yaml and
priority-expander-configmap.yaml; spf13/pflag flag.go (parseArgs); aws.md §10.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sim.adapters.cluster_autoscaler.flags import (
    AS_SIMULATED,
    CHART_KEPT,
    CHART_READ,
    FIRST,
    FLAGS,
    LAST,
    OPERATIONAL,
    SINCE,
    UNTIL,
    Takes,
)
from sim.adapters.cluster_autoscaler.values import canonical
from sim.documents.fields import Field
from sim.documents.yaml_read import read_text
from sim.errors import InputError, nearest
from sim.model.notices import Notice

NAME = "cluster-autoscaler"
PRIORITIES_CONFIG_MAP = "cluster-autoscaler-priority-expander"
ALLOWED = "chart values with extraArgs, or a manifest whose container runs cluster-autoscaler"
PROVIDER = "aws"
_WITH_TEMPLATE = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet")
_TAG = re.compile(r":v?1\.(\d{2})(?:\.(\d{1,3}))?([-+].*)?(@.*)?$")
_DISCOVERED = re.compile(r"k8s\.io/cluster-autoscaler/([^,={}]+)")


@dataclass(frozen=True, slots=True)
class ReadAutoscaler:
    """What an autoscaler is started with: flags by name, whose fields hold values of the flag's type.

    ``version`` and ``patch`` are its image's, ``cluster`` is the one whose groups it discovers; empty or None
    where nothing says so. ``priorities`` is the priority expander's ConfigMap.
    """

    flags: Mapping[str, Field]
    priorities: Field | None = None
    version: str = ""
    cluster: str = ""
    notices: tuple[Notice, ...] = ()
    patch: int | None = None

    @property
    def expander(self) -> str:
        """Return the expander asked for, empty where none is."""
        at = self.flags.get("expander")
        return str(at.value) if at else ""

    def not_simulated(self, simulated: Collection[str]) -> Iterator[Notice]:
        """Yield what there is to say of the flags that are in no one's list of simulated ones."""
        for name, at in self.flags.items():
            if name in simulated or name in OPERATIONAL or at.value in AS_SIMULATED.get(name, ()):
                continue
            if name == "nodes":
                yield at.notice("names Auto Scaling groups; sizes are taken from the ClusterConfig's groups")
            elif name != "node-group-auto-discovery":
                yield at.notice(f"--{name} is kept but not simulated")


def read_autoscaler(documents: Sequence[Field]) -> ReadAutoscaler:
    """Return what chart values or manifests say; of manifests there may be several."""
    if not any(_is_manifest(each) for each in documents):
        if len(documents) > 1:
            raise documents[1].error("is a second document", allowed="one document of chart values")
        return _chart(own_values(documents[0]))
    objects = [each for document in documents for each in _objects(document)]
    pods = [pod for each in objects if (pod := _pod_spec(each)) is not None]
    found = next((container for pod in pods if (container := autoscaler_container(pod)) is not None), None)
    if found is None:
        raise documents[0].error("runs no cluster-autoscaler", allowed=ALLOWED)
    return replace(read_container(found), priorities=expander_priorities(objects))


def autoscaler_container(pod: Field) -> Field | None:
    """Return the container of a pod's spec that runs the autoscaler, if one does."""
    containers = pod.child("containers")
    for each in containers.items() if containers else ():
        image = each.mapping().get("image")
        told = [word.value for word in _words(each)[:1]]
        if any(isinstance(text, str) and NAME in text for text in (image, *told)):
            return each
    return None


def read_container(container: Field) -> ReadAutoscaler:
    """Return what a container's image, command and args say."""
    words = _words(container)
    if any(" --" in word.text() for word in words):
        raise container.error("runs a shell", allowed="command and args as lists, a flag in each item")
    started = _Start(*_version(container.child("image")))
    started.command_line(words)
    return started.read()


def _is_manifest(document: Field) -> bool:
    return {"apiVersion", "kind"} <= document.mapping().keys()


def _objects(document: Field) -> list[Field]:
    return document.items_at("items") if document.mapping().get("kind") == "List" else [document]


def _pod_spec(manifest: Field) -> Field | None:
    kind, at = manifest.mapping().get("kind"), manifest.child("spec")
    for step in ("template", "spec") if kind in _WITH_TEMPLATE else ():
        at = at.child(step) if at and at.mapping() else None
    return at if kind in (*_WITH_TEMPLATE, "Pod") and at and at.mapping() else None


def _words(container: Field) -> list[Field]:
    return [word for key in ("command", "args") for word in container.items_at(key)]


def expander_priorities(objects: Sequence[Field]) -> Field | None:
    """Return what the priority expander's ConfigMap holds, where it is among some objects."""
    for each in objects:
        metadata, data = each.child("metadata"), each.child("data")
        if metadata and data and metadata.mapping().get("name") == PRIORITIES_CONFIG_MAP:
            return mapping_within(data.child("priorities"))
    return None


def mapping_within(at: Field | None) -> Field | None:
    """Return a mapping that may be written as a text which holds it, as in a ConfigMap."""
    if at is None or not isinstance(at.value, str):
        return at
    try:
        document = read_text(at.value, at.document.file)[0]
    except InputError as error:
        error.line = at.line()
        raise at.locate(error) from None
    line = at.line()
    lines = {} if line is None else {at.path: line}
    return Field(replace(document, lines=lines), at.path, document.value)


def _chart(values: Field) -> ReadAutoscaler:
    """Return what the chart's Deployment would start."""
    said = dict(values.children())
    if not said.keys() & set(CHART_READ):
        raise values.error("is something else", allowed=ALLOWED)
    image = said.get("image")
    started = _Start(*_version(image.child("tag") if image else None))
    _check_chart(said, started)
    discovery, groups = said.get("autoDiscovery"), values.items_at("autoscalingGroups")
    started.cluster = discovery.text_at("clusterName") if discovery else ""
    if groups:
        started.add("nodes", said["autoscalingGroups"], [_bounds(group) for group in groups])
    elif not started.cluster:
        problem = "names no autoDiscovery.clusterName and no autoscalingGroups: the chart installs nothing"
        started.say(values, problem)
    if extra := said.get("extraArgs"):
        for key in sorted(extra.mapping()):  # as a Go template goes through a mapping
            started.chart_argument(Field(extra.document, (*extra.path, key), extra.value[key]), key)
    started.command_line(values.items_at("customArgs"))
    read, priorities = started.read(), mapping_within(said.get("expanderPriorities"))
    if priorities is None or not priorities.value:
        return read
    if "priority" not in read.expander:
        without = priorities.notice("has no effect without extraArgs.expander: priority")
        return replace(read, notices=(*read.notices, without))
    return replace(read, priorities=priorities)


def own_values(values: Field) -> Field:
    """Return the chart's own values, which those of an umbrella chart have under its name."""
    own = values.child(NAME)
    if own is None or not isinstance(own.value, dict) or values.value.keys() & {*CHART_READ}:
        return values
    return own


def _check_chart(said: Mapping[str, Field], started: _Start) -> None:
    """Refuse another cloud's values, and say which ones the chart does not know."""
    provider = said.get("cloudProvider")
    if provider and provider.value != PROVIDER:
        raise provider.error(allowed=PROVIDER)
    for key, at in said.items():
        if key not in CHART_READ and key not in CHART_KEPT:
            near = nearest(key, (*CHART_READ, *CHART_KEPT))
            started.say(at, "is no value of the chart; Helm ignores it", near)


def _bounds(group: Field) -> str:
    least, most = group.integer_at("minSize"), group.integer_at("maxSize")
    return f"{least or 0}:{most or 0}:{group.text_at('name')}"


def _version(image: Field | None) -> tuple[str, int | None]:
    """Return Kubernetes minor and patch of an image's tag, empty and None where it has none."""
    match = _TAG.search(f":{image.value}") if image and isinstance(image.value, str) else None
    return (f"1.{match[1]}", int(match[2]) if match[2] else None) if match else ("", None)


@dataclass(slots=True)
class _Start:
    """One start of the autoscaler being put together, flag by flag."""

    version: str
    patch: int | None = None
    cluster: str = ""
    flags: dict[str, Field] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)

    def read(self) -> ReadAutoscaler:
        """Return it."""
        bulk = self.flags.pop("max-empty-bulk-delete", None)
        if bulk is not None:  # its old name, which holds unless the new one is given
            self.flags.setdefault("max-scale-down-parallelism", bulk)
        found = self.flags.get("node-group-auto-discovery")
        names = _DISCOVERED.findall(",".join(found.value)) if found else []
        cluster = self.cluster or next((name for name in names if name != "enabled"), "")
        return ReadAutoscaler(self.flags, None, self.version, cluster, tuple(self.notices), self.patch)

    def say(self, at: Field, message: str, near: str | None = None) -> None:
        """Note something."""
        self.notices.append(at.notice(f"{message}; did you mean {near}?" if near else message))

    def add(self, name: str, at: Field, value: object) -> None:
        """Put a flag in; the last of several holds, unless it is one that may be given often."""
        if FLAGS[name] is Takes.MANY and name in self.flags:
            value = [*self.flags[name].value, *(value if isinstance(value, list) else [value])]
        elif FLAGS[name] is Takes.MANY and not isinstance(value, list):
            value = [value]
        self.flags[name] = Field(at.document, at.path, value)

    def chart_argument(self, at: Field, key: str) -> None:
        """Put in what a key of ``extraArgs`` becomes; what follows its first ``_`` only tells keys apart."""
        name = self._known(key.partition("_")[0], at)
        if at.value is None and FLAGS[name] is Takes.BOOL:
            self.add(name, at, value=True)
        elif isinstance(at.value, list | dict) or at.value is None:
            allowed = f"{FLAGS[name].value}; a flag given several times as {name}_1, {name}_2"
            raise at.error(allowed=allowed)
        else:
            self.add(name, at, canonical(at, FLAGS[name], at.value))

    def command_line(self, words: Sequence[Field]) -> None:
        """Put in the flags of a command line; what is no flag names the program and is skipped."""
        rest = iter(words)
        for at in rest:
            text = at.text()
            if text == "--":
                return
            if not text.startswith("-"):
                continue
            said, equals, value = text.partition("=")
            if not text.startswith("--"):  # -v=4 and -v4: a flag of one letter is its own shorthand
                said, value = f"--{text[1:2]}", text[2:].removeprefix("=")
                equals = value
            name = self._known(said[2:].replace("_", "-"), at)
            if not equals and FLAGS[name] is Takes.BOOL:
                self.add(name, at, value=True)
                continue
            place = at if equals else next(rest, None)
            if place is None:
                raise at.error("has no value", allowed=FLAGS[name].value)
            self.add(name, at, canonical(at, FLAGS[name], value if equals else place.text()))

    def _known(self, name: str, at: Field) -> str:
        """Return a flag's name if this version of the autoscaler has it."""
        if name not in FLAGS:
            problem = f"has no flag --{name}; the Cluster Autoscaler does not start with it"
            raise at.error(problem, near=nearest(name, FLAGS))
        since, until = SINCE.get(name, FIRST), UNTIL.get(name, LAST)
        minor = int(self.version.partition(".")[2] or 0)
        if FIRST <= minor <= LAST and not since <= minor <= until:
            problem = f"has the flag --{name}, which version {self.version} does not start with"
            raise at.error(problem, allowed=f"it from 1.{since} to 1.{until}")
        return name
