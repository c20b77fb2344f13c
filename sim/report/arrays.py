"""Names for the arrays that reports are made of."""

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
