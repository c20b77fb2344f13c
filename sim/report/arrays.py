"""Names for the arrays that reports are made of, and how they are put in order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Int = NDArray[np.int64]
"""Instants and spans in microseconds, or indices into other arrays."""
Small = NDArray[np.int32]
"""Rows of pods, nodes, tasks; -1 for none."""
Code = NDArray[np.int8]
"""Values of an enum; -1 for none yet."""
Flag = NDArray[np.bool_]
Float = NDArray[np.float64]


def stable_order(keys: Int | Small) -> Int:
    """Return what ``np.argsort(keys, kind="stable")`` returns, in a third of the time.

    Key and row are sorted as one number, for which numpy uses vector instructions.

    >>> stable_order(np.array([3, -1, 3, -1])).tolist()
    [1, 3, 0, 2]
    """
    bits = len(keys).bit_length()
    if np.abs(keys).max(initial=0) >= 1 << (63 - bits):
        return np.argsort(keys, kind="stable")
    order: Int = (keys.astype(np.int64) << bits) | np.arange(len(keys))
    order.sort()
    order &= (1 << bits) - 1
    return order
