"""Dask: the workers of a running scheduler, as an executor.

The scheduler runs what was on a worker that died on another one, three times by default
(``distributed.scheduler.allowed-failures``). Workers may come and go while a study runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import CancelledError, Executor
from contextlib import contextmanager
from typing import Any

from sim.errors import InputError, SimError

CONNECT_S = 10


@contextmanager
def dask_executor(address: str) -> Iterator[tuple[Executor, int]]:
    """Give an executor on the scheduler at ``address``, and how many tasks its workers take at once now.

    Raises InputError where there is no scheduler, and SimError when it goes or a task kills its workers.
    """
    try:
        import distributed
    except ImportError as error:
        allowed = "with distributed installed: pip install 'pachsim[dask]'"
        raise InputError("cannot be used", field="dask", allowed=allowed) from error
    connect: Any = distributed.Client  # which has no annotations
    try:
        client = connect(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        allowed = "the address of a running scheduler, such as tcp://127.0.0.1:8786"
        raise InputError(field="dask", value=address, allowed=allowed) from error
    try:
        slots = sum(client.nthreads().values())
        yield client.get_executor(pure=False), max(slots, 1)
    except distributed.KilledWorker as error:
        raise SimError(f"dask {address}: a replication ended its workers time after time: {error}") from error
    except CancelledError as error:
        raise SimError(f"dask {address}: the scheduler is gone; what was finished is kept") from error
    finally:
        client.close()
