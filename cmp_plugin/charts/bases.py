"""Kustomize bases on other machines, as directories of the service: Kustomize itself fetches nothing.

In: a resolved service whose resources, or the kustomizations in them, name repositories elsewhere. Out:
the same service and its files in a private copy, in which these bases lie below the service's
directory, where `vendor` puts them, and every entry names its path. Only full commits are taken.
"""

from __future__ import annotations

import hashlib
import os
import posixpath
import shutil

from ..errors import Location, ToolError
from ..fleet.service import ResolvedService, Resource
from ..goyaml.load import Node, dump_values, plain
from ..specs.kustomizations import read_kustomization
from ..specs.paths import is_remote
from ..system.files import FileTree, within
from ..system.process import Deadline
from ..tools.discovery import OFFLINE, is_offline
from . import store
from .git_address import Remote, parse
from .git_fetch import extract, fetch

DIRECTORY = "bases"


def localised(
    service: ResolvedService, tree: FileTree, workdir: str, deadline: Deadline
) -> tuple[ResolvedService, FileTree]:
    """The service with paths only, and the tree in which they are.

    Raises InputError (no full commit, no such directory) and ToolError (it cannot be fetched).
    """
    copy = tree._replace(root=_copied(tree, workdir, service.at))
    bases = Bases(service.directory, copy, workdir, deadline)
    resources = tuple(
        Resource(bases.entry(resource.path, "/", resource.at), resource.at) for resource in service.resources
    )
    return service._replace(resources=resources, kustomize=_fragment(service.kustomize, bases)), copy


def _fragment(fragment: Node | None, bases: Bases) -> Node | None:
    def local(entry: Node) -> Node:
        return entry.with_value(bases.entry(str(entry.value), "/", entry.at))

    return fragment.with_selected(("components", "*"), local) if fragment is not None else None


def _copied(tree: FileTree, workdir: str, at: Location) -> str:
    """A copy of everything that specs may refer to, to write in."""
    root = os.path.join(os.path.realpath(workdir), f"fleet-{os.urandom(6).hex()}")
    os.mkdir(root, 0o700)
    for directory in tree.allowed:
        if tree.is_dir(directory):
            copy = _on_disk(root, tree.mount, directory)
            ignored = shutil.ignore_patterns(".git")
            shutil.copytree(tree.locate(directory, at), copy, symlinks=True, ignore=ignored, dirs_exist_ok=True)
    return root


def _on_disk(root: str, mount: str, path: str) -> str:
    """Where the canonical `path` is on disk, in a tree that has `root` at `mount`."""
    return os.path.join(root, posixpath.relpath(path, mount))


class Bases:
    """The bases of one service, in a tree of which this may write all."""

    def __init__(self, directory: str, tree: FileTree, workdir: str, deadline: Deadline) -> None:
        self._home = f"{directory}/{DIRECTORY}"
        self._tree, self._workdir, self._deadline = tree, workdir, deadline
        self._seen: set[str] = set()
        self.remotes: dict[str, Remote] = {}

    def entry(self, text: str, directory: str, at: Location) -> str:
        """The canonical path of an entry in `directory`, what it needs being there; as it is for a file."""
        if is_remote(text):
            remote = parse(text, at)
            top = f"{self._home}/{remote.directory}"
            path = f"{top}/{remote.path}".rstrip("/")
            if not self._tree.is_dir(path):
                source = obtained(remote, self._workdir, self._deadline)
                shutil.copytree(source, _on_disk(self._tree.root, self._tree.mount, top), dirs_exist_ok=True)
            self.remotes[path] = remote
        else:
            path = posixpath.normpath(posixpath.join(directory, text))
            if not self._tree.is_dir(path):
                return text
        self._kustomization(path, at)
        return path

    def _kustomization(self, path: str, at: Location) -> None:
        """Write the kustomization in `path` anew when it, or one that it names, names another machine."""
        if path in self._seen:
            return
        self._seen.add(path)
        kustomization = read_kustomization(self._tree, path, at)
        if kustomization is None:
            return

        def local(node: Node) -> Node:
            if not isinstance(node.value, str):
                return node
            entry = self.entry(node.value, path, node.at)
            return node.with_value(posixpath.relpath(entry, path)) if is_remote(node.value) else node

        fields = plain(kustomization.with_builds_on(local))
        if fields != plain(kustomization.node):
            with open(_on_disk(self._tree.root, self._tree.mount, kustomization.file), "wb") as file:
                file.write(dump_values(fields))


def obtained(remote: Remote, workdir: str, deadline: Deadline) -> str:
    """A directory with what is needed of the commit: out of the store, or fetched into it."""
    name = f"git {remote.url} {remote.commit} {remote.path}"
    digest = f"sha256:{hashlib.sha256(name.encode()).hexdigest()}"
    directory = store.find(digest)
    if directory:
        return directory
    if is_offline():
        hint = f"`cmp-plugin vendor` puts it beside the service, or unset {OFFLINE}"
        raise ToolError(
            f"base {remote.text} is neither vendored nor in the cache, and {OFFLINE} is set", remote.at, hint
        )

    def fill(new: str) -> None:
        os.mkdir(os.path.join(new, store.CHART), 0o700)
        extract(repository, remote, os.path.join(new, store.CHART), workdir, deadline)

    try:
        with store.alone(name, deadline):
            directory = store.find(digest)
            if directory:
                return directory
            repository = fetch(remote, workdir, deadline)
            directory = store.publish(digest, fill)
        from .store_gc import trim

        trim()
        return directory
    except store.StoreError:
        directory = os.path.join(workdir, f"base-{os.urandom(6).hex()}")
        os.mkdir(directory, 0o700)
        extract(fetch(remote, workdir, deadline), remote, directory, workdir, deadline)
        return directory


def remotes_of(service: ResolvedService, tree: FileTree, workdir: str, deadline: Deadline) -> dict[str, Remote]:
    """Every base elsewhere that `service` needs, fetched: canonical directory -> what it is."""
    copy = tree._replace(root=_copied(tree, workdir, service.at))
    bases = Bases(service.directory, copy, workdir, deadline)
    for resource in service.resources:
        bases.entry(resource.path, "/", resource.at)
    _fragment(service.kustomize, bases)
    return {path: remote for path, remote in bases.remotes.items() if within(path, service.directory)}


def names_elsewhere(service: ResolvedService, tree: FileTree) -> bool:
    """Whether the service's resources, or the kustomizations that they are, name another machine."""
    components = service.kustomize.elements("components") if service.kustomize is not None else []
    pending = [*(resource.path for resource in service.resources), *(str(node.value) for node in components)]
    seen: set[str] = set()
    while pending:
        path = pending.pop()
        if is_remote(path):
            return True
        if path not in seen and tree.is_dir(path):
            kustomization = read_kustomization(tree, path, service.at)
            entries = [str(node.value) for node in kustomization.builds_on()] if kustomization is not None else []
            pending += [
                entry if is_remote(entry) else posixpath.normpath(posixpath.join(path, entry)) for entry in entries
            ]
        seen.add(path)
    return False
