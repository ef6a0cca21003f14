"""A value that knows where it was written: what every stage between the files and the tools handles."""

from __future__ import annotations

from typing import Any

from ..errors import Location


class Node:
    """One value of a spec with its place.

    `value`: str, int, float, bool, None, list[Node] or dict[str, Node] (in the file's order).
    `at`: where the value starts; `key`: where its key in the parent map starts, if it has one.
    `over`: the nodes of lower layers that this one replaced, nearest first.
    What several aliases stand for is one object in several places: never change a node.
    """

    __slots__ = ("value", "at", "key", "over")

    def __init__(
        self,
        value: str | int | float | bool | None | list[Node] | dict[str, Node],
        at: Location,
        key: Location | None = None,
        over: tuple[Node, ...] = (),
    ) -> None:
        self.value = value
        self.at = at
        self.key = key
        self.over = over


def plain(node: Node) -> Any:
    """The value without places: str, int, float, bool, None, list and dict."""
    value = node.value
    if isinstance(value, dict):
        return {key: plain(child) for key, child in value.items()}
    return [plain(child) for child in value] if isinstance(value, list) else value


def node(value: Any, at: Location) -> Node:
    """A plain value as a tree whose every part is at `at`."""
    if isinstance(value, dict):
        return Node({key: node(child, at) for key, child in value.items()}, at)
    return Node([node(child, at) for child in value] if isinstance(value, list) else value, at)
