"""The merged block of a service as one tree, and how a path leads through it.

In: merged layers, perhaps the chart's own values. Out: nodes by path; or what was perhaps meant by a path
that leads nowhere. Pure. Nothing here knows which layer a value is from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ..errors import Location, nearest
from ..goyaml.load import Node
from ..specs.merge import merge_values
from .layers import Layer, Merged
from .value_path import Path, step_into, written

Keys = tuple[str, ...]


class Found(NamedTuple):
    """Where a path leads: the keys of a value, the value, and what of the path lies inside of it."""

    keys: Keys
    node: Node
    rest: Path = ()


def block_tree(merged: Merged, layers: Iterable[Layer]) -> Node:
    """Every field of a block, not interpolated, as it counts in the end; `vars` are the service's own."""
    at = merged.fields.at
    fields = {**merged.fields.entries()}
    files = [item for layer in layers for item in layer.block.elements("valuesFiles")]
    patches = {name: patch.fields for name, patch in merged.patches.items()}
    for name, items in (("resources", list(merged.resources)), ("valuesFiles", files)):
        if items:
            fields[name] = Node(items, items[0].at)
    if merged.values.value:
        fields["values"] = merged.values
    if patches:
        fields["patches"] = Node(patches, at)
    return Node(fields, at)


def over_defaults(block: Node, defaults: Node) -> Node:
    """The block with the chart's own values below the service's."""
    fields = block.entries()
    merged = merge_values(defaults, fields.get("values", Node({}, Location(""))))
    return Node({**fields, "values": merged} if merged.value else fields, block.at)


def is_whole(keys: Keys) -> bool:
    """Whether what stands there is one value even when it is a map: higher layers replace it whole."""
    return keys == ("chart",) or (len(keys) == 3 and keys[0] == "patches" and keys[2] == "patch")


def leaves(node: Node, keys: Keys = ()) -> Iterator[tuple[Keys, Node]]:
    """Every value below the top with its keys: what is no map, or an empty or a whole one."""
    fields = {} if is_whole(keys) else node.entries()
    for key, child in fields.items():
        yield from leaves(child, (*keys, key))
    if not fields and keys:
        yield keys, node


def find(tree: Node, path: Path) -> Found | None:
    """Where `path` leads, at most to a value that is no map; None when it leads out of the tree."""
    node, keys = tree, Keys()
    while path and node.entries() and not is_whole(keys):
        step = step_into(node.value, path)
        if step is None:
            return None
        keys, node, path = (*keys, str(step.step)), step.found, step.rest
    return Found(keys, node, path) if not path or node.value not in (None, {}, []) else None


def inside(node: Node, path: Path) -> tuple[Path, Node, Path]:
    """As far as `path` leads into a value: the steps as they are, what is there, what is left."""
    steps: Path = ()
    while path and (step := step_into(node.value, path)):
        steps, node, path = (*steps, step.step), step.found, step.rest
    return steps, node, path


def meant(tree: Node, path: Path) -> Keys:
    """The path that was perhaps meant by one that is nowhere, or none."""
    text = written(path)
    known = {written(keys): keys for keys in _paths(tree)}
    ends = [candidate for candidate in known if candidate.endswith(f".{text}")]
    if ends:
        return known[min(ends, key=len)]
    return _namesake(tree, path) or _neighbour(tree, path) or known.get(nearest(text, known), ())


def _namesake(tree: Node, path: Path) -> Keys:
    """For a single key the path that ends in the nearest one, wherever that is; the shortest of several."""
    inner = path[1:] if path[0] == "values" else path
    if len(inner) != 1:
        return ()
    ends: dict[str, Keys] = {}
    for keys in sorted(_paths(tree), key=len):
        if inner is path or (keys[0] == "values" and len(keys) > 1):
            ends.setdefault(keys[-1], keys)
    return ends.get(nearest(str(inner[0]), ends), ())


def _paths(node: Node, keys: Keys = ()) -> Iterator[Keys]:
    """Every path of the tree but its top."""
    if keys:
        yield keys
    for key, child in ({} if is_whole(keys) else node.entries()).items():
        yield from _paths(child, (*keys, key))


def _neighbour(tree: Node, path: Path) -> Keys:
    """The path with the key that is nearest to the one where it leaves the tree, up to there."""
    ways = [inside(tree, path), inside(tree, ("values", *path))]
    for steps, node, rest in sorted(ways, key=lambda way: len(way[2])):
        word = nearest(str(rest[0]), node.entries())
        if word:
            return (*map(str, steps), word)
    return ()
