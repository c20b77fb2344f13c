"""``pachsim search``: the best configuration of a study, how sure that is, and what is nearly as good."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

import sim
from sim.cli.options import FAILED, INTERRUPTED, AsFormat, FailOn, FailOns, Format, share

NONE_HOLDS = 1
SHOWN = 10  # rows of a table; JSON and --out have all
STOPPED = {
    "confidence": "nothing else is better",
    "indifference": "nothing else is better by more than {indifference:.3g}%",
    "undecided": "others that may be better could not be decided",
    "budget": "the budget of replications ended before it was sure enough",
}
UNCHECKED = (
    "the budget ended before the answer had the replications, and its neighbours the looks, that it takes"
)
EXCLUDED = {
    "unstable": "left out as unstable",
    "drifting": "left out as drifting",
    "undecided": "left out as undecided",
}
NOT_ASKED = {
    "screening": "The budget left too little to tell which inputs matter: raise it, or explain's share.",
    "tipping": "Where it tips over was not looked for: too little budget for it, or no runner-up that holds.",
}


def search(
    study: Annotated[Path, typer.Argument(metavar="STUDY", help="The study file.", show_default=False)],
    *,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Processes; one per core unless said. The answer is the same."),
    ] = None,
    store: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Keep every finished replication there.", show_default=False),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what the store holds.")] = False,
    dask: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Run at this Dask scheduler instead.", show_default=False),
    ] = None,
    budget: Annotated[
        int | None,
        typer.Option(min=1, help="Replications at most; without it the study's own.", show_default=False),
    ] = None,
    precision: Annotated[
        float | None,
        typer.Option(
            parser=share,
            metavar="SHARE",
            help="Replicate the winner until its figures are within this, as in 2%, or the budget ends.",
            show_default=False,
        ),
    ] = None,
    form: AsFormat = Format.TABLE,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Save the answer and its picture, for export.", show_default=False),
    ] = None,
    fail_on: FailOns = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show progress.")] = False,
) -> None:
    """Find the cheapest configuration of a study that holds its constraints."""
    how: dict[str, Any] = {"workers": workers, "store": store, "resume": resume, "dask": dask}
    if out is not None:
        sim.Answer.check_folder(out)
    try:
        answer = sim.search(study, budget=budget, precision=precision, progress=verbose or None, **how)
    except KeyboardInterrupt:
        from sim.cli.output import print_error

        kept = f"; what is done is in {store}: go on with --resume" if store else ", and nothing is kept"
        print_error(f"interrupted{kept}")
        raise typer.Exit(INTERRUPTED) from None
    _print(answer, form)
    if out is not None:
        answer.save(out)
    if not answer.document["undecided"]:
        raise typer.Exit(0 if answer.holds else NONE_HOLDS)
    if FailOn.UNDECIDED in (fail_on or ()):
        raise typer.Exit(FAILED)


def _print(answer: "sim.Answer", form: Format) -> None:
    from sim.cli.output import print_json, print_rows, print_warnings

    if form is Format.JSON:
        print_json(answer.document)
    elif form is Format.CSV:
        table = answer.table.astype(object)
        rows = table.where(table.notna(), None).to_numpy().tolist()
        print_rows([dict(zip(table.columns, row, strict=True)) for row in rows], form)
    else:
        _print_tables(answer.document)
    print_warnings(answer.document["warnings"])


def _print_tables(document: Mapping[str, Any]) -> None:
    from sim.cli.output import print_text
    from sim.cli.summary import print_section

    if document["question"]:
        print_text(document["question"])
    entry = document["winner"] or document["nearest_miss"]
    unsure = document["undecided"]
    if document["winner"]:
        title = "Likeliest winner, not surely one" if unsure else "Winner"
    else:
        doubt = " as far as is known" if unsure else ""
        title = f"No configuration holds the constraints{doubt}; the nearest miss"
    print_section(title, ["", ""], [[name, label] for name, label in entry["configuration"].items()])
    print_section("Figures [95 % interval]", ["", "", "limit", "margin", "holds"], list(_figures(entry)))
    for line in entry.get("what_it_would_take", []):
        print_text(f"- {line}")
    print_text("")
    print_text(_sure(document), "bold")
    _print_others(document)
    print_text("")
    if document["winner"] and document["winner"]["promise"]:
        print_text(f"It holds {document['winner']['promise']}.")
    print_text(_looked_at(document))
    for row in document["pruned"]["reasons"][:SHOWN]:
        print_text(f"- {row['configurations']:,} left out: {row['reason']}")
    for line in _excluded(document):
        print_text(f"- {line}")


def _print_others(document: Mapping[str, Any]) -> None:
    """Print the alternatives, the front, and what the answer depends on."""
    from sim.cli.output import print_text
    from sim.cli.summary import print_section, said

    first, second = _axes(document)
    near = document["alternatives"][:SHOWN]
    if near:
        header = ["number", "differs", first, second, "holds"]
        rows = [
            [
                str(row["number"]),
                "; ".join(row["differs"]),
                said(row[first]),
                said(row[second]),
                f"{row['holds_probability']:.1%}",
            ]
            for row in near
        ]
        print_section("Nearly as good [95 % interval]", header, rows)
    factors = list(document["pareto"][0]["configuration"]) if document["pareto"] else []
    rows = [
        [
            *row["configuration"].values(),
            _number(row[first]),
            _number(row[second]),
            f"{row['holds_probability']:.1%}",
        ]
        for row in document["pareto"][:SHOWN]
    ]
    print_section("Pareto front", [*factors, first, second, "holds"], rows)
    if document["screening"]:
        header = ["input", "mean effect", "of the objective", "spread", "from", "to"]
        print_section("Which inputs matter", header, [_effect(row) for row in document["screening"]])
    if document["tipping"]:
        header = ["input", "factor", "95 % interval", "then"]
        print_section("Where it tips over", header, [_tipping(row) for row in document["tipping"]])
    if document["winner"]:
        untold = [line for key, line in NOT_ASKED.items() if not document[key]]
        for line in ["", *untold] if untold else []:
            print_text(line)


def _figures(entry: Mapping[str, Any]) -> Sequence[Sequence[str]]:
    from sim.cli.summary import said

    limited = {told["metric"]: told for told in entry["constraints"]}
    rows = []
    for name, value in entry.items():
        if isinstance(value, dict) and "ci95" in value and name not in limited:
            rows.append([name, said(value), "", "", ""])
    for name, told in limited.items():
        bound = "at least" if "at_least" in told else "at most"
        limit = told.get("at_least", told.get("at_most"))
        if told["probability"] is None:
            margin = "" if told["margin"] is None else f"{told['margin']:+.1%}"
        else:
            margin = f"held in {told['share_held']:.1%} of replications, {told['probability']:.0%} wanted"
        rows.append(
            [name, said(told["figure"]), f"{bound} {limit:g}", margin, f"{entry['holds_probability']:.1%}"]
        )
    return rows


def _sure(document: Mapping[str, Any]) -> str:
    """Return how sure the answer is, and why the search ended."""
    chance = document["probability_of_correct_selection"]
    why = STOPPED[document["stopped_because"]].format(indifference=100 * document["indifference"])
    if not document["winner"] and not document["undecided"]:
        why = "every configuration breaks a constraint"
    among = "" if _saw_all(document) else " Configurations that were not looked at are left out of this."
    least = math.floor(1000 * chance) / 1000  # what is said to be the least is not rounded up
    if document["undecided"] and chance >= document["confidence"]:
        return f"Not sure: {UNCHECKED}.{among}"
    if document["undecided"]:
        return f"Not sure: right with a probability of at least {least:.1%}; {why}.{among}"
    return f"Right with a probability of at least {least:.1%}: {why}.{among}"


def _excluded(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield which configurations were simulated and may not be named, and why."""
    for kind, words in EXCLUDED.items():
        rows = document["excluded"][kind]
        for row in rows[:SHOWN]:
            yield f"{', '.join(row['configuration'].values())}: {words}, {row['reason']}"
        if len(rows) > SHOWN:
            yield f"{len(rows) - SHOWN:,} more {words}"


