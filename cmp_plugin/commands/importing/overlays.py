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
    found: dict[tuple[str, str], list[Overlay]] = {}
    kustomizations = _kustomizations(tree, start)
    for path in kustomizations:
        steps = path.strip("/").split("/")
        places = [index for index, step in enumerate(steps[:-1]) if step in PARENTS]
        if not places:
            continue
        top, environment, below = steps[: places[-1]], steps[places[-1] + 1], steps[places[-1] + 2 :]
        whole = "/" + "/".join(steps[: places[-1] + 2])
        if len(below) > 1 or (below and whole in kustomizations):
            continue  # a part of the overlay above it
        app = (below or top or [name])[-1]
        overlay = Overlay(environment, dns_name(environment), path)
        found.setdefault(("/" + "/".join(top), app), []).append(overlay)
    if not found:
        hint = f"an overlay is a kustomization in one of {', '.join(one + '/<environment>' for one in PARENTS)}"
        raise InputError("there is no overlay in the source", None, hint)
    return _named(found)


def _named(found: dict[tuple[str, str], list[Overlay]]) -> list[App]:
    """Two apps of one name get their directories' names before it."""
    apps: list[App] = []
    for (directory, app), overlays in sorted(found.items()):
        twice = sum(name == app for _, name in found) > 1
        steps = [step for step in directory.split("/") if step]
        whole = steps if steps and steps[-1] == app else [*steps, app]
        apps.append(App(dns_name("-".join(whole) if twice else app), directory, tuple(sorted(overlays))))
    return apps


def _kustomizations(tree: FileTree, start: str) -> list[str]:
    """Canonical directories that hold a kustomization; hidden ones and links are not entered."""
    found: list[str] = []
    seen = 0
    for place, directories, files in os.walk(os.path.join(tree.root, start[1:])):
        directories[:] = sorted(each for each in directories if not each.startswith("."))
        seen += len(directories) + len(files)
        if seen > MAX_ENTRIES:
            raise InputError(f"the source holds more than {MAX_ENTRIES} files", Location("."))
        if any(file in KUSTOMIZATIONS for file in files):
            path = os.path.relpath(place, tree.root)
            found.append(posixpath.normpath(f"/{path}"))
    return sorted(found)
