"""The recorded runs of the real Cluster Autoscaler 1.31.5, replayed through the engine: every one exact."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.oracle import replay

if TYPE_CHECKING:
    import pytest


def test_every_recorded_world_is_replayed_exactly(shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = shared / "oracle" / "cluster-autoscaler"
    status = replay.main([str(folder), "--diff"])
    assert status == 0, capsys.readouterr().out
