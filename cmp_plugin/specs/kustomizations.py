"""A kustomization that lies in the repository, read as Kustomize reads it.

In: a directory of the tree. Out: its kustomization's fields, and what it builds on. One kustomization at a time:
whoever follows what it names decides what that means (`references`: may it be opened; `bases`: must it be fetched).
"""

from __future__ import annotations

from collections.abc import Callable

from ..errors import Location
from ..goyaml.load import Node, load_values
from ..system.files import FileTree
from .kustomization_fields import BUILDS_ON, FIELDS

_BY_SMALL_NAME = {name.lower(): name for name in FIELDS}


def read_kustomization(tree: FileTree, directory: str, at: Location) -> Kustomization | None:
    """The kustomization in the canonical `directory`, or None when there is none.

    `at` is where the directory is named. Raises InputError for what cannot be read or is not a map.
    """
    file = tree.kustomization(directory)
    return Kustomization(file, load_values(tree.read(file, at), file[1:])) if file else None


class Kustomization:
    """`file`: its canonical path; `node`: what is in it.

    `fields`: those that are not null, by Kustomize's name for them, which does not care about capitals. Two spellings
    make two values: which one counts is Kustomize's to decide, so all of them are looked at. What Kustomize does not
    know has its name in small letters.
    """

    def __init__(self, file: str, node: Node) -> None:
        self.file = file
        self.node = node
        self.fields: dict[str, list[Node]] = {}
        for key, child in node.entries().items():
            if child.value is not None:
                small = key.lower()
                self.fields.setdefault(_BY_SMALL_NAME.get(small, small), []).append(child)

    def items(self, name: str) -> list[Node]:
        """The items of a field that is a list."""
        return [item for node in self.fields.get(name, ()) for item in node.elements()]

    def builds_on(self) -> list[Node]:
        """Every entry that is a file or another kustomization."""
        return [item for name in BUILDS_ON for item in self.items(name)]

    def with_builds_on(self, change: Callable[[Node], Node]) -> Node:
        """The kustomization with `change` made to every such entry."""
        fields = {
            key: child.with_selected(("*",), change) if key.lower() in BUILDS_ON and child.elements() else child
            for key, child in self.node.entries().items()
        }
        return self.node.with_value(fields)
