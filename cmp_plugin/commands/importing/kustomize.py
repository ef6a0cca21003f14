"""The kind `kustomize`: bases and overlays for environments -> services and clusters.

In: a tree. Out: a `Conversion`. Each app becomes a service, each environment a cluster; what an overlay
changes becomes the cluster's block. An app whose overlays cannot be taken apart keeps them as directories,
of which each cluster takes its own.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable

from ...errors import CmpError, InputError, Location, flatten, labelled
from ...render.kustomize.references import directories_of
from ...system.files import MAX_FILE, FileTree, within
from .conversion import Conversion, Draft, ImportRequest, Kustomization, Pair, dns_name, draft, factored, written
from .lifting import KeepsDirectory, Lifted, lifted
from .overlays import App, Overlay, find_apps

NAMESPACE = "${service.namespace}"
RESERVED = ("profiles", "services", "clusters", "schemas")


def convert(request: ImportRequest) -> Conversion:
    """A source as a fleet. InputError when there is nothing to import in it."""
    tree = request.tree
    made, left, notes = draft(), list[CmpError](), list[str]()
    pairs: list[Pair] = []
    taken_apart: set[str] = set()
    for app in find_apps(tree, request.start, dns_name(request.name) or "app"):
        good = _readable(tree, app, left)
        if not good.overlays:
            continue
        try:
            if app.name in request.as_trees:
                raise KeepsDirectory(request.as_trees[app.name])
            _as_blocks(made, tree, good)
            taken_apart.add(app.name)
        except KeepsDirectory as reason:
            notes.append(f"{app.name} keeps its overlays as directories: {reason}")
            _as_tree(made, tree, good, request)
        for overlay in good.overlays:
            made.clusters[overlay.cluster] |= {
                "labels": {"env": overlay.environment},
                "destination": {"name": overlay.cluster},
            }
            at = Location(tree.kustomization(overlay.path)[1:])
            namespace = str(_namespace(made, app.name, overlay.cluster))
            pairs.append(Pair(overlay.cluster, app.name, (Kustomization(overlay.path),), at, namespace))
    return Conversion(written(made), tuple(pairs), tuple(left), frozenset(taken_apart), tuple(notes))


def _namespace(made: Draft, service: str, cluster: str) -> object:
    return made.block(cluster, service).get("namespace") or made.services[service].get("namespace", "")


def _readable(tree: FileTree, app: App, left: list[CmpError]) -> App:
    """The app with those overlays that build on nothing but files of the source; the others are left out."""
    good: list[Overlay] = []
    for overlay in app.overlays:
        try:
            if not overlay.cluster:
                raise InputError(f"no cluster can be called {overlay.environment}", Location(overlay.path[1:]))
            if overlay.cluster in [other.cluster for other in good]:
                raise InputError(
                    f"another overlay is for the cluster {overlay.cluster}, too", Location(overlay.path[1:])
                )
            _builds_on(tree, overlay)
            good.append(overlay)
        except CmpError as error:
            left.extend(flatten([labelled(error, f"{overlay.cluster}/{app.name}")]))
    return app._replace(overlays=tuple(good))


def _builds_on(tree: FileTree, overlay: Overlay) -> list[str]:
    """Every directory that Kustomize will open, the overlay's own first."""
    return directories_of(overlay.path, tree, Location(overlay.path[1:]))


def _as_blocks(made: Draft, tree: FileTree, app: App) -> None:
    """Bases beside the service, each overlay as its cluster's block. Raises KeepsDirectory before any change."""
    by_overlay = {overlay: lifted(tree, app, overlay) for overlay in app.overlays}
    reached = {path for overlay in app.overlays for path in _builds_on(tree, overlay)}
    kept = reached - {overlay.path for overlay in app.overlays}
    for path in kept:
        if not within(path, app.directory) or path == app.directory:
            raise KeepsDirectory(
                f"it builds on {path[1:] or 'the top'}, outside of {app.directory[1:] or 'the source'}"
            )
    shared = [
        base
        for base in next(iter(by_overlay.values())).bases
        if all(base in result.bases for result in by_overlay.values())
    ]
    made.services[app.name] = {"resources": [_inside(app, base) for base in shared]} if shared else {}
    _copy(made, tree, kept, app.directory, f"services/{app.name}")
    for overlay, result in by_overlay.items():
        _place(made, app, overlay, result, shared)
    _share_namespace(made, app)
    if len(by_overlay) > 1:
        factored(made, app.name, [(overlay.cluster, app.name) for overlay in by_overlay])


