"""Pachyderm pipeline specs as they are deployed: the user's own document, camelCase, its order kept.

What is written is what ``ReadSpec.canonical`` holds, so a field changes only where it was decided or where
its spelling was not the schema's. Nulls say nothing upstream and are left out, but for resources: there a
null takes a cluster default away.

Source: pachyderm/pachyderm e237475e9910, src/internal/jsonschema/pps_v2/CreatePipelineRequest.schema.json;
src/server/pps/server/defaults.go mergePatch; pachyderm.md §1.3 and §5.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from sim.adapters.pachyderm.spec import RESOURCE_MESSAGES

CONTEXT = 2  # lines around a change, enough to see whose it is


def spec_text(canonical: Mapping[str, Any]) -> str:
    """Return a canonical spec as the JSON file that ``pachctl create pipeline -f`` takes."""
    return json.dumps(without_nulls(canonical), indent=2, ensure_ascii=False) + "\n"


def without_nulls(canonical: Mapping[str, Any]) -> dict[str, Any]:
    """Return a canonical spec without the nulls that say nothing."""
    return {
        key: value if key in RESOURCE_MESSAGES else _plain(value)
        for key, value in canonical.items()
        if value is not None or key in RESOURCE_MESSAGES
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(each) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value


def changed_fields(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """Yield each field that differs, as ``resourceRequests.cpu: 1 -> 2``."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys([*before, *after]):
            below = f"{path}.{key}".lstrip(".")
            if key not in before:
                yield f"{below}: {_short(after[key])} (new)"
            elif key not in after:
                yield f"{below}: {_short(before[key])} (gone)"
            else:
                yield from changed_fields(before[key], after[key], below)
    elif before != after:
        yield f"{path}: {_short(before)} -> {_short(after)}"


def text_diff(before: str, after: str, name: str) -> str:
    """Return what differs between two versions of a file, as ``diff -u`` shows it; empty for nothing."""
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), f"before/{name}", name, n=CONTEXT, lineterm=""
    )
    return "".join(f"{line}\n" for line in lines)


def _short(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
