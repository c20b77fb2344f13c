"""The order of arrays against numpy's stable sort."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sim.report.arrays import stable_order

SIZES = st.sampled_from((3, 10**6, 2**60, 2**62))


@given(SIZES.flatmap(lambda size: st.lists(st.integers(-size, size))))
def test_stable_order_is_that_of_numpy(keys: list[int]) -> None:
    array = np.array(keys, np.int64)
    assert stable_order(array).tolist() == np.argsort(array, kind="stable").tolist()
