"""Which items of two lists are the same item: Kubernetes' merge keys, where a list has any.

In: the list's field, both lists. Out: a name for each item, or nothing where items have none. The
names are those of strategic merge (k8s.io/api, `patchMergeKey` and `listMapKey`) and what common custom
resources declare as `x-kubernetes-list-map-keys`; an item without one goes by its place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_NAME = (("name",),)
# Field -> which fields of an item name it, several ways in order. `a|b` is whichever is there; a field
# with `=` has that value where it is left out.
_KEYS: dict[str, tuple[tuple[str, ...], ...]] = {
    "ports": (("containerPort", "protocol=TCP"), ("port", "protocol=TCP"), ("name",)),
    "volumeMounts": (("mountPath",),),
    "volumeDevices": (("devicePath",),),
    "hostAliases": (("ip",), ("hostnames",)),
    "topologySpreadConstraints": (("topologyKey", "whenUnsatisfiable"),),
    "conditions": (("type",),),
    "ownerReferences": (("uid",),),
    "addresses": (("type",), ("ip",)),
    "subjects": (("kind", "name"), ("kind", "namespace=", "name")),
    "parentRefs": (("kind=Gateway", "namespace=", "name", "sectionName="),),
    "backendRefs": (("kind=Service", "namespace=", "name", "port="),),
    "destinations": (("name=", "server=", "namespace="),),
    "volumeClaimTemplates": (("metadata.name",),),
    "paths": (("path",), ("path", "pathType=")),
    "tls": (("secretName",),),
}
# For every other list of mappings: what usually names them.
_USUAL = (*_NAME, ("metadata.name",), ("alert|record",), ("key",), ("id",), ("host",), ("secretKey",))


def item_names(field: str, before: Sequence[Any], after: Sequence[Any]) -> tuple[list[str], list[str]] | None:
    """Names of the items of both lists, each once in a list; None where nothing names all of them."""
    if not all(isinstance(item, dict) for item in (*before, *after)):
        return None
    for fields in (*_KEYS.get(field, ()), *_USUAL):
        names = [_names(items, fields) for items in (before, after)]
        if names[0] is not None and names[1] is not None:
            return names[0], names[1]
    return None


def _names(items: Sequence[dict[str, Any]], fields: tuple[str, ...]) -> list[str] | None:
    names = [_name(item, fields) for item in items]
    return names if all(names) and len(set(names)) == len(names) else None


def _name(item: dict[str, Any], fields: tuple[str, ...]) -> str:
    """The item's name, or nothing when one of the fields is missing or no plain value."""
    parts: list[str] = []
    for field in fields:
        names, given, default = field.partition("=")
        value = next((candidate for name in names.split("|") if (candidate := _value(item, name)) is not None), None)
        if value is None and given:
            value = default
        if isinstance(value, bool) or not isinstance(value, str | int):
            return ""
        if value != "":
            parts.append(str(value))
    return parts[0] if len(fields) == 1 and parts else "/".join(part.replace("/", "~1") for part in parts)


def _value(item: Any, name: str) -> Any:
    for key in name.split("."):
        item = item.get(key) if isinstance(item, dict) else None
    return item
