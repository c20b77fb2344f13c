"""Packing lists of pods onto nodes, one pod after the other: the rule, for numba or as it stands.

A list holds either pods that wait, each for itself, or the pods of a node that may go, which must all find
room elsewhere. A pod goes back to the node where it was last time, if it still fits, or to the next node,
round the list of nodes, that takes it. Room only shrinks while lists are packed, so for each class a node
that was too full once is passed over from then on.

``sim.decisions.cluster_autoscaler.packing`` prepares the arguments and says where the rule comes from.
"""

from __future__ import annotations

from typing import Any

from sim.kernels.kernel import Kernel

Numbers = Any  # a list of ints, or an array of them: the loop reads and writes both alike
Rows = Any  # a list of lists, or an array of two dimensions

NONE, STAYS = -1, -2  # in place of a pod: there is none, and there will be no list either


def pack(  # noqa: C901, PLR0912, PLR0915, PLR0917  # numba compiles one loop, and takes no keywords
    rows: Numbers,
    lists: Numbers,
    first: Numbers,
    last: Numbers,
    following: Numbers,
    hints: Numbers,
    placed: Numbers,
    moved: Numbers,
    room: Numbers,
    need: Numbers,
    take: Numbers,
    wanted: Numbers,
    is_open: Numbers,
    turns: Numbers,
    untried: Numbers,
    ahead: Rows,
    pointer: int,
    most: int,
    whole: bool,
) -> tuple[int, int, bool]:
    """Place the pods of the lists; write where in ``hints``, and that it is so in ``placed``.

    Parameters
    ----------
    rows
        The class of each pod: a row of ``need``, ``take``, ``wanted`` and ``ahead``.
    lists
        The places whose pods are to move, in this order; for pods that wait, one behind all others.
    first, last, following
        The pods of each place, chained by pod; ``NONE`` ends a chain. ``last`` is ``STAYS`` where there is no
        list that is still to move: pods that are moved to such a place need no chain.
    hints
        Where each pod was last time, -1: unknown.
    placed
        Set where a hint has proved right, or was found; also if the list was then given up.
    moved
        Set for each list: how many pods it moved, -1: one found no room. Behind ``most`` lists that
        could move nothing is written.
    room, need, take, wanted
        Resources side by side in one number, each below a guard: a bit that is set in ``room``. A place has
        room if all bits ``wanted`` are set in what it has less what a class needs.
    is_open
        Whether pods may go to a place; that of a list is closed while it is moved, and stays so if it is.
    turns
        Where the list of nodes begins, from one search behind a placement to the next; the last one lasts.
    untried
        For each place the first from there on that may have room, in the end the number of places.
    ahead
        Space for the same by class. It moves on, and starts afresh when room was given back.
    pointer
        Where the next search starts in the list of nodes.
    most
        How many lists may move.
    whole
        Whether a list moves only if all its pods do; otherwise, once a pod has found no node, those of
        its class are not tried.

    Returns
    -------
    tuple
        The pointer, the last turn used, and whether something was placed since.
    """
    places = len(room)
    refused = [False for _ in range(len(need))]
    searched = [False for _ in range(len(need))]
    turn, drawn, behind = turns[0], 0, True
    done = 0
    for nth in range(len(lists)):
        if done >= most:
            break
        home = lists[nth]
        was_open, is_open[home] = is_open[home], False
        count, chained = 0, False
        pod = first[home]
        while pod >= 0:
            row = rows[pod]
            place = -1
            if not refused[row]:
                hint = hints[pod]
                if hint >= 0 and (room[hint] - need[row]) & wanted[row] == wanted[row]:
                    placed[pod] = True
                    if is_open[hint]:
                        place = hint
                if place < 0:
                    if behind and drawn < len(turns):
                        turn = turns[drawn]
                        drawn += 1
                        behind = False
                    start = (pointer + turn) % places
                    steps = ahead[row]
                    if not searched[row]:
                        steps[:] = untried
                        searched[row] = True
                    at, round_the_end = start, False
                    while True:
                        while steps[at] != at:
                            steps[at] = steps[steps[at]]
                            at = steps[at]
                        if round_the_end and at >= start:
                            break
                        if at == places:
                            round_the_end, at = True, 0
                        elif is_open[at] and (room[at] - need[row]) & wanted[row] == wanted[row]:
                            place = at
                            break
                        else:
                            steps[at] = at + 1
                            at += 1
                    if place >= 0:
                        hints[pod] = place
                        placed[pod] = True
                        pointer = (place - turn + 1) % places
            if place >= 0:
                room[place] -= take[row]
                behind = True
                count += 1
                chained = chained or last[place] != STAYS
            elif whole:
                break
            else:
                refused[row] = True
            pod = following[pod]
        last[home] = STAYS
        if whole and pod >= 0:  # the list stays where it is
            moved[nth] = -1
            is_open[home] = was_open
            other = first[home]
            while other != pod:
                room[hints[other]] += take[rows[other]]
                other = following[other]
            for row in range(len(searched)):
                searched[row] = False
            continue
        moved[nth] = count
        done += 1
        if chained:  # some of the pods are now on nodes that are to move as well
            pod = first[home]
            while pod >= 0:
                after, place = following[pod], hints[pod]
                following[pod] = NONE
                if last[place] == NONE:
                    first[place] = pod
                elif last[place] >= 0:
                    following[last[place]] = pod
                if last[place] != STAYS:
                    last[place] = pod
                pod = after
    return pointer, turn, behind


PACK = Kernel(pack, worth=1_000)