def _saw_all(document: Mapping[str, Any]) -> bool:
    done = document["evaluated"]
    return bool(done["configurations"] + document["pruned"]["configurations"] >= done["of"])


def _looked_at(document: Mapping[str, Any]) -> str:
    from sim.cli.summary import counted

    done, left_out = document["evaluated"], document["pruned"]["configurations"]
    part = "" if _saw_all(document) else "; the rest was not looked at"
    looked = f"{done['configurations']:,} of {done['of']:,} configurations"
    asked = done["replications_for_insight"]
    more = f" and {asked:,} for what it depends on" if asked else ""
    return (
        f"{counted(done['replications'], 'replication')} of {looked}"
        f" in {counted(done['rounds'], 'round')}{more}; {left_out:,} left out{part}"
    )


def _axes(document: Mapping[str, Any]) -> tuple[str, str]:
    for row in document["pareto"]:
        first, second = (name for name in row if name not in {"configuration", "holds_probability"})
        return first, second
    return document["objectives"][0], ""


def _effect(row: Mapping[str, Any]) -> list[str]:
    return [
        row["input"],
        _number(row["mean_effect"]),
        f"{row['relative']:.1%}",
        _number(row["spread"]),
        row["from"],
        row["to"],
    ]


def _tipping(row: Mapping[str, Any]) -> list[str]:
    if row["factor"] is None:
        return [row["input"], "–", "–", row["then"]]
    low, high = row["ci95"]
    return [row["input"], f"{row['factor']:.3g}x", f"{low:.3g}x to {high:.3g}x", row["then"]]


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.4g}"
