"""What a kustomization in the repository reaches: its own directory and everything that it names.

In: a directory's canonical path, the tree. Out: every directory that Kustomize will open, looked at
for links, and what the kustomizations in them could do to objects that are not theirs. Raises for what
lies elsewhere or on another machine: Kustomize would fetch it. Starts nothing.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Any

from ...errors import InputError, Location, did_you_mean
from ...goyaml.load import Node, check_aliases, load_manifests, load_values, plain
from ...system.files import FileTree, allowed_in, canonical

# A path that Kustomize would take for a repository to clone, and a file that it would download
# (api 0.21.2, git.NewRepoSpecFromURL and loader.IsRemoteFile); both a little wider than there.
_REPOSITORY = re.compile(r"(git::)?(ssh://|https?:|file://|github\.com[/:]|[a-z][a-z0-9-]*@)", re.I)
_DOWNLOAD = re.compile(r"([^=]*=)?https?:", re.I)

# Fields of a kustomization that change nothing but what the kustomization itself holds.
_HARMLESS = set(
    "apiversion kind metadata resources bases components labels commonlabels commonannotations "
    "images imagetags replicas patches sortoptions generatoroptions configmapgenerator secretgenerator "
    "namespace".split()
)
# Every field of a kustomization (api 0.21.2, types.Kustomization and the old ones that it still takes).
_FIELDS = (
    "apiVersion kind metadata resources bases components labels commonLabels commonAnnotations images imageTags"
    " replicas patches patchesStrategicMerge patchesJson6902 sortOptions generatorOptions configMapGenerator"
    " secretGenerator namespace namePrefix nameSuffix helmCharts helmChartInflationGenerator helmGlobals"
    " generators transformers validators crds configurations replacements vars openapi buildMetadata"
).split()
_KNOWN = {name.lower() for name in _FIELDS}
_HELM = {name.lower(): name for name in ("helmCharts", "helmChartInflationGenerator", "helmGlobals")}
_GENERATORS = ("configmapgenerator", "secretgenerator")
_PLUGINS = ("generators", "transformers", "validators")
_FILES = ("crds", "configurations", "patchesstrategicmerge")
_PATHS_IN_PLUGINS = ("path", "paths", "files", "env", "envs")

MAX_DIRECTORIES = 1000
MAX_DEPTH = 50

Fields = dict[str, list[Node]]


class RemoteBase(InputError):
    """An entry on another machine: an error, unless it is made a path first (see `sources.bases`)."""


class Reach:
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
        fields = _fields(fragment)
        for entry in _items(fields, "components"):
            self._entry("/", entry)
        for name in _PLUGINS:
            for entry in _items(fields, name):
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
        file = self.tree.kustomization(path)
        if not file:
            hint = "name its YAML files, or give it a kustomization.yaml"
            raise InputError(f"{path[1:]} has no kustomization.yaml", at, hint)
        fields = _fields(load_values(self.tree.read(file, at), file[1:]))
        self._judge(fields)
        for name in ("resources", "bases", "components"):
            for entry in _items(fields, name):
                self._entry(path, entry, plugins)
        for name in _PLUGINS:
            for entry in _items(fields, name):
                self._plugin(path, entry)
        for node in _files(fields):
            _refuse_download(node)
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

    def _judge(self, fields: Fields) -> None:
        """Note what the kustomization could do to objects that are not its own."""
        for name, nodes in fields.items():
            if name not in _KNOWN:
                at = nodes[0].start
                raise InputError(f'unknown key "{name}" in a kustomization', at, did_you_mean(name, _FIELDS))
        for key, name in _HELM.items():
            for node in fields.get(key, []):
                hint = "give the service a chart, or another service"
                raise InputError(f"{name} has no meaning here", node.start, hint)
        self.moves |= "namespace" in fields
        self.renames |= not set(fields) <= _HARMLESS or _suffixed(fields)
        for patch in _items(fields, "patches"):
            self.renames |= _may_rename(_plain_fields(patch))


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


def _suffixed(fields: Fields) -> bool:
    options = [plain(node) for node in fields.get("generatoroptions", [])]
    generators = [plain(node) for name in _GENERATORS for node in _items(fields, name)]
    if not all(isinstance(one, dict) for one in (*options, *generators)):
        return True
    return not keeps_names(generators, options[0] if len(options) == 1 else {})


def _may_rename(patch: dict[str, list[Node]]) -> bool:
    """A JSON6902 patch, or one that is allowed to, can change a name."""
    text = [str(node.value).lstrip() for node in patch.get("patch", [])]
    return "path" in patch or "options" in patch or any(one[:1] in ("[", "-") for one in text)


def _files(fields: Fields) -> Iterator[Node]:
    """Every entry that names a file, or, with its `key=`, a generator's source."""
    for name in _FILES:
        yield from _items(fields, name)
    for name in ("patches", "patchesjson6902", "replacements"):
        for item in _items(fields, name):
            yield from _plain_fields(item).get("path", [])
    for node in fields.get("openapi", []):
        yield from _plain_fields(node).get("path", [])
    for name in _GENERATORS:
        for item in _items(fields, name):
            generator = _plain_fields(item)
            yield from (*_items(generator, "files"), *_items(generator, "envs"), *generator.get("env", []))


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


def _fields(kustomization: Node) -> Fields:
    if not isinstance(kustomization.value, dict):
        raise InputError("a kustomization is a mapping", kustomization.at)
    return _plain_fields(kustomization)


def _plain_fields(node: Node) -> Fields:
    """Fields by their name in small letters: Kustomize does not care about case."""
    found: Fields = {}
    for key, child in node.value.items() if isinstance(node.value, dict) else ():
        if child.value is not None:
            found.setdefault(key.lower(), []).append(child)
    return found


def _items(fields: Fields, name: str) -> list[Node]:
    return [item for node in fields.get(name, []) if isinstance(node.value, list) for item in node.value]
