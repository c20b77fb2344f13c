"""The banks of what the real parsers say, run: our verdict on each file against eksctl's and pachctl's.

``python tests/oracle/formats.py DIR [--verbose] [--category NAME]`` reads each ``*-cases.jsonl`` of DIR and
prints per bank how many agree, how many we refuse that the program takes (too strict), and the other way
round (too lax); ``--verbose`` names each disagreement, and why where it is deliberate (``DELIBERATE``, told
in docs/conformance.md). The last line counts over all banks.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sim.adapters.eksctl.read import read_cluster_text
from sim.adapters.pachyderm.spec import read_specs_text
from sim.errors import InputError

ACCEPTED, REFUSED = "accepted", "refused"
READERS: Mapping[str, Callable[[str], object]] = {"eksctl": read_cluster_text, "pachctl": read_specs_text}
ENDING = "-cases.jsonl"

# Disagreements that are meant: by bank, a form of what the stricter side says, and why it is so.
DELIBERATE: Mapping[str, Mapping[str, str]] = {
    "pachctl": {
        r"unknown key \w+": "fields of Pachyderm 1.x are read, translated or dropped, and said",
        r"input is missing": "a pipeline without input has no jobs, so that there is nothing to simulate",
        r"divide by zero": "an empty datumSetSpec makes every worker of the pipeline crash at its first job",
        r"is -\d+; allowed: 0 or more|not neg|quantity from|has a neg|cpu from 0 to|Infinity|NaN": (
            "negative amounts, and amounts no machine has, cannot be simulated"
        ),
        r"a constant of at most": "more workers of one pipeline than Kubernetes is built for",
        r"allowed: (EMPTY|ALL_EFFECTS|UNKNOWN)": "a number that is no value of an enum says nothing",
    },
    "eksctl": {
        r"a Kubernetes version that EKS no longer offers": "clusters of older Kubernetes minors are read",
        r"has sizes min|is -\d+; allowed: \d or more|volumeSize is 0": (
            "sizes that contradict each other, negative ones and volumes of no size are refused by AWS itself"
        ),
        r"has the size \d+": "more nodes of one group than Kubernetes is built for",
        r"has the volumeType": "volume types that AWS does not have have no price",
        r"of another profile": "two Fargate profiles of one name are refused by AWS itself",
        r"at most 5 \(AWS\)": "selectors and labels beyond AWS's limits are refused by AWS itself",
        r"selects Neuron devices": "no table here counts Neuron devices, so that nothing could be selected",
    },
}


@dataclass(frozen=True, slots=True)
class Judged:
    """One case of a bank: what the program says of a file, why, and what we say."""

    id: str
    category: str
    verdict: str
    reason: str
    ours: str
    message: str

    @property
    def why(self) -> str:
        """Return why the verdicts are meant to differ, empty where they are not, or do not."""
        bank = "pachctl" if self.id.startswith("pach-") else "eksctl"
        told = self.message if self.ours == REFUSED else self.reason
        reasons = (why for form, why in DELIBERATE[bank].items() if re.search(form, told))
        return "" if self.agrees else next(reasons, "")

    @property
    def agrees(self) -> bool:
        """Say whether both verdicts are the same."""
        return self.ours == self.verdict


def judged(bank: Path) -> Iterator[Judged]:
    """Yield the cases of a bank, named after the program, with our verdict."""
    reader = READERS[bank.name.removesuffix(ENDING)]
    for line in bank.read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        message = refusal(reader, case["input"])
        ours = REFUSED if message else ACCEPTED
        yield Judged(case["id"], case["category"], case["verdict"], case["reason"], ours, message)


def refusal(reader: Callable[[str], object], text: str) -> str:
    """Return why we refuse a file, empty where we take it."""
    try:
        reader(text)
    except InputError as error:
        return str(error)
    return ""


def main() -> None:
    """Run the banks of a folder and print the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--verbose", action="store_true", help="name each disagreement")
    parser.add_argument("--category", help="only this one")
    said = parser.parse_args()
    agree = total = 0
    for bank in sorted(said.folder.glob(f"*{ENDING}")):
        cases = [case for case in judged(bank) if said.category in (None, case.category)]
        apart = [case for case in cases if not case.agrees]
        strict = sum(case.ours == REFUSED for case in apart)
        print(f"{bank.name.removesuffix(ENDING)}: {len(cases) - len(apart)}/{len(cases)} agree", end=" ")
        meant = sum(bool(case.why) for case in apart)
        print(f"({strict} too strict, {len(apart) - strict} too lax; {meant} of them deliberate)")
        for case in apart if said.verbose else ():
            print(f"  {case.id} {case.verdict}: {case.reason or '-'}; ours: {case.message or case.ours}")
            if case.why:
                print(f"    deliberate: {case.why}")
        agree, total = agree + len(cases) - len(apart), total + len(cases)
    print(f"{agree}/{total} agree")


if __name__ == "__main__":
    main()
