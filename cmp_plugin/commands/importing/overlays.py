"""Which directories of a tree are overlays, of what and for which environment.

In: a tree. Out: apps with their overlays, by name. What decides is the path: a kustomization in
`overlays/<environment>` is the overlay of the directory above, one in `overlays/<environment>/<app>` of that
app. Reads names only.
"""

from __future__ import annotations

import os
import posixpath
from typing import NamedTuple

from ...errors import InputError, Location
from ...system.files import KUSTOMIZATIONS, MAX_ENTRIES, FileTree
from .conversion import dns_name

PARENTS = ("overlays", "overlay", "environments", "envs", "env", "clusters")


class Overlay(NamedTuple):
    """`environment` as the directory is called, `cluster` as the cluster will be; `path` is canonical."""

    environment: str
    cluster: str
    path: str


class App(NamedTuple):
    """`directory`: what overlays and bases lie below; canonical."""

    name: str
    directory: str
    overlays: tuple[Overlay, ...]


def find_apps(tree: FileTree, start: str, name: str) -> list[App]:
    """Every app below `start`; `name` is for one whose overlays lie at the top. InputError: there is none."""
    overlays_of: dict[tuple[str, str], list[Overlay]] = {}
    kustomizations = _kustomizations(tree, start)
    for path in kustomizations:
        steps = path.strip("/").split("/")
        positions = [index for index, step in enumerate(steps[:-1]) if step in PARENTS]
        if not positions:
            continue
        top, environment, below = steps[: positions[-1]], steps[positions[-1] + 1], steps[positions[-1] + 2 :]
        whole = "/" + "/".join(steps[: positions[-1] + 2])
        if len(below) > 1 or (below and whole in kustomizations):
            continue  # a part of the overlay above it
        app = (below or top or [name])[-1]
        overlay = Overlay(environment, dns_name(environment), path)
        overlays_of.setdefault(("/" + "/".join(top), app), []).append(overlay)
    if not overlays_of:
        hint = f"an overlay is a kustomization in one of {', '.join(parent + '/<environment>' for parent in PARENTS)}"
        raise InputError("there is no overlay in the source", None, hint)
    return _named(overlays_of)


def _named(overlays_of: dict[tuple[str, str], list[Overlay]]) -> list[App]:
    """Two apps of one name get their directories' names before it."""
    apps: list[App] = []
    for (directory, app), overlays in sorted(overlays_of.items()):
        twice = sum(name == app for _, name in overlays_of) > 1
        steps = [step for step in directory.split("/") if step]
        whole = steps if steps and steps[-1] == app else [*steps, app]
        apps.append(App(dns_name("-".join(whole) if twice else app), directory, tuple(sorted(overlays))))
    return apps


def _kustomizations(tree: FileTree, start: str) -> list[str]:
    """Canonical directories that hold a kustomization; hidden ones and links are not entered."""
    paths: list[str] = []
    seen = 0
    for parent, directories, files in os.walk(os.path.join(tree.root, start[1:])):
        directories[:] = sorted(name for name in directories if not name.startswith("."))
        seen += len(directories) + len(files)
        if seen > MAX_ENTRIES:
            raise InputError(f"the source holds more than {MAX_ENTRIES} files", Location("."))
        if any(file in KUSTOMIZATIONS for file in files):
            path = os.path.relpath(parent, tree.root)
            paths.append(posixpath.normpath(f"/{path}"))
    return sorted(paths)
