"""ClusterConfigs as eksctl decodes them: every key known, every value of its Go type.

The file is decoded twice: first strictly but with keys in any case, then as Kubernetes decodes its objects,
with keys in their own case alone. So a key in another case passes and says nothing; it is told here. Null
leaves a key out, and is an empty text in a map or a list of texts. A float without fraction is a whole
number.

Source: eksctl-io/eksctl v0.215.0, pkg/eks/api.go ParseConfig; sigs.k8s.io/yaml v1.6.0, UnmarshalStrict;
k8s.io/apimachinery v0.34.1, pkg/runtime/serializer/json; iam.go, types.go, vpc.go UnmarshalJSON.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from sim.adapters.eksctl.messages import MESSAGES
from sim.documents.fields import Field
from sim.model.notices import Notice

CLUSTER = "ClusterConfig"
HEAD = ("apiVersion", "kind")  # which Kubernetes reads in any case
LENIENT = ("AZSubnetSpec", "IdentityProvider")  # whose own decoders let unknown keys pass
MOST = 2**63 - 1
PROVIDERS = ("oidc",)
ARN_PARTS = 6


class Typed:
    """One ClusterConfig on its way to its types: its value, and what there is to say of it."""

    def __init__(self, field: Field) -> None:
        self.notices: list[Notice] = list(field.document.notices)
        self.field = Field(field.document, field.path, self._message(field, CLUSTER))

    def _message(self, field: Field, message: str) -> dict[str, Any]:
        kinds = MESSAGES[message]
        result: dict[str, Any] = {}
        for key, value in field.mapping().items():
            place = Field(field.document, (*field.path, key), value)
            if kind := kinds.get(key):
                result[key] = self._value(place, kind)
            elif own := _in_other_case(key, kinds):
                other = self._value(place, kinds[own])
                if own in HEAD and message == CLUSTER and own not in field.value:
                    result[own] = other
                    continue
                self.notices.append(place.notice(f"is not read by eksctl, which knows {own}; left out"))
            elif message not in LENIENT:
                raise field.unknown(key, kinds)
        return result

    def _value(self, field: Field, kind: str) -> Any:
        if field.value is None:
            return None
        if kind in SCALARS:
            return SCALARS[kind](field)
        if kind.startswith("["):
            return [self._item(item, kind[1:-1]) for item in field.items()]
        if kind.startswith("{"):
            return {key: self._item(_at(field, key), kind[1:-1]) for key in field.mapping()}
        if kind == "taints":
            as_map = isinstance(field.value, dict)
            return self._value(field, "{text}" if as_map else "[NodeGroupTaint]")
        if kind == "IdentityProvider" and field.mapping().get("type") not in PROVIDERS:
            raise field.error("has no type that eksctl knows", allowed=f"type: {', '.join(PROVIDERS)}")
        return self._message(field, kind)

    def _item(self, field: Field, kind: str) -> Any:
        if field.value is not None or kind == "any":
            return self._value(field, kind)
        if kind == "text":
            return ""
        raise field.error("is null", allowed="a value")


def _in_other_case(key: str, kinds: Mapping[str, str]) -> str:
    return next((own for own in kinds if own.casefold() == key.casefold()), "")


def _at(field: Field, key: str) -> Field:
    return Field(field.document, (*field.path, key), field.value[key])


def _integer(field: Field) -> int:
    value = field.value
    whole = int(value) if isinstance(value, float) and value.is_integer() else value
    if isinstance(whole, bool) or not isinstance(whole, int) or abs(whole) > MOST:
        raise field.error(allowed="a whole number")
    return whole


def _number(field: Field) -> float:
    if isinstance(field.value, bool) or not isinstance(field.value, int | float):
        raise field.error(allowed="a number")
    return field.value


def arn(field: Field) -> str:
    """Return an Amazon resource name: six parts, of which the first is arn."""
    text = field.text()
    if not text.startswith("arn:") or len(text.split(":", ARN_PARTS - 1)) < ARN_PARTS:
        raise field.error(allowed="an ARN such as arn:aws:iam::111122223333:role/name")
    return text


def cidr(field: Field) -> str:
    """Return an address block such as 10.0.0.0/16."""
    text = field.text()
    _, slash, bits = text.partition("/")
    with suppress(ValueError):
        if slash and bits.isascii() and bits.isdigit() and str(int(bits)) == bits:
            ipaddress.ip_network(text, strict=False)
            return text
    raise field.error(allowed="an address block such as 10.0.0.0/16")


SCALARS: Mapping[str, Callable[[Field], Any]] = {
    "text": Field.text,
    "bool": Field.boolean,
    "int": _integer,
    "number": _number,
    "any": lambda field: field.value,
    "arn": arn,
    "cidr": cidr,
}
