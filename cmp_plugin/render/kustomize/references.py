"""What a kustomization in the repository reaches: its own directory and everything that it names.

In: a directory's canonical path, the tree. Out: every directory that Kustomize will open, looked at
for links, and what the kustomizations in them could do to objects that are not theirs. Raises for what
lies elsewhere or on another machine: Kustomize would fetch it. Starts nothing.
"""

from __future__ import annotations

import posixpath
import re
from typing import Any

from ...errors import InputError, Location, did_you_mean
from ...fleet.service import ResolvedService
from ...goyaml.load import Node, check_aliases, load_manifests, plain
from ...specs.kustomization_fields import BUILDS_ON, FIELDS, GENERATORS, PLUGINS, paths
from ...specs.kustomizations import Kustomization, read_kustomization
from ...system.files import FileTree, allowed_in, canonical

# A path that Kustomize would take for a repository to clone, and a file that it would download
# (api 0.21.2, git.NewRepoSpecFromURL and loader.IsRemoteFile); both a little wider than there.
_REPOSITORY = re.compile(r"(git::)?(ssh://|https?:|file://|github\.com[/:]|[a-z][a-z0-9-]*@)", re.IGNORECASE)
_DOWNLOAD = re.compile(r"([^=]*=)?https?:", re.IGNORECASE)

# What the builtin plugins and their generators call their files, in small letters.
_PATHS_IN_PLUGINS = ("path", "paths", "files", "env", "envs")

# Far more than any repository has. Each directory is read and looked at before Kustomize starts, and we follow them by
# recursion; Kustomize itself stops at a cycle only.
MAX_DIRECTORIES = 1000
MAX_DEPTH = 50


class RemoteBase(InputError):
    """An entry on another machine: an error, unless it is made a path first (see `charts.bases`)."""


class References:
    """What was found. `directories` in order of discovery; `renames`: names may change, so that any
    object may have to follow; `moves`: namespaces may, which only few kinds of object notice.
    """

    def __init__(self, tree: FileTree) -> None:
        self.tree = tree
        self.directories: list[str] = []
        self.renames = False
        self.moves = False
        self._depth = 0

    def resource(self, path: str, at: Location, plugins: bool = False) -> None:
        """Look at a file or directory of the fleet that a spec names."""
        self._entry("/", Node(path, at), plugins)

    def fragment(self, fragment: Node) -> None:
        """Look at what a fragment with canonical paths names besides resources."""
        for entry in fragment.elements("components"):
            self._entry("/", entry)
        for name in PLUGINS:
            for entry in fragment.elements(name):
                self._plugin("/", entry)

    def directory(self, path: str, at: Location, plugins: bool = False) -> None:
        """Walk the kustomization in directory `path`; errors stand at `at` or inside of its file."""
        if path in self.directories:
            return
        self.directories.append(path)
        if len(self.directories) > MAX_DIRECTORIES or self._depth > MAX_DEPTH:
            raise InputError(f"{path[1:]}: kustomizations lead to too many others", at)
        self._depth += 1
        self.tree.locate(path, at)
        kustomization = read_kustomization(self.tree, path, at)
        if kustomization is None:
            hint = "name its YAML files, or give it a kustomization.yaml"
            raise InputError(f"{path[1:]} has no kustomization.yaml", at, hint)
        self._judge(kustomization)
        for entry in kustomization.builds_on():
            self._entry(path, entry, plugins)
        for name in PLUGINS:
            for entry in kustomization.items(name):
                self._plugin(path, entry)
        for name, nodes in kustomization.fields.items():
            if name not in (*BUILDS_ON, *PLUGINS):
                for file in (file for node in nodes for file in paths(name, node)):
                    _refuse_download(file)
        self._depth -= 1

    def _entry(self, directory: str, entry: Node, plugins: bool = False) -> None:
        """One of `resources`: a file beside the kustomization, or another kustomization."""
        text = str(entry.value)
        refuse_remote(text, entry.at)
        if text.startswith("/") and directory != "/":
            raise InputError(f'"{text}": Kustomize takes relative paths only', entry.at)
        path = canonical(text, directory, entry.at)
        if self.tree.is_dir(path):
            if not allowed_in(path, self.tree.allowed):
                raise InputError(f'"{text}" lies outside of the allowed directories', entry.at)
            self.directory(path, entry.at, plugins)
            return
        data = self.tree.read(path, entry.at)
        check_aliases(data, path[1:])
        for document in load_manifests(data) if plugins else ():
            _refuse_downloads(document.value, entry.at)

    def _plugin(self, directory: str, entry: Node) -> None:
        """One of `transformers` and the like: inline YAML, a file, or a kustomization of them."""
        text = str(entry.value)
        if "\n" not in text and self.tree.exists(posixpath.join(directory, text)):
            self._entry(directory, entry, plugins=True)
            return
        refuse_remote(text, entry.at)
        for document in load_manifests(text.encode()):
            _refuse_downloads(document.value, entry.at)

    def _judge(self, kustomization: Kustomization) -> None:
        """Note what the kustomization could do to objects that are not its own."""
        fields = kustomization.fields
        for name, nodes in fields.items():
            if name not in FIELDS:
                message = f'unknown key "{name}" in a kustomization'
                raise InputError(message, nodes[0].start, did_you_mean(name, FIELDS))
        for name, field in FIELDS.items():
            if field.stage == "chart" and name in fields:
                hint = "give the service a chart, or another service"
                raise InputError(f"{name} has no meaning here", fields[name][0].start, hint)
        self.moves |= "namespace" in fields
        self.renames |= not all(FIELDS[name].is_local for name in fields) or _suffixed(kustomization)
        self.renames |= any(_may_rename(patch) for patch in kustomization.items("patches"))