def _inside(app: App, path: str) -> str:
    return posixpath.relpath(path, app.directory) + "/"


def _place(made: Draft, app: App, overlay: Overlay, result: Lifted, shared: list[str]) -> None:
    block = made.block(overlay.cluster, app.name)
    block |= result.block
    own = [f"/services/{app.name}/{_inside(app, base)}" for base in result.bases if base not in shared]
    if resources := [*own, *block.get("resources", [])]:
        block["resources"] = resources
    for name, content in result.files.items():
        made.files[f"clusters/{overlay.cluster}/{app.name}/{name}"] = content


def _share_namespace(made: Draft, app: App) -> None:
    """Where every overlay sets the namespace, the service says once that objects go to it."""
    blocks = [made.block(overlay.cluster, app.name) for overlay in app.overlays]
    if all("namespace" in block for block in blocks):
        for block in blocks:
            block["kustomize"]["namespace"] = NAMESPACE
        if len(blocks) == 1:
            made.services[app.name]["kustomize"] = {"namespace": blocks[0]["kustomize"].pop("namespace")}
        for block in blocks:
            if not block["kustomize"]:
                del block["kustomize"]


def _as_tree(made: Draft, tree: FileTree, app: App, request: ImportRequest) -> None:
    """Everything that the overlays build on, as it lies; the service takes the cluster's overlay.

    Below the service where it is all below the app, else in a directory of the fleet that apps share.
    """
    for overlay in app.overlays:
        made.block(overlay.cluster, app.name).clear()
    reached = {path for overlay in app.overlays for path in _builds_on(tree, overlay)}
    own = all(within(path, app.directory) and path != app.directory for path in reached)
    if own:
        top, target, shown = app.directory, f"services/{app.name}", ""
    else:
        name = dns_name(request.name)
        top = request.start if all(within(path, request.start) for path in reached) else "/"
        target = name if name and name not in RESERVED else "source"
        shown = f"/{target}/"
        made.fleet["directories"] = [target]
    _copy(made, tree, reached, top, target)
    paths = {overlay.cluster: posixpath.relpath(overlay.path, top) for overlay in app.overlays}
    pattern = _pattern(app, top)
    if pattern:
        made.services[app.name] = {"resources": [f"{shown}{pattern}/"]}
        return
    made.services[app.name] = {}
    for overlay in app.overlays:
        prefix = shown or f"/services/{app.name}/"
        made.block(overlay.cluster, app.name)["resources"] = [f"{prefix}{paths[overlay.cluster]}/"]


def _pattern(app: App, top: str) -> str:
    """The overlays' path with the environment's name as a reference, if that fits all of them."""
    patterns = set()
    for overlay in app.overlays:
        steps = posixpath.relpath(overlay.path, top).split("/")
        patterns.add("/".join("${cluster.labels.env}" if step == overlay.environment else step for step in steps))
    return patterns.pop() if len(patterns) == 1 else ""


def _copy(made: Draft, tree: FileTree, directories: Iterable[str], top: str, target: str) -> None:
    """Every file below the directories, at the same place below `target`."""
    left = MAX_FILE - sum(map(len, made.files.values()))
    for path in sorted({path for directory in directories for path in files_below(tree, directory)}):
        kept = f"{target}/{posixpath.relpath(path, top)}"
        if kept not in made.files:
            made.files[kept] = tree.read(path, Location(path[1:]))
            left -= len(made.files[kept])
        if left < 0:
            raise InputError(f"the source holds more than {MAX_FILE >> 20} MiB of files")


def files_below(tree: FileTree, directory: str) -> list[str]:
    """Canonical paths of every file below a directory; links to directories are not followed."""
    start = tree.locate(directory, Location(directory[1:] or "."))
    paths: list[str] = []
    for parent, _, names in os.walk(start):
        below = os.path.relpath(parent, start)
        paths += [posixpath.normpath(posixpath.join(directory, below, name)) for name in names]
    return paths
