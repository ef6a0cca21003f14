"""One overlay as a service block: images by name, patches by name, the rest as a kustomization fragment.

In: the overlay's kustomization and the files beside it. Out: a block for cluster.yaml, the directories that it
builds on, the files that go along. What a block cannot say is raised as `KeepsDirectory`: the overlay then stays a
directory. Whether the block means the same is not judged here: the proof is.
"""

from __future__ import annotations

import posixpath
import re
from functools import partial
from typing import Any, NamedTuple

from ...errors import CmpError, Location
from ...goyaml.load import Node, dump_yaml, load_all, load_values, node, plain
from ...render.manifest import mapping
from ...specs.kustomization_fields import FIELDS, fragment_field, with_paths
from ...system.files import FileTree, canonical, within
from .conversion import Block, literal
from .overlays import App, Overlay

LONGEST_INLINE = 30  # lines; a longer patch keeps its file
_IMAGE = {"newName", "newTag", "digest"}
_NO_FIELD = {"apiVersion", "kind", "metadata"}


class KeepsDirectory(Exception):
    """Why an overlay stays a directory."""


class Lifted(NamedTuple):
    """`bases`: canonical directories of the source; `files`: path below the block's own directory -> content."""

    block: Block
    bases: tuple[str, ...]
    files: dict[str, bytes]


def lifted(tree: FileTree, app: App, overlay: Overlay) -> Lifted:
    """The overlay as a block. Raises KeepsDirectory, or InputError for what cannot be read."""
    file = tree.kustomization(overlay.path)
    fields = plain(load_values(tree.read(file, Location(file[1:])), file[1:]))
    return _Lifting(tree, app, overlay, fields).result()


