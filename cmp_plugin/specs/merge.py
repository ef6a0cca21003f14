"""How two layers become one: Helm's merge with `key+` and null (docs/spec.md, "Merge").

In: nodes, low and high. Out: new nodes; every leaf keeps its origin and what it overrode.
Pure. Nothing here knows what a service or a cluster is.
"""

from __future__ import annotations

from ..errors import CmpError, Errors, InputError
from ..goyaml.load import Node

Fields = dict[str, Node]


class Appended(Node):
    """`key+`: a list whose base no layer has set so far; the chart's own list or the empty one."""

    __slots__ = ()


def prepared(node: Node) -> Node:
    """`node` with every `key+: [..]` turned into an `Appended` under `key`.

    Lists are left alone, but a `key+` in one of their maps has nothing to append to and is an error;
    so are `key` and `key+` in one map and a `key+` that is not a list. Raises Errors.
    """
    errors: list[CmpError] = []
    result = _prepared(node, errors)
    if errors:
        raise Errors(errors)
    return result


def _prepared(node: Node, errors: list[CmpError]) -> Node:
    if isinstance(node.value, list):
        _refuse_in_list(node, errors)
        return node
    if not isinstance(node.value, dict):
        return node
    fields: Fields = {}
    for key, child in node.value.items():
        if key.endswith("+") and len(key) > 1:
            if key[:-1] in node.value:
                errors.append(InputError(f'"{key[:-1]}" and "{key}" in one map', child.start))
            elif not isinstance(child.value, list):
                errors.append(InputError(f'"{key}" must be a list to append', child.at))
            _refuse_in_list(child, errors)
            fields[key[:-1]] = Appended(child.value, child.at, child.key)
        else:
            fields[key] = _prepared(child, errors)
    return Node(fields, node.at, node.key, node.over)


def _refuse_in_list(node: Node, errors: list[CmpError]) -> None:
    if isinstance(node.value, list):
        for item in node.value:
            _refuse_in_list(item, errors)
    elif isinstance(node.value, dict):
        for key, child in node.value.items():
            if key.endswith("+") and isinstance(child.value, list):
                errors.append(InputError(f'"{key}" inside a list has nothing to append to', child.start))
            _refuse_in_list(child, errors)


def merge_values(low: Node | None, high: Node) -> Node:
    """What Helm makes of `-f low -f high`: maps merge, anything else replaces, null replaces too.

    The rule is Helm's `values.Options.MergeValues`. A null stays in the result, for Helm to act on.
    """
    return _merged(low, high, keep_null=True)


def merge_fields(low: Node | None, high: Node) -> Node:
    """The same outside `values`: null deletes, and a `key+` without a base starts an empty list."""
    return _merged(low, high, keep_null=False)


def _merged(low: Node | None, high: Node, keep_null: bool) -> Node:
    if isinstance(high, Appended):
        return _appended(low, high, keep_null)
    if not isinstance(high.value, dict):
        return high if low is None else Node(high.value, high.at, high.key, (low, *low.over))
    base: Fields = {**low.entries()} if low is not None else {}
    for key, child in high.value.items():
        if child.value is None and not keep_null:
            base.pop(key, None)
        else:
            base[key] = _merged(base.get(key), child, keep_null)
    if low is not None and not isinstance(low.value, dict):
        return Node(base, high.at, high.key, (low, *low.over))
    return Node(base, high.at, high.key, low.over if low is not None else high.over)


def _appended(low: Node | None, high: Appended, keep_null: bool) -> Node:
    assert isinstance(high.value, list)
    if low is None or low.value is None:
        over = () if low is None else (low, *low.over)
        kind = Appended if keep_null else Node
        return kind(high.value, high.at, high.key, over)
    if not isinstance(low.value, list):
        kind_below = "a map" if isinstance(low.value, dict) else "no list"
        raise InputError(f"this appends to a list, but there is {kind_below} below it: {low.at}", high.start)
    kind = Appended if isinstance(low, Appended) else Node
    return kind([*low.value, *high.value], high.at, high.key, (low, *low.over))


def split_appends(values: Node, path: tuple[str, ...] = ()) -> tuple[Node, list[tuple[tuple[str, ...], Node]]]:
    """Values without their open `key+`, and those as (keys, list) in the order of the text."""
    if not isinstance(values.value, dict):
        return values, []
    fields: Fields = {}
    appends: list[tuple[tuple[str, ...], Node]] = []
    for key, child in values.value.items():
        if isinstance(child, Appended):
            appends.append(((*path, key), child))
            continue
        fields[key], below = split_appends(child, (*path, key))
        appends.extend(below)
    return Node(fields, values.at, values.key, values.over), appends
