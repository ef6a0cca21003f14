"""Which part of a patch, or of a file that holds an object, is about a field of it.

In: a patch as written, the object as it came out, the path of a field. Out: nodes, whose positions are the lines to
show. Nothing is applied here: what a patch really did is for a render to tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...fleet.service import Patch
from ...goyaml.node import Node, plain, pointer_steps

# By what the items of an object's lists are told apart, the most telling first: near enough to Kubernetes' merge keys.
_ITEM_KEYS = ("name", "containerPort", "port", "mountPath", "key", "topologyKey", "type", "ip")


def part_of_patch(patch: Patch, value: dict[str, Any], path: Sequence[str | int], exact: bool = False) -> Node | None:
    """The last part of `patch` that is about the field at `path` of the object `value`.

    That is an operation of JSON6902, or the deepest node of a strategic merge on the way to the field. `exact`: only
    what gives the field its value, an operation with one at the field or above it, or the node of the field itself.
    """
    part: Node | None = None
    for body in patch.bodies:
        if patch.is_json6902:
            for operation in body.elements():
                if _is_about(operation, path, exact):
                    part = operation
        else:
            node, steps = nearest(body, value, path)
            if steps == len(path) or (steps and not exact):
                part = node
    return part


def _is_about(operation: Node, path: Sequence[str | int], exact: bool) -> bool:
    """Whether an operation's pointer leads to the field or above it, or (unless `exact`) into it."""
    pointer = operation.entries().get("path")
    steps = pointer_steps(str(pointer.value) if pointer is not None else "")
    if exact and (pointer is None or "value" not in operation.entries() or len(steps) > len(path)):
        return False
    return all(step in ("-", str(wanted)) for step, wanted in zip(steps, path, strict=False))


def nearest(node: Node, value: Any, path: Sequence[str | int]) -> tuple[Node, int]:
    """The deepest part of `node` on the way to `path`, and how many steps of it lead there.

    `value` is the object that `path` leads through: items of lists are told apart as there.
    """
    for count, step in enumerate(path):
        inner = node.entries().get(str(step))
        if isinstance(step, int) and isinstance(value, list):
            inner = _item(node.elements(), value[step] if step < len(value) else None)
        if inner is None:
            return node, count
        value = _inside(value, step)
        node = inner
    return node, len(path)


def _inside(value: Any, step: str | int) -> Any:
    try:
        return value[step]
    except (KeyError, IndexError, TypeError):
        return None


def _item(items: list[Node], wanted: Any) -> Node | None:
    """The item that is the same as `wanted`, or has the same name."""
    for item in items:
        content = plain(item)
        if content == wanted:
            return item
        if isinstance(content, dict) and isinstance(wanted, dict):
            shared = [key for key in _ITEM_KEYS if key in content and key in wanted]
            if shared and content[shared[0]] == wanted[shared[0]]:
                return item
    return None
