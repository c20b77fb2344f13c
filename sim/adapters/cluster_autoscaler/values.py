"""Values of flags: what a chart's YAML or a command line says, as Go's flag package reads it.

Source: Go 1.23 flag and strconv (ParseBool, ParseInt); Helm prints YAML values as Go does.
"""

from __future__ import annotations

import math
import re

from sim.adapters.cluster_autoscaler.flags import Takes
from sim.documents.fields import Field
from sim.errors import InputError
from sim.model.units import parse_go_duration

TRUE, FALSE = ("1", "t", "T", "TRUE", "true", "True"), ("0", "f", "F", "FALSE", "false", "False")
_INTEGER = re.compile(r"[-+]?(0|[1-9]\d{0,17})", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\d{1,30}(\.\d{0,30})?|\.\d{1,30})([eE][-+]?\d{1,3})?", re.ASCII)


def canonical(at: Field, takes: Takes, value: object) -> object:
    """Return a flag's value in its own type; durations and texts stay texts."""
    text = _as_helm_prints(value)
    match takes:
        case Takes.BOOL if text in TRUE + FALSE:
            return text in TRUE
        case Takes.INT if _INTEGER.fullmatch(text):
            return int(text)
        case Takes.FLOAT if _FLOAT.fullmatch(text) and math.isfinite(float(text)):
            return float(text)
        case Takes.DURATION if _is_duration(text):
            return text
        case Takes.TEXT | Takes.MANY:
            return text
    raise at.error(allowed=takes.value)


def _as_helm_prints(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _is_duration(text: str) -> bool:
    try:
        parse_go_duration(text)
    except InputError:
        return False
    return True