class _Lifting:
    """The work on one overlay; `files` and `bases` gather what its fields name."""

    def __init__(self, tree: FileTree, app: App, overlay: Overlay, fields: Block) -> None:
        self.tree, self.app, self.overlay = tree, app, overlay
        self.fields = {key: value for key, value in fields.items() if value is not None and key not in _NO_FIELD}
        self.files: dict[str, bytes] = {}
        self.bases: list[str] = []
        self.patches: dict[str, Block] = {}

    def result(self) -> Lifted:
        block: Block = {}
        fragment: Block = {}
        for name in ("patchesStrategicMerge", "patches", "patchesJson6902"):
            for item in self.fields.pop(name, []):
                self.patch(item)
        resources = self.resources([*self.fields.pop("resources", []), *self.fields.pop("bases", [])])
        images = self.images(self.fields.pop("images", []))
        labels = self.fields.pop("labels", [])
        for name, value in self.fields.items():
            if name not in FIELDS or FIELDS[name].refused:
                raise KeepsDirectory(f"it has the field {name}")
            written = node(value, Location(self.overlay.path[1:]))
            if fragment_field(name, written, final=True):
                raise KeepsDirectory(f"its {name} is not {FIELDS[name].form}")
            fragment[name] = literal(plain(with_paths(name, written, partial(self.moved, name))))
        if "namespace" in fragment:
            block["namespace"] = fragment["namespace"]
        if len(labels) == 1 and set(labels[0]) == {"pairs"}:
            block["metadata"] = {"labels": literal(labels[0]["pairs"])}
        elif labels:
            fragment["labels"] = literal(labels)
        parts = {"images": images, "patches": self.patches, "resources": resources, "kustomize": fragment}
        return Lifted(block | {name: value for name, value in parts.items() if value}, tuple(self.bases), self.files)

    def resources(self, entries: list[Any]) -> list[str]:
        """Files beside the overlay, as the block names them; directories go to `bases`."""
        paths: list[str] = []
        for entry in entries:
            path = self.canonical(entry)
            if self.tree.is_dir(path):
                self.bases.append(self.below(path))
            else:
                paths.append(self.carried(entry))
        return paths

    def below(self, path: str) -> str:
        """`path`, if the service can hold a copy of it."""
        if not within(path, self.app.directory) or path == self.app.directory:
            raise KeepsDirectory(
                f"it builds on {path[1:] or 'the top'}, outside of {self.app.directory[1:] or 'the source'}"
            )
        if any(path == overlay.path for overlay in self.app.overlays):
            raise KeepsDirectory(f"it builds on another overlay, {path[1:]}")
        return path

    def directory(self, entry: Any) -> str:
        """A component, in the service's copy of it."""
        path = self.below(self.canonical(entry))
        if not self.tree.is_dir(path):
            raise KeepsDirectory(f"{path[1:]} is no directory")
        return f"/services/{self.app.name}/{posixpath.relpath(path, self.app.directory)}/"

    def canonical(self, entry: Any) -> str:
        if not isinstance(entry, str) or "\n" in entry:
            raise KeepsDirectory("it has YAML where a path could stand")
        return canonical(entry, self.overlay.path, Location(self.overlay.path[1:]))

    def carried(self, entry: Any) -> str:
        """A file beside the overlay, put beside cluster.yaml."""
        path = self.canonical(entry)
        if not within(path, self.overlay.path) or self.tree.is_dir(path):
            raise KeepsDirectory(f"{path[1:]} does not lie beside it")
        name = posixpath.relpath(path, self.overlay.path)
        self.files[name] = self.tree.read(path, Location(path[1:]))
        return f"{self.app.name}/{name}"

    def moved(self, field: str, path: Node) -> Node:
        """A path in a field of the overlay as the block has to write it."""
        return path.with_value((self.directory if field == "components" else self.carried)(path.value))

    def images(self, entries: list[Any]) -> Block:
        images: Block = {}
        for entry in entries:
            rest = {key: value for key, value in entry.items() if key != "name" and value}
            if not set(rest) <= _IMAGE or entry.get("name", "") in ("", *images):
                raise KeepsDirectory("it has an image that cannot be told by its name")
            images[str(entry["name"])] = literal(rest)
        return images

    # --- patches ---

    def patch(self, item: Any) -> None:
        """One of `patches`, or of what it was called before: a path or the text of a patch."""
        entry = {"path" if "\n" not in item else "patch": item} if isinstance(item, str) else dict(item)
        if entry.pop("options", None):
            raise KeepsDirectory("it has a patch with options")
        made: Block = {"target": literal(entry["target"])} if entry.get("target") else {}
        if path := entry.get("path"):
            text = self.tree.read(self.canonical(path), Location(self.canonical(path)[1:]))
            name = re.sub(r"^patch[-_.]|[-_.]patch$", "", posixpath.basename(path).partition(".")[0])
        else:
            text, name = str(entry.get("patch", "")).encode(), ""
        body = inline(text)
        if body is not None:
            made["patch"] = body
        elif path:
            made["path"] = self.carried(path)
        else:
            made["patch"] = text.decode()
        self.patches[self.unused(name or _named(made.get("target") or body))] = made

    def unused(self, name: str) -> str:
        """`name`, or with the first number that makes it another one."""
        count, free = 2, name
        while free in self.patches:
            free, count = f"{name}-{count}", count + 1
        return free


def inline(text: bytes) -> Any:
    """A patch as it can stand in a spec: short, one document, nothing that a spec reads otherwise; or None."""
    if b"${" in text or re.search(rb"^\s*#", text, re.MULTILINE):
        return None
    try:
        documents = [plain(node) for node in load_all(text, "patch")]
        again = dump_yaml(documents[0], ordered=True) if len(documents) == 1 else ""
        same = bool(again) and [plain(node) for node in load_all(again.encode(), "patch")] == documents
    except CmpError:
        return None
    return documents[0] if same and again.count("\n") <= LONGEST_INLINE else None


def _named(about: Any) -> str:
    """What an inline patch is called after: its target's or its object's kind and name."""
    fields = about if isinstance(about, dict) else {}
    words = [fields.get("kind"), fields.get("name") or mapping(fields, "metadata").get("name")]
    return re.sub(r"[^a-z0-9-]+", "-", "-".join(str(word) for word in words if word).lower()).strip("-") or "patch"