def references_of(service: ResolvedService, tree: FileTree) -> References:
    """Everything that Kustomize would open for a service, looked at. Raises InputError, RemoteBase among them."""
    reach = References(tree)
    for resource in service.resources:
        reach.resource(resource.path, resource.at)
    if service.kustomize is not None:
        reach.fragment(service.kustomize)
    return reach


def directories_of(path: str, tree: FileTree, at: Location) -> list[str]:
    """The canonical directory `path` with a kustomization, and every directory that this leads to. Raises the same."""
    reach = References(tree)
    reach.directory(path, at)
    return reach.directories


def refuse_remote(text: str, at: Location) -> None:
    """RemoteBase when Kustomize would fetch what a `resources` entry names."""
    if _REPOSITORY.match(text) or "://" in text or "?ref=" in text:
        error = _remote(text, at)
        raise RemoteBase(error.message, error.at, error.hint)


def _remote(text: str, at: Location) -> InputError:
    hint = "copy it into the repository and name it by its path"
    return InputError(f'"{text}" is on another machine: a render reads this repository only', at, hint)


def keeps_names(generators: list[dict[str, Any]], options: dict[str, Any]) -> bool:
    """Whether ConfigMap or Secret generators only add objects, under the names that they say."""
    everywhere = _keeps_name(options)
    return all(
        generator.get("behavior") in (None, "", "create") and (everywhere or _keeps_name(generator.get("options")))
        for generator in generators
    )


def _keeps_name(options: object) -> bool:
    return isinstance(options, dict) and options.get("disableNameSuffixHash") is True


def _suffixed(kustomization: Kustomization) -> bool:
    options = [plain(node) for node in kustomization.fields.get("generatorOptions", ())]
    generators = [plain(node) for name in GENERATORS for node in kustomization.items(name)]
    if not all(isinstance(fields, dict) for fields in (*options, *generators)):
        return True
    return not keeps_names(generators, options[0] if len(options) == 1 else {})


def _may_rename(patch: Node) -> bool:
    """A JSON6902 patch, or one that is allowed to, can change a name."""
    fields = {key.lower() for key, child in patch.entries().items() if child.value is not None}
    texts = [str(node.value).lstrip() for node in patch.select(("patch",), any_case=True)]
    return not fields.isdisjoint(("path", "options")) or any(text[:1] in ("[", "-") for text in texts)


def _refuse_download(node: Node) -> None:
    if isinstance(node.value, str) and _DOWNLOAD.match(node.value):
        raise _remote(node.value, node.at)


def _refuse_downloads(value: Any, at: Location) -> None:
    """The same for the settings of a transformer, wherever a file is named in them."""
    children = value.items() if isinstance(value, dict) else enumerate(value)
    for key, child in children:
        if isinstance(child, dict | list):
            _refuse_downloads(child, at)
        texts = child if isinstance(child, list) else [child]
        if isinstance(key, str) and key.lower() in _PATHS_IN_PLUGINS:
            for text in texts:
                _refuse_download(Node(text, at))
