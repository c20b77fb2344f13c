"""open_study: a store as data frames, also while a search still writes it.

Every frame is read when it is asked for, so a notebook sees the study grow. Figures are those of ``metrics``
in ``docs/json.md``, NaN where there was nothing to measure. Reading takes nothing from who writes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sim.report.save import numbers
from sim.report.summary import t_quantile
from sim.study import store_file

if TYPE_CHECKING:
    import pandas as pd

WHAT = ("round", "configuration", "seed", "replication", "finished")


class OpenStudy:
    """A store that is looked at; ``about`` says of which study, and of which versions."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        with store_file.read_only(self.path) as rows:
            self.about = store_file.about(rows, self.path)

    @property
    def replications(self) -> pd.DataFrame:
        """A row per finished replication, in the order they ended: which, when, and its figures."""
        import pandas as pd

        with store_file.read_only(self.path) as rows:
            found = list(store_file.rows(rows, self.path, "ORDER BY rowid"))
        frame = pd.DataFrame(found, columns=list(WHAT))
        frame["finished"] = pd.to_datetime(frame["finished"], utc=True)
        figures = pd.DataFrame([numbers(json.loads(row["metrics"]))["metrics"] for row in found], dtype=float)
        return pd.concat([frame, figures], axis=1)

    @property
    def configurations(self) -> pd.DataFrame:
        """A row per configuration: the values it sets, its replications, and the means of their figures."""
        import pandas as pd

        groups = self.replications.drop(columns=["round", "seed", "finished"]).groupby("configuration")
        means = groups.mean().drop(columns="replication")
        means.insert(0, "replications", groups.size())
        return pd.DataFrame(map(_choices, means.index), index=means.index).join(means)

    @property
    def half_widths(self) -> pd.DataFrame:
        """A row per configuration: half of Student's 95 % interval of each mean, NaN for one replication."""
        groups = self.replications.drop(columns=[*WHAT[2:], "round"]).groupby("configuration")
        counts = groups.count().to_numpy(dtype=int)
        t = np.array([np.nan, np.nan, *(t_quantile(n - 1) for n in range(2, counts.max(initial=1) + 1))])
        return groups.std().mul(t[counts] / np.sqrt(np.maximum(counts, 1)))

    @property
    def rounds(self) -> pd.DataFrame:
        """A row per round: its replications, their configurations, and when the first and the last ended."""
        return self.replications.groupby("round").agg(
            replications=("replication", "size"),
            configurations=("configuration", "nunique"),
            first_finished=("finished", "min"),
            last_finished=("finished", "max"),
        )


def open_study(path: str | Path) -> OpenStudy:
    """Return the study in a store, to be looked at while it runs or later.

    Raises InputError for a file that is no store.
    """
    return OpenStudy(path)


def _choices(configuration: str) -> dict[str, str]:
    """Return the values that a configuration sets, by path."""
    return dict(line.split("=", 1) for line in configuration.splitlines() if "=" in line)
