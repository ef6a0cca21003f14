"""Where a field of an object is written in a file of the service's resources.

In: resources of the fleet, an object, the path of a field. Out: the line, as near as it can be told.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from ...errors import CmpError, Location
from ...fleet.service import Resource
from ...fleet.value_path import Path
from ...goyaml.load import Node, load_documents, plain
from ...render.kustomize.patch_parts import nearest
from ...render.kustomize.references import directories_of
from ...render.manifest import identity
from ...system.files import FileTree


class Written(NamedTuple):
    """An object as a file has it, the line that is about a field of it, the resource that brings the file."""

    document: Node
    at: Location
    resource: Resource


def in_resources(resources: Iterable[Resource], tree: FileTree, value: dict[str, Any], path: Path) -> Written | None:
    """The one file among the resources that holds the object `value`; None when that is not plain to see."""
    wanted = identity(value)
    matches: list[Written] = []
    for resource, (file, at) in ((entry, file) for entry in resources for file in _files(entry, tree)):
        # Kustomize reads more than we do, and it has read it.
        with suppress(CmpError):
            for node in load_documents(tree.read(file, at), file[1:]):
                document = plain(node)
                there = identity(document) if isinstance(document, dict) else None
                if there and (there.group, there.kind, there.name) == (wanted.group, wanted.kind, wanted.name):
                    matches.append(Written(node, nearest(node, value, path)[0].start, resource))
    return matches[0] if len(matches) == 1 else None


def _files(resource: Resource, tree: FileTree) -> Iterator[tuple[str, Location]]:
    """The YAML file that a resource is, or all that lie beside a kustomization it leads to."""
    if not tree.is_dir(resource.path):
        yield resource.path, resource.at
        return
    for directory in directories_of(resource.path, tree, resource.at):
        for name in sorted(os.listdir(tree.locate(directory, Location(directory)))):
            if name.endswith((".yaml", ".yml")):
                yield f"{directory}/{name}", Location(directory)
