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
from .kustomization_fields import with_paths

Change = Callable[[Node], Node]
# Where a service block holds paths, as patterns of `Node.select`; those of its fragment are Kustomize's.
_BLOCK_PATHS = (
    *(("chart", "path"), ("valuesFiles", "*"), ("resources", "*"), ("resources+", "*")),
    ("patches", "*", "path"),
)
_PATH_FIELDS = {"kustomize", *(pattern[0] for pattern in _BLOCK_PATHS)}


class BlockFile(NamedTuple):
    """Where a block was written: its file's canonical directory, what it may name, what makes its scope."""

    directory: str
    allowed: tuple[str, ...]
    scope: Callable[[], Scope]


def is_remote(text: str) -> bool:
    """Whether Kustomize would read this resource as an address and not as a path."""
    return "://" in text or "?ref=" in text or text.startswith(("git@", "github.com/"))


def with_canonical_paths(block: Node, file: BlockFile) -> Node:
    """`block` with canonical paths. Raises Errors: a path outside, an unknown reference."""
    if _PATH_FIELDS.isdisjoint(block.entries()):
        return block
    errors: list[CmpError] = []

    def fix(node: Node) -> Node:
        try:
            return _fixed(node, file)
        except CmpError as error:
            errors.append(error)
            return node

    result = _block(block, fix)
    if errors:
        raise Errors(errors)
    return result


def _fixed(node: Node, file: BlockFile) -> Node:
    """One path; a generator's `key=`, and the `?` of an optional values file, stay as they are."""
    if not isinstance(node.value, str) or "\n" in node.value:
        return node
    text = node.value
    if "${" in text:
        try:
            text = interpolated_text(text, node.at, file.scope())
        except InputError as error:
            seen = "a path sees cluster.* and the vars of fleet, profiles and cluster"
            raise InputError(error.message, error.at, error.hint or seen) from None
    if is_remote(text):
        return node.with_value(text)
    optional = "?" if text.endswith("?") else ""
    path = canonical(text.removesuffix("?"), file.directory, node.at)
    if not allowed_in(path, file.allowed):
        where = ", ".join(directory[1:] + "/" for directory in file.allowed)
        raise InputError(f'"{text}" lies outside of {where}', node.at, "fleet.yaml's `directories` can allow more")
    return node.with_value(path + optional)


def _block(block: Node, fix: Change) -> Node:
    fields = block.entries()
    for pattern in _BLOCK_PATHS:
        if pattern[0] in fields:
            block = block.with_selected(pattern, fix)
    return block.with_selected(("kustomize",), lambda fragment: _fragment(fragment, fix))


def _fragment(fragment: Node, fix: Change) -> Node:
    """A fragment is interpolated later on as a whole, so what a path spells out is escaped again."""

    def path(node: Node) -> Node:
        done = fix(node)
        text = done.text()
        return done.with_value(escaped_text(text)) if text is not None and done is not node else done

    fields = {key: with_paths(key, child, path) for key, child in fragment.entries().items()}
    return fragment.with_value(fields) if fields else fragment


def named_paths(block: Node) -> list[Node]:
    """Every local path of a block with canonical paths, as nodes without `key=`; an optional one keeps its `?`."""
    nodes: list[Node] = []

    def note(node: Node) -> Node:
        if isinstance(node.value, str) and "\n" not in node.value and not is_remote(node.value):
            nodes.append(node)
        return node

    _block(block, note)
    return nodes
