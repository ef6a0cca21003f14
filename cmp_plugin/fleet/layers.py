"""The ordered layers of one service on one cluster -> one block (docs/spec.md, "Layers", "Merge").

In: layers, lowest first, whose paths are canonical. Out: `Merged`, not interpolated yet. Files that
a layer names as values are read here, through the tree; nothing else is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ..errors import InputError, Location
from ..goyaml.load import Node, load_values
from ..specs.interpolate import escaped
from ..specs.merge import Appended, Fields, merge_fields, merge_values, prepared
from ..system.files import FileTree

CHART_FIELDS = ("releaseName", "version", "includeCRDs", "skipTests", "valuesFiles", "values")
NULL_IS_ABSENT = ("values", "valuesFiles", "vars", "patches", "images", "kustomize", "application", "metadata")
APART = ("values", "valuesFiles", "resources", "resources+", "patches", "variants", "when", "apiVersion", "kind")
# In a named patch each of the two is replaced whole and removes the other.
RIVALS = {"patch": "path", "path": "patch"}


class Layer(NamedTuple):
    """One service block on its way up. `name` is for people: `profile prod`, `service web, variant dev`."""

    name: str
    block: Node
    is_default: bool = False


class MergedPatch(NamedTuple):
    """A named patch: its merged fields, and whether only `defaults` mention it."""

    fields: Node
    only_defaults: bool


class Merged(NamedTuple):
    """All layers of a service as one block.

    `fields`: every field that merges like a map; `values`: for the chart, nulls and open `key+`
    included; `resources`: all layers' lists, low first; `patches` in order of first appearance;
    `named`: field -> where a layer that is no default set it; `images` the same for image names.
    """

    fields: Node
    values: Node
    resources: tuple[Node, ...]
    patches: dict[str, MergedPatch]
    named: dict[str, Location]
    images: frozenset[str]


def merge_layers(layers: list[Layer], tree: FileTree) -> Merged:
    """One block out of `layers`, lowest first. InputError: a values file is missing, a bad `key+`."""
    start = Location("")
    fields, values = Node({}, start), Node({}, start)
    resources: list[Node] = []
    patches: dict[str, MergedPatch] = {}
    named: dict[str, Location] = {}
    images: set[str] = set()
    for layer in layers:
        block = layer.block.entries()
        fields = _merge_plain_fields(fields, block)
        values = _merge_layer_values(values, layer.block, tree)
        _add_resources(resources, block)
        _add_patches(patches, layer)
        if not layer.is_default:
            named |= {key: child.start for key, child in block.items() if child.value is not None}
            images |= set(layer.block.entries("images"))
    return Merged(fields, values, tuple(resources), patches, named, frozenset(images))


def merged_fields(layers: Iterable[Layer]) -> Node:
    """The fields of `layers` that merge like a map, as in `Merged.fields`; lowest layer first."""
    fields = Node({}, Location(""))
    for layer in layers:
        if block := layer.block.entries():
            fields = _merge_plain_fields(fields, block)
    return fields


def plain_fields(block: Fields) -> Fields:
    """What a layer says about the fields that merge like a map, nulls that remove something included."""
    return {
        key: child
        for key, child in block.items()
        if key not in APART and not (child.value is None and key in NULL_IS_ABSENT)
    }


def _merge_plain_fields(fields: Node, block: Fields) -> Node:
    plain = plain_fields(block)
    if "chart" in plain:
        fields = Node({key: child for key, child in fields.entries().items() if key != "chart"}, fields.at)
    return merge_fields(fields, prepared(Node(plain, fields.at)))


def values_files(block: Node, tree: FileTree) -> Iterator[Node]:
    """The contents of a layer's values files, lowest first. InputError: one is missing that is not optional (`?`)."""
    for item in block.elements("valuesFiles"):
        path = str(item.value).removesuffix("?")
        if path == item.value or tree.exists(path):
            yield load_values(tree.read(path, item.at), path[1:])


def _merge_layer_values(values: Node, block: Node, tree: FileTree) -> Node:
    """A layer's files in order, then its own values."""
    for content in values_files(block, tree):
        values = merge_values(values, escaped(content))
    own = block.get("values")
    return values if own is None else merge_values(values, prepared(own))


def _add_resources(resources: list[Node], block: Fields) -> None:
    for key in ("resources", "resources+"):
        if key not in block:
            continue
        items = block[key].value
        if items is None:
            resources.clear()
        elif isinstance(items, list):
            known = {item.value for item in resources}
            resources.extend(item for item in items if item.value not in known)


def _add_patches(patches: dict[str, MergedPatch], layer: Layer) -> None:
    for name, patch in layer.block.entries("patches").items():
        if patch.value is None:
            patches.pop(name, None)
            continue
        below = patches.get(name)
        only_defaults = layer.is_default and (below is None or below.only_defaults)
        patches[name] = MergedPatch(_merged_patch(below.fields if below else None, patch), only_defaults)


def _merged_patch(low: Node | None, high: Node) -> Node:
    """`target` and `optional` merge, `patch` is replaced whole; `patch` and `path` remove each other."""
    fields: Fields = {**low.entries()} if low is not None else {}
    for key, rival in RIVALS.items():
        if high.get(key) is not None:
            fields.pop(rival, None)
    for key, child in high.entries().items():
        below = fields.pop(key, None)
        if child.value is not None:
            fields[key] = child if key in RIVALS else merge_fields(below, child)
    return Node(fields, high.at, high.key, low.over if low is not None else ())


def text_field(fields: Node, name: str) -> str:
    """A string field of a merged block, or an empty string."""
    field = fields.get(name)
    if field is None:
        return ""
    if not isinstance(field.value, str):
        raise InputError(f"{name} must be a string, and so must the var that it refers to", field.at)
    return field.value


def is_open(node: Node) -> bool:
    """Whether a list still waits for the chart's own list below it."""
    return isinstance(node, Appended)
