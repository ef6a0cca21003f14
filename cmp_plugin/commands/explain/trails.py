"""What each layer says at each path of a service's block, and which of it holds.

In: layers, lowest first, as they are merged. Out: for any path, who made the value and what that went
over. What a layer says where is fleet/layers' to know, as for the merge; here it is asked not what comes
out, but why. Files that a layer names as values are read, through the tree; nothing else is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from ...fleet.layers import NULL_IS_ABSENT, RIVALS, Layer, plain_fields, values_files
from ...goyaml.load import Node
from ...specs.merge import Appended, prepared
from ...system.files import FileTree

Keys = tuple[str, ...]
_LISTS = ("resources", "valuesFiles")  # every layer adds to these


class Statement(NamedTuple):
    """What one layer says at one path.

    `path` may lie above or below the path that was asked for. `does`: `starts` begins anew without
    saying anything itself. `literal`: `${...}` means nothing in it, as in a values file.
    """

    layer: str
    path: Keys
    node: Node
    does: Literal["sets", "appends", "removes", "starts"] = "sets"
    literal: bool = False


class Trail(NamedTuple):
    """What layers say of one value.

    `effective`: what makes the value, highest first: lists that append, and at last what sets or removes.
    `overridden`: everything else that was said there, highest first.
    """

    effective: tuple[Statement, ...]
    overridden: tuple[Statement, ...]

    @property
    def winner(self) -> Statement | None:
        """What sets or removes the value; None when nobody says anything of it."""
        return self.effective[0] if self.effective else None

    @property
    def removed(self) -> bool:
        """Whether the last word was to take the value away."""
        return bool(self.effective) and self.effective[0].does == "removes"


class _Slot:
    __slots__ = ("children", "said")

    def __init__(self) -> None:
        self.said: list[tuple[int, Statement]] = []
        self.children: dict[str, _Slot] = {}


class Origins:
    """Everything that was said, lowest first, findable by path."""

    def __init__(self, statements: Iterable[Statement]) -> None:
        self._root = _Slot()
        for number, statement in enumerate(statements):
            slot = self._root
            for key in statement.path:
                slot = slot.children.setdefault(key, _Slot())
            slot.said.append((number, statement))

    def trail(self, path: Keys) -> Trail:
        """Who made the value at `path`, which is no map with something in it."""
        pairs: list[tuple[int, Statement]] = []
        slot: _Slot | None = self._root
        for key in path:
            assert slot is not None
            # An empty map above takes nothing away.
            pairs.extend(pair for pair in slot.said if pair[1].node.value != {})
            slot = slot.children.get(key)
            if slot is None:
                break
        else:
            assert slot is not None
            pairs.extend(_all(slot))
        return _trail([statement for _, statement in sorted(pairs, key=lambda pair: -pair[0])], len(path))

    def removed(self, below: Keys = ()) -> Iterator[Keys]:
        """Every path at or below `below` that some layer takes away."""
        slot = self._slot(below)
        if slot is not None:
            paths = (statement.path for _, statement in _all(slot) if statement.does == "removes")
            yield from dict.fromkeys(paths)

    def keys(self, path: Keys) -> list[str]:
        """The keys below `path` at which something was said."""
        slot = self._slot(path)
        return [*slot.children] if slot is not None else []

    def _slot(self, path: Keys) -> _Slot | None:
        slot: _Slot | None = self._root
        for key in path:
            slot = slot.children.get(key) if slot is not None else None
        return slot


def _all(slot: _Slot) -> Iterator[tuple[int, Statement]]:
    yield from slot.said
    for child in slot.children.values():
        yield from _all(child)


def _trail(statements: list[Statement], depth: int) -> Trail:
    """`statements` highest first; `depth`: the length of the path that is asked for."""
    holds = list(_holding(statements, depth))
    kept = {id(statement) for statement in holds}
    others = (statement for statement in statements if id(statement) not in kept)
    return Trail(tuple(holds), tuple(statement for statement in others if statement.does != "starts"))


def _holding(statements: list[Statement], depth: int) -> Iterator[Statement]:
    """The last word, and when it appends what it appends to."""
    if statements and len(statements[0].path) > depth:
        yield statements[0]  # an empty map, as everything in it was taken away
        return
    appends = False
    for statement in statements:
        if len(statement.path) > depth:
            continue  # it was part of a map that something above it replaced
        is_base = statement.does in ("sets", "appends") and len(statement.path) == depth
        if statement.does == "starts" or (appends and not is_base):
            return
        yield statement
        appends = statement.does == "appends"
        if not appends:
            return


def said_by(layers: Iterable[Layer], tree: FileTree) -> Iterator[Statement]:
    """What `layers` say, lowest first. InputError: a values file is missing."""
    for layer in layers:
        yield from _said(layer, tree)


def _said(layer: Layer, tree: FileTree) -> Iterator[Statement]:
    plain = plain_fields(layer.block.entries())
    chart = plain.pop("chart", None)
    if chart is not None:
        yield Statement(layer.name, ("chart",), chart, "removes" if chart.value is None else "sets")
    yield from walked(layer.name, (), prepared(Node(plain, layer.block.at))) if plain else ()
    for field in _LISTS:
        for child in (layer.block.entries().get(key) for key in (field, f"{field}+")):
            if child is not None and (child.value is not None or field not in NULL_IS_ABSENT):
                yield Statement(layer.name, (field,), child, "removes" if child.value is None else "appends")
    for name, patch in layer.block.entries("patches").items():
        yield from _patch(layer.name, ("patches", name), patch)
    for content in values_files(layer.block, tree):
        yield from walked(layer.name, ("values",), content, literal=True)
    own = layer.block.get("values")
    if own is not None:
        yield from walked(layer.name, ("values",), prepared(own))


def _patch(layer: str, path: Keys, patch: Node) -> Iterator[Statement]:
    fields = patch.entries()
    if not fields:
        yield Statement(layer, path, patch, "removes" if patch.value is None else "sets")
    for key, rival in RIVALS.items():
        if written := patch.get(key):
            yield Statement(layer, (*path, rival), written, "starts")
    for key, child in fields.items():
        if key in RIVALS:
            yield Statement(layer, (*path, key), child, "removes" if child.value is None else "sets")
        else:
            yield from walked(layer, (*path, key), child)


def walked(layer: str, path: Keys, node: Node, literal: bool = False) -> Iterator[Statement]:
    """What a prepared tree says at its leaves."""
    if isinstance(node, Appended):
        yield Statement(layer, path, node, "appends", literal)
    elif node.value is None:
        yield Statement(layer, path, node, "removes", literal)
    elif node.entries():
        for key, child in node.entries().items():
            yield from walked(layer, (*path, key), child, literal)
    else:
        yield Statement(layer, path, node, "sets", literal)
