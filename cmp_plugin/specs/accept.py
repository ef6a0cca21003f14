"""Whether a spec fits its model, without importing the model.

In: a node and a shape out of `accept_table` (generated from `models`). Out: yes or no.
A no is explained by `check`, which asks pydantic. A yes here must be a yes there: a test holds it.
"""

from __future__ import annotations

from typing import Any

from ..goyaml.load import Node


def fits(node: Node, shape: Any, table: dict[str, Any]) -> bool:
    """True when `node` has the form `shape` describes.

    A shape is one of: a scalar's JSON type name or `text` (a string that is not empty); `any`;
    `["ref", name]`; `["enum", values]`; `["reference"]` (one `${...}`); `["either", shapes]`;
    `["least", number]` (an integer); `["list", item, least]`; `["map", value, least]`;
    `["object", {field: shape}, required, groups]`, exactly one of the groups if there are any.
    """
    if isinstance(shape, str):
        return _fits_scalar(node.value, shape)
    form = shape[0]
    if form == "ref":
        return fits(node, table[shape[1]], table)
    if form == "either":
        return any(fits(node, alternative, table) for alternative in shape[1])
    if form == "enum":
        return isinstance(node.value, str) and node.value in shape[1]
    if form == "reference":
        return isinstance(node.value, str) and _is_reference(node.value)
    if form == "least":
        return isinstance(node.value, int) and _fits_scalar(node.value, "integer") and node.value >= shape[1]
    if form == "list":
        return isinstance(node.value, list) and _fits_all(node.value, shape, table)
    if not isinstance(node.value, dict):
        return False
    if form == "map":
        return _fits_all(list(node.value.values()), shape, table)
    return _fits_object(node.value, shape, table)


def _fits_scalar(value: object, shape: str) -> bool:
    if shape == "any":
        return True
    if shape == "boolean":
        return isinstance(value, bool)
    if shape == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if shape == "text":
        return isinstance(value, str) and value != ""
    if shape == "null":
        return value is None
    return isinstance(value, str)


def _is_reference(text: str) -> bool:
    prefix, _, rest = text.partition(".")
    return prefix in ("${cluster", "${vars", "${service") and rest.find("}") == len(rest) - 1 >= 0


def _fits_all(nodes: list[Node], shape: Any, table: dict[str, Any]) -> bool:
    return len(nodes) >= shape[2] and all(fits(node, shape[1], table) for node in nodes)


def _fits_object(fields: dict[str, Node], shape: Any, table: dict[str, Any]) -> bool:
    _, known, required, groups = shape
    if not all(name in fields for name in required):
        return False
    if groups and not any(fields.keys() == set(group) for group in groups):
        return False
    return all(name in known and fits(node, known[name], table) for name, node in fields.items())
