"""load_study: a study file, and the scenario it starts from, as a ``Study``.

The base is read once; each configuration is a few values put into it and compiled. What is wrong with the
file is an InputError with file, line and field; a configuration that makes no scenario is for the search to
leave out, unless no configuration with one of the choices would make one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from sim.catalog import Catalog
from sim.documents.fields import Field, root
from sim.documents.yaml_read import Document, read_file
from sim.errors import InputError, nearest
from sim.loader.assembly import compiled, load
from sim.loader.compile.places import at_path
from sim.loader.overrides import named, overridden, parse_set
from sim.loader.study_file import STUDY, StudyFile
from sim.loader.study_vary import assignment, factors
from sim.loader.values.references import resolved
from sim.model.billing import BILL_LINES
from sim.model.metrics import ALL, PIPELINE, SOURCE, asked, usual
from sim.model.paths import plain_key
from sim.model.scenario import Scenario
from sim.model.study import Constraint, Factor, Study
from sim.report.bill import Use
from sim.report.starts import STEPS, Wait

BILL = ("total", *BILL_LINES)
UNKNOWN = "is not a known key"
DAYS = ("seed", "start", "horizon", "warmup", "drain", "age", "finite")


def load_study(path: str | Path) -> Study:
    """Return the study of a file.

    Raises InputError for anything in the file, or in its base scenario, that cannot be used.
    """
    documents = read_file(Path(path))
    at = root(documents[0])
    if len(documents) > 1:
        raise root(documents[1]).error("is a second document", allowed="one study in a file")
    said: StudyFile = STUDY.read(at)
    base_file = str(Path(path).parent / said.base)
    sets = () if said.set is None else tuple(assignment(p, v, said.set) for p, v in said.set.value.items())
    try:
        base = load(base_file, sets)
    except InputError as error:
        raise (error if error.file and error.file != "--set" else error.inside(file=str(path))) from None
    configure = _Configure(base_file, sets)
    varied = tuple(factors(said.vary, base))
    _check_span(varied, said.vary)
    _check(varied, said.vary, configure)
    _check_limits(at, said.constraints or ())
    constraints = _targets(base) if said.constraints is None else said.constraints
    _check_metrics(at, said, base)
    return Study(
        name=said.name or Path(path).stem,
        factors=varied,
        configure=configure,
        written=lambda choices: load(base_file, (*sets, *choices)),
        objectives=said.objective,
        constraints=constraints,
        question=said.question,
        file=str(path),
        base=base_file,
        sets=sets,
        confidence=said.confidence,
        indifference=said.indifference,
        budget=said.budget,
        replications=said.replications,
        round=said.round,
        seed=said.seed,
        explain=said.explain,
        precision=said.precision,
        holds_at_us=tuple(said.holds_at),
    )


class _Configure:
    """The base with everything it refers to, ready for values to be put in."""

    def __init__(self, file: str, sets: tuple[str, ...]) -> None:
        self._document = _inlined(overridden(read_file(Path(file))[0], sets))
        self._catalog = Catalog()

    def __call__(self, sets: Iterable[str]) -> Scenario:
        """Return the scenario of a configuration."""
        return compiled(named(overridden(self._document, sets)), self._catalog)


def _inlined(document: Document) -> Document:
    """Return the document with its ClusterConfig read, as ``named`` reads the specs."""
    document = named(document)
    cluster = document.value.get("cluster")
    if not isinstance(cluster, dict) or "eksctl" not in cluster:
        return document
    cluster = {**cluster, "eksctl": resolved(cluster["eksctl"], document.file, "eksctl")}
    return replace(document, value={**document.value, "cluster": cluster})


def _check_span(varied: tuple[Factor, ...], vary: Field) -> None:
    """Refuse to vary the days that are simulated: configurations are compared over the same ones."""
    for factor in varied:
        for choice in factor.choices:
            for path in (parse_set(text)[0] for text in choice.sets):
                if len(path) == 1 and (name := plain_key(path[0].text)) in DAYS:
                    problem = f"varies the {name}, and configurations are compared over the same days"
                    allowed = "the study's own seed" if name == "seed" else "one for all, under set"
                    raise _at(vary, factor).error(problem, allowed=allowed)


def _check_limits(at: Field, constraints: tuple[Constraint, ...]) -> None:
    """Refuse limits on one mean that nothing can hold together."""
    means = [each for each in constraints if each.probability is None]
    for least in (each for each in means if each.at_least):
        for most in (each for each in means if not each.at_least and each.metric == least.metric):
            if least.limit > most.limit:
                problem = f"want {least.metric} at least {least.limit:g} and at most {most.limit:g}"
                raise at_path(at, "constraints").error(problem, allowed="limits that something can hold")


def _check(varied: tuple[Factor, ...], vary: Field, configure: _Configure) -> None:
    """Refuse a path that leads nowhere or that two factors vary, and a factor without a valid choice."""
    whose: dict[object, Factor] = {}
    for factor in varied:
        for path in (parse_set(text)[0] for choice in factor.choices for text in choice.sets):
            other = whose.setdefault(path, factor)
            if other is not factor:
                raise _at(vary, factor).error(f"varies what {other.name} does", allowed="one of them")
        failed = []
        for choice in factor.choices:
            try:
                configure(choice.sets)
            except InputError as error:
                failed.append(error)
        unknown = next((error for error in failed if error.problem == UNKNOWN or error.file == "--set"), None)
        if unknown is not None or len(failed) == len(factor.choices):
            why = unknown or failed[0]
            raise _at(vary, factor).error(
                f"cannot be varied: {why.field} {_what(why)}", allowed=why.allowed, near=why.nearest
            )


def _what(error: InputError) -> str:
    return error.problem or f"is {error.shown}"


def _at(vary: Field, factor: Factor) -> Field:
    """Return where a factor is said."""
    name = factor.name if factor.name in vary.value else "placement"
    return vary.child(name) or vary


def _targets(base: Scenario) -> tuple[Constraint, ...]:
    """Return the targets of a scenario as constraints."""
    return tuple(
        Constraint(
            f"{f'pipelines.{slo.pipeline}.' if slo.pipeline else ''}job_latency_p{slo.quantile * 100:g}_s",
            slo.at_most_s,
        )
        for slo in base.slos
    )


def _check_metrics(at: Field, said: StudyFile, base: Scenario) -> None:
    """Refuse the name of a metric that no result has."""
    known = [*usual(ALL), *_inside(base)]
    for load_ in base.pipelines:
        known += [f"pipelines.{load_.pipeline.shown_name}.{name}" for name in usual(PIPELINE)]
    for pods in base.pods:
        known += [f"pods.{pods.name}.{name}" for name in usual(SOURCE)]
    names = {"", *(each.pipeline.shown_name for each in base.pipelines), *(each.name for each in base.pods)}
    places = [(at.child("objective") or at, name) for name in said.objective]
    for item, constraint in zip(at.items_at("constraints"), said.constraints or (), strict=True):
        places.append((item.child("metric") or item, constraint.metric))
    for place, name in places:
        member = asked(name)
        if name not in known and (member is None or member.work not in names):
            allowed = f"a metric such as {', '.join(known[:2])} or pipelines.NAME.job_latency_p95_s"
            raise place.error(f"is {name!r}, which is no metric", allowed=allowed, near=nearest(name, known))


def _inside(base: Scenario) -> Iterator[str]:
    """Yield what else a study may name: lines of the bill, uses, waits, and figures of the base's targets."""
    uses = [*(use.name.lower() for use in Use), "total"]
    waits = [wait.name.lower() for wait in Wait]
    sources = ["shared", *(load.pipeline.shown_name for load in base.pipelines)]
    sources += [load.name for load in base.pods] + [load.pod_class.name for load in base.base_load]
    yield from (f"bill_usd.{name}" for name in BILL)
    yield from (f"waste_usd.{name}" for name in uses)
    yield from (f"sources_usd.{source}.{name}" for source in sources for name in uses)
    yield from (f"waits_s.{name}" for name in waits)
    yield from (f"pod_waits_s.{wait.name.lower()}" for wait in dict.fromkeys(STEPS))
    yield from (f"slo.{n}.{name}" for n in range(len(base.slos)) for name in ("latency_s", "share_within"))
