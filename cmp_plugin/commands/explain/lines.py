"""Where a field of an object is written: in a patch, in a file of the service's resources.

In: a patch's bodies, or files of the fleet; the path of a field. Out: the line, as near as it can be told.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from ...errors import CmpError, Location
from ...fleet.service import Patch, Resource
from ...fleet.value_path import Path
from ...goyaml.load import Node, load_documents, plain
from ...render.kustomize.references import directories_of
from ...render.manifest import Identity, identity
from ...system.files import FileTree

_KINDS = ("name", "containerPort", "port", "mountPath", "key", "topologyKey", "type", "ip")


def in_patch(patch: Patch, value: dict[str, Any], path: Path) -> Location:
    """The line of `patch` that is about the field at `path` of the object `value`."""
    places = [place for body in patch.bodies if (place := _in_body(body, value, path)) is not None]
    return places[-1] if places else patch.at


def _in_body(body: Node, value: dict[str, Any], path: Path) -> Location | None:
    if isinstance(body.value, list):
        found = [one for one in body.value if _is_about(str(_text(one, "path")), path)]
        return found[-1].at if found else None
    return nearest_line(body, value, path)


def _is_about(pointer: str, path: Path) -> bool:
    """Whether a JSON pointer leads to the field, to what it lies in, or to something in it."""
    steps = [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]
    return all(step in ("-", str(other)) for step, other in zip(steps, path, strict=False))


def _text(node: Node, key: str) -> Any:
    found = node.value.get(key) if isinstance(node.value, dict) else None
    return found.value if found is not None else None


def nearest_line(node: Node, value: Any, path: Path) -> Location | None:
    """The deepest part of `node` on the way to `path`; None when it holds nothing of it.

    `value` is the object that `path` leads through: items of lists are told apart as there.
    """
    at: Location | None = None
    for step in path:
        inner: Node | None = None
        if isinstance(node.value, dict):
            inner = node.value.get(str(step))
        elif isinstance(node.value, list) and isinstance(step, int) and isinstance(value, list):
            inner = _item(node.value, value[step] if step < len(value) else None)
        if inner is None:
            return at
        value = _inside(value, step)
        node, at = inner, inner.start
    return at


def _inside(value: Any, step: str | int) -> Any:
    try:
        return value[step]
    except (KeyError, IndexError, TypeError):
        return None


def _item(items: list[Node], wanted: Any) -> Node | None:
    """The item that is the same as `wanted`, or has the same name."""
    for item in items:
        found = plain(item)
        if found == wanted:
            return item
        if isinstance(found, dict) and isinstance(wanted, dict):
            shared = [key for key in _KINDS if key in found and key in wanted]
            if shared and found[shared[0]] == wanted[shared[0]]:
                return item
    return None


class Written(NamedTuple):
    """An object as a file has it, the line that is about a field of it, the resource that brings the file."""

    document: Node
    at: Location
    resource: Resource


def in_resources(resources: Iterable[Resource], tree: FileTree, value: dict[str, Any], path: Path) -> Written | None:
    """The one file among the resources that holds the object `value`; None when that is not plain to see."""
    wanted = identity(value)
    found = [(node, one) for one in resources for node in _documents(one, tree) if _same(node, wanted)]
    if len(found) != 1:
        return None
    ((node, resource),) = found
    return Written(node, nearest_line(node, value, path) or node.at, resource)


def _same(node: Node, wanted: Identity) -> bool:
    value = plain(node)
    if not isinstance(value, dict):
        return False
    found = identity(value)
    return (found.group, found.kind, found.name) == (wanted.group, wanted.kind, wanted.name)


def _documents(resource: Resource, tree: FileTree) -> Iterator[Node]:
    for path, at in _files(resource, tree):
        try:
            yield from load_documents(tree.read(path, at), path[1:])
        except CmpError:
            continue  # Kustomize reads more than we do, and it has read it


def _files(resource: Resource, tree: FileTree) -> Iterator[tuple[str, Location]]:
    """The YAML file that a resource is, or all that lie beside a kustomization it leads to."""
    if not tree.is_dir(resource.path):
        yield resource.path, resource.at
        return
    for directory in directories_of(resource.path, tree, resource.at):
        for name in sorted(os.listdir(tree.locate(directory, Location(directory)))):
            if name.endswith((".yaml", ".yml")):
                yield f"{directory}/{name}", Location(directory)
