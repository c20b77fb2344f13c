"""The clock keeps SimPy's promises: time order, order within an instant, processes, half-open horizons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from sim.engine.clock import Call, Clock, Phase

if TYPE_CHECKING:
    from simpy.events import ProcessGenerator


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(Phase)), max_size=40))
def test_calls_come_by_instant_then_phase_then_order_of_scheduling(
    due: list[tuple[int, Phase]],
) -> None:
    clock = Clock()
    seen: list[int] = []
    for number, (time_us, phase) in enumerate(due):
        if number % 2:
            clock.at(time_us, phase, lambda call: seen.append(call.argument), number)
        else:
            clock.call_at(time_us, phase, seen.append, number)
    clock.run_until(6)
    assert seen == sorted(range(len(due)), key=lambda number: (*due[number], number))


def test_the_horizon_is_half_open_and_a_later_run_goes_on_from_it() -> None:
    clock = Clock()
    seen: list[int] = []
    for time_us in (9, 10, 11):
        clock.at(time_us, Phase.LOOK, lambda call: seen.append(clock.now_us + call.argument), 0)
    clock.run_until(10)
    assert (seen, clock.now_us) == ([9], 10)
    clock.run_until(12)
    assert (seen, clock.now_us) == ([9, 10, 11], 12)


def test_a_cancelled_call_does_nothing_and_what_a_call_schedules_for_now_still_runs() -> None:
    clock = Clock()
    seen: list[str] = []
    clock.at(1, Phase.LOOK, lambda call: seen.append(call.argument), "never").cancel()

    def first(call: Call[str]) -> None:
        seen.append(call.argument)
        clock.at(1, Phase.BACKGROUND, lambda later: seen.append(later.argument), "an earlier phase, at once")

    clock.at(1, Phase.LOOK, first, "first")
    clock.at(1, Phase.LOOK, lambda call: seen.append(call.argument), "second")
    clock.run_until(2)
    assert seen == ["first", "an earlier phase, at once", "second"]


def test_simpy_processes_run_on_it_in_step_with_calls() -> None:
    clock = Clock()
    seen: list[tuple[int, str]] = []

    def process() -> ProcessGenerator:
        for _ in range(3):
            yield clock.timeout(2)
            seen.append((clock.now_us, "process"))

    clock.process(process())
    for time_us in (1, 3, 5):
        clock.at(time_us, Phase.LOOK, lambda _: seen.append((clock.now_us, "call")), None)
    clock.run_until(10)
    assert seen == [(1, "call"), (2, "process"), (3, "call"), (4, "process"), (5, "call"), (6, "process")]
