"""``pachsim check``: is a scenario valid, and what does it take for granted."""

import sim
from sim.cli.options import AsFormat, Format, ScenarioFile, Set


def check(scenario: ScenarioFile, sets: Set = None, form: AsFormat = Format.TABLE) -> None:
    """Validate a scenario and print its assumptions."""
    from sim.cli.output import print_rows, print_text, print_warnings

    checked = sim.check(scenario, sets or ())
    print_warnings(checked.warnings)
    rows = [{"assumed": a.field, "value": a.value, "source": a.source} for a in checked.assumptions]
    if form is Format.TABLE:
        print_text(f"{scenario}: valid, with {len(rows)} assumptions in force")
    print_rows(rows, form)
