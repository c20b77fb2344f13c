"""Insight: what the answer depends on; which inputs matter, and where it tips over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Insight:
    """What was found out about an answer; empty where the budget left nothing for it."""

    screening: tuple[dict[str, Any], ...] = ()
    tipping: tuple[dict[str, Any], ...] = ()

    def document(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {"screening": list(self.screening), "tipping": list(self.tipping)}
