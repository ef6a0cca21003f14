"""A value that knows where it was written: what every stage between the files and the tools handles.

In: what the readers of this package build. Out: `Node` and the ways to walk it; whoever needs a field, an item or
a path of a node asks here. A node knows YAML's types and nothing of any spec, and is never changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import Location

if TYPE_CHECKING:
    Value = str | int | float | bool | None | list["Node"] | dict[str, "Node"]


class Node:
    """One value of a spec with its position.

    `value`: str, int, float, bool, None, list[Node] or dict[str, Node] (in the file's order).
    `at`: where the value starts; `key`: where its key in the parent map starts, if it has one.
    `over`: the nodes of lower layers that this one replaced, nearest first.
    What several aliases stand for is one object at several positions: never change a node, nor what a method returns.

    `get`, `entries`, `elements` and `text` take the keys that lead from this node to the one they are about; without
    a key that is this node. On that way a null counts as absent, as everywhere in a spec.
    """

    __slots__ = ("at", "key", "over", "value")

    def __init__(
        self,
        value: Value,
        at: Location,
        key: Location | None = None,
        over: tuple[Node, ...] = (),
    ) -> None:
        self.value = value
        self.at = at
        self.key = key
        self.over = over

    @property
    def start(self) -> Location:
        """Where the entry starts: at its key, and without one at the value."""
        return self.key or self.at

    def get(self, *keys: str) -> Node | None:
        """The node below these keys; None when there is none or it is null."""
        node = self
        for key in keys:
            child = node.value.get(key) if isinstance(node.value, dict) else None
            if child is None or child.value is None:
                return None
            node = child
        return node

    def entries(self, *keys: str) -> dict[str, Node]:
        """The entries of the map below these keys, null ones too; empty when there is no map."""
        value = self._below(keys) if keys else self.value
        return value if isinstance(value, dict) else {}

    def elements(self, *keys: str) -> list[Node]:
        """The items of the list below these keys; empty when there is no list."""
        value = self._below(keys) if keys else self.value
        return value if isinstance(value, list) else []

    def text(self, *keys: str) -> str | None:
        """The string below these keys; None when there is no string."""
        value = self._below(keys) if keys else self.value
        return value if isinstance(value, str) else None

    def as_text(self, *keys: str) -> str:
        """The value below these keys as Python writes it, for what people may write with quotes or without, such as a
        version; empty when there is none.
        """
        value = self._below(keys)
        return "" if value is None else str(value)

    def _below(self, keys: tuple[str, ...]) -> Value:
        value = self.value
        for key in keys:
            child = value.get(key) if isinstance(value, dict) else None
            value = child.value if child is not None else None
        return value

    def find(self, path: Sequence[str | int]) -> Node | None:
        """The node at exactly this path of keys and positions in lists, also a null; None when it leads nowhere."""
        node = self
        for step in path:
            value = node.value
            if isinstance(step, str) and isinstance(value, dict) and step in value:
                node = value[step]
            elif isinstance(step, int) and isinstance(value, list) and 0 <= step < len(value):
                node = value[step]
            else:
                return None
        return node

    def select(self, pattern: Sequence[str], any_case: bool = False) -> Iterator[Node]:
        """Every node, nulls too, that a pattern of keys leads to; `*` is each item of a list or each value of a map.

        `any_case`: keys in capitals match as well, the pattern being in small letters: Go's decoders do not care.
        """
        if not pattern:
            yield self
        elif pattern[0] == "*":
            for child in self.children():
                yield from child.select(pattern[1:], any_case)
        else:
            for key, child in self.entries().items():
                if key == pattern[0] or (any_case and key.lower() == pattern[0]):
                    yield from child.select(pattern[1:], any_case)

    def children(self) -> Iterable[Node]:
        """The values of a map or the items of a list, in the file's order; empty for everything else."""
        if isinstance(self.value, dict):
            return self.value.values()
        return self.value if isinstance(self.value, list) else ()

    def strings(self) -> list[Node]:
        """Every node of the tree that is a string, in the file's order; the keys of maps do not count."""
        strings: list[Node] = []
        pending = [self]
        while pending:
            node = pending.pop()
            if isinstance(node.value, str):
                strings.append(node)
            elif isinstance(node.value, dict):
                pending.extend(reversed(node.value.values()))
            elif isinstance(node.value, list):
                pending.extend(reversed(node.value))
        return strings

    def with_value(self, value: Value) -> Node:
        """A node of the same kind and position, that replaced the same ones, with another value."""
        return type(self)(value, self.at, self.key, self.over)

    def with_strings(self, change: Callable[[Node], Node]) -> Node:
        """The same tree with `change` made to the node of every string; the keys of maps stay."""
        value = self.value
        if isinstance(value, str):
            return change(self)
        if isinstance(value, dict):
            return self.with_value({key: child.with_strings(change) for key, child in value.items()})
        if isinstance(value, list):
            return self.with_value([child.with_strings(change) for child in value])
        return self

    def with_selected(self, pattern: Sequence[str], change: Callable[[Node], Node]) -> Node:
        """The same tree with `change` made to every node that `select` gives for the pattern."""
        if not pattern:
            return change(self)
        value, rest = self.value, pattern[1:]
        if pattern[0] != "*":
            child = value.get(pattern[0]) if isinstance(value, dict) else None
            if child is None:
                return self
            return self.with_value({**self.entries(), pattern[0]: child.with_selected(rest, change)})
        if isinstance(value, list):
            return self.with_value([child.with_selected(rest, change) for child in value])
        if isinstance(value, dict):
            return self.with_value({key: child.with_selected(rest, change) for key, child in value.items()})
        return self


def plain(node: Node) -> Any:
    """The value without positions: str, int, float, bool, None, list and dict."""
    value = node.value
    if isinstance(value, dict):
        return {key: plain(child) for key, child in value.items()}
    return [plain(child) for child in value] if isinstance(value, list) else value


def node(value: Any, at: Location) -> Node:
    """A plain value as a tree whose every part is at `at`."""
    if isinstance(value, dict):
        return Node({key: node(child, at) for key, child in value.items()}, at)
    return Node([node(child, at) for child in value] if isinstance(value, list) else value, at)


def pointer_steps(pointer: str) -> list[str]:
    """The keys and positions of a JSON pointer (RFC 6901), positions as text; none for the empty one."""
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
