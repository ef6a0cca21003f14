"""The path fields of a service block: found, interpolated, made canonical, checked by name.

In: a block as written and where its file lies. Out: the same block whose paths are canonical
(fleet-relative, leading `/`), so that it can leave its file. Reads nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ..errors import CmpError, Errors, InputError
from ..goyaml.load import Node
from ..system.files import allowed_in, canonical
from .interpolate import Scope, escaped_text, interpolated_text

Change = Callable[[Node], Node]
FRAGMENT_LISTS = ("resources", "components", "crds", "configurations", "generators", "transformers", "validators")
GENERATOR_LISTS = ("files", "envs")


class Place(NamedTuple):
    """Where a block was written: its file's canonical directory, what it may name, its scope."""

    directory: str
    allowed: tuple[str, ...]
    scope: Scope


def is_remote(text: str) -> bool:
    """Whether Kustomize would read this resource as an address and not as a path."""
    return "://" in text or "?ref=" in text or text.startswith(("git@", "github.com/"))


def placed(block: Node, place: Place) -> Node:
    """`block` with canonical paths. Raises Errors: a path outside, an unknown reference."""
    errors: list[CmpError] = []

    def fix(node: Node) -> Node:
        try:
            return _fixed(node, place)
        except CmpError as error:
            errors.append(error)
            return node

    result = _block(block, fix)
    if errors:
        raise Errors(errors)
    return result


def _fixed(node: Node, place: Place) -> Node:
    """One path; a generator's `key=`, and the `?` of an optional values file, stay as they are."""
    if not isinstance(node.value, str) or "\n" in node.value:
        return node
    text = _interpolated(node.value, node, place.scope)
    if is_remote(text):
        return _with(node, text)
    optional = "?" if text.endswith("?") else ""
    path = canonical(text.removesuffix("?"), place.directory, node.at)
    if not allowed_in(path, place.allowed):
        where = ", ".join(directory[1:] + "/" for directory in place.allowed)
        raise InputError(f'"{text}" lies outside of {where}', node.at, "fleet.yaml's `directories` can allow more")
    return _with(node, path + optional)


def _interpolated(text: str, node: Node, scope: Scope) -> str:
    try:
        return interpolated_text(text, node.at, scope)
    except InputError as error:
        seen = "a path sees cluster.* and the vars of fleet, profiles and cluster"
        raise InputError(error.message, error.at, error.hint or seen) from None


def _with(node: Node, value: str) -> Node:
    return type(node)(value, node.at, node.key, node.over)


def _block(block: Node, fix: Change) -> Node:
    changes: dict[str, Change] = {
        "chart": lambda chart: _in_map(chart, {"path": fix}),
        "valuesFiles": lambda files: _in_list(files, fix),
        "resources": lambda resources: _in_list(resources, fix),
        "resources+": lambda resources: _in_list(resources, fix),
        "patches": lambda patches: _in_each(patches, {"path": fix}),
        "kustomize": lambda fragment: _fragment(fragment, fix),
    }
    return _in_map(block, changes)


def _fragment(fragment: Node, fix: Change) -> Node:
    """A fragment is interpolated later on as a whole, so what a path spells out is escaped again."""

    def path(node: Node) -> Node:
        done = fix(node)
        text = done.value
        return _with(done, escaped_text(text)) if isinstance(text, str) and done is not node else done

    def keyed(node: Node) -> Node:
        if not isinstance(node.value, str) or "=" not in node.value:
            return path(node)
        key, _, rest = node.value.partition("=")
        return _with(node, f"{key}={path(_with(node, rest)).value}")

    lists: dict[str, Change] = {name: lambda items: _in_list(items, path) for name in FRAGMENT_LISTS}
    generator = {name: lambda items: _in_list(items, keyed) for name in GENERATOR_LISTS} | {"env": keyed}
    lists["configMapGenerator"] = lists["secretGenerator"] = lambda items: _in_items(items, generator)
    lists["patches"] = lists["replacements"] = lambda items: _in_items(items, {"path": path})
    lists["patchesStrategicMerge"] = lambda items: _in_list(items, path)
    lists["patchesJson6902"] = lambda items: _in_items(items, {"path": path})
    lists["openapi"] = lambda openapi: _in_map(openapi, {"path": path})
    return _in_map(fragment, lists | {f"{name}+": change for name, change in lists.items()})


def _in_map(node: Node, changes: dict[str, Change]) -> Node:
    if not isinstance(node.value, dict):
        return node
    fields = {key: changes[key](child) if key in changes else child for key, child in node.value.items()}
    return type(node)(fields, node.at, node.key, node.over)


def _in_list(node: Node, change: Change) -> Node:
    if not isinstance(node.value, list):
        return node
    return type(node)([change(item) for item in node.value], node.at, node.key, node.over)


def _in_items(node: Node, changes: dict[str, Change]) -> Node:
    return _in_list(node, lambda item: _in_map(item, changes))


def _in_each(node: Node, changes: dict[str, Change]) -> Node:
    if not isinstance(node.value, dict):
        return node
    fields = {key: _in_map(child, changes) for key, child in node.value.items()}
    return type(node)(fields, node.at, node.key, node.over)


def named_paths(block: Node) -> list[Node]:
    """Every local path that a block with canonical paths names, as nodes (`?` and `key=` removed)."""
    found: list[Node] = []

    def note(node: Node) -> Node:
        if isinstance(node.value, str) and "\n" not in node.value and not is_remote(node.value):
            found.append(node)
        return node

    _block(block, note)
    return found
