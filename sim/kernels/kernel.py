"""A loop that is compiled once it has been needed so often that compiling pays.

Loading numba and the first kernel takes about half a second, which a short run would not get back; once
that is spent, another kernel takes a hundredth of it. So all kernels of a process are counted together. The
switch changes no result: a kernel and its twin agree to the last bit.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Generic, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

SWITCH = "PACHSIM_COMPILE"


class Patience:
    """What twins have cost more so far than kernels would have; 1 is what it takes to load those."""

    __slots__ = ("spent",)

    def __init__(self) -> None:
        """Start with nothing spent."""
        self.spent = 0.0


SHARED = Patience()


class Kernel(Generic[P, T]):
    """One function of arrays and numbers, and whether it is compiled in this process.

    ``compiled`` is None until it is worth it, then the compiled function; callers use their twin meanwhile.
    """

    def __init__(self, function: Callable[P, T], worth: int, patience: Patience = SHARED) -> None:
        """Compile ``function`` once it has been used ``worth`` times, sooner if others share the patience."""
        self.function = function
        self.compiled: Callable[P, T] | None = None
        self._each = 1 / worth
        self._patience = patience
        self._is_decided = False

    def asked_for(self, uses: int = 1) -> Callable[P, T] | None:
        """Count uses; return the compiled function from the one on that makes it worth compiling."""
        if not self._is_decided:
            patience = self._patience
            patience.spent += uses * self._each
            if patience.spent >= 1:
                self._is_decided = True
                self.compiled = compile_now(self.function)
        return self.compiled


def compile_now(function: Callable[P, T]) -> Callable[P, T] | None:
    """Return the function compiled, None without numba or with PACHSIM_COMPILE=0.

    What was compiled once is kept on disk, where that can be written.
    """
    if os.environ.get(SWITCH) == "0":
        return None
    try:
        import numba
    except ImportError:  # it is not installed, or not for this numpy
        return None
    jit: Any = numba.njit
    try:
        compiled: Callable[P, T] = jit(cache=True)(function)
    except RuntimeError:  # no place to keep it
        compiled = jit(function)
    return compiled
