"""A chart directory of the fleet whose Chart.yaml names charts that lie elsewhere.

In: the directory's canonical path. Out: what is missing in its charts/, and a directory in which it is
there. What comes from elsewhere is locked like any chart; `file://` is a path in the fleet.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import NamedTuple

from ..errors import InputError, Location
from ..goyaml.load import Node, load_values
from ..system.files import FileTree, allowed_in, canonical
from .chart_request import ChartRequest, chart_request, checked_name
from .limits import MAX_DEPTH


class Dependency(NamedTuple):
    """An entry of `dependencies`: `path` (canonical) for `file://`, else `chart`."""

    name: str
    path: str
    chart: ChartRequest | None


def missing(path: str, tree: FileTree, at: Location) -> list[Dependency]:
    """What Chart.yaml in the directory `path` names and charts/ does not hold. InputError: bad entries.

    As in Helm, what stands in charts/ counts, switched on or not.
    """
    file = f"{path}/Chart.yaml"
    data = tree.read(file, at) if tree.exists(file) else b""
    if b"apiVersion: v1" in data and tree.exists(f"{path}/requirements.yaml"):
        file = f"{path}/requirements.yaml"
        data = tree.read(file, at)
    if b"dependencies" not in data:
        return []
    present = _present(f"{path}/charts", tree, at)

    def is_present(name: str) -> bool:
        return any(child == name or re.fullmatch(re.escape(name) + r"-v?\d.*\.tgz", child) for child in present)

    entries = load_values(data, file[1:]).elements("dependencies")
    absent = [entry for entry in entries if not is_present(entry.as_text("name"))]
    versions = _locked_by_helm(path, tree, at) if absent else {}
    return [_dependency(entry, versions, path, tree, Location(file[1:])) for entry in absent]


def _present(path: str, tree: FileTree, at: Location) -> list[str]:
    """Names in charts/: of directories what their Chart.yaml says, of archives the file's."""
    if not tree.is_dir(path):
        return []
    names: list[str] = []
    for entry in sorted(os.listdir(tree.locate(path, at))):
        chart = f"{path}/{entry}/Chart.yaml"
        if entry.endswith(".tgz"):
            names.append(entry)
        elif tree.exists(chart):
            names.append(load_values(tree.read(chart, at), chart[1:]).as_text("name"))
    return names


def _locked_by_helm(path: str, tree: FileTree, at: Location) -> dict[str, str]:
    """What Helm's own lock says: name -> version."""
    for name in ("Chart.lock", "requirements.lock"):
        file = f"{path}/{name}"
        if tree.exists(file):
            entries = load_values(tree.read(file, at), file[1:]).elements("dependencies")
            return {entry.as_text("name"): entry.as_text("version") for entry in entries}
    return {}


def _dependency(entry: Node, versions: dict[str, str], path: str, tree: FileTree, file: Location) -> Dependency:
    written = entry.entries().get("name")
    at = written.at if written is not None else file
    name, repository = checked_name(entry.as_text("name"), at), entry.as_text("repository")
    if repository.startswith("file://"):
        directory = canonical(repository.removeprefix("file://"), path, at)
        if not allowed_in(directory, tree.allowed):
            raise InputError(f'"{repository.removeprefix("file://")}" lies outside of the allowed directories', at)
        return Dependency(name, directory, None)
    if not repository:
        raise InputError(f"{name} is not in charts/, and names no repository", at)
    if repository.startswith(("@", "alias:")):
        raise InputError(f"the repository of {name} is a name that only your helm knows", at, "write its address")
    version = versions.get(name) or entry.as_text("version")
    return Dependency(name, "", chart_request(repository, name, version, at))


def complete(
    path: str,
    directory: str,
    tree: FileTree,
    at: Location,
    workdir: str,
    chart_directory: Callable[[ChartRequest], str],
    depth: int = 1,
) -> str:
    """A directory with the chart at `path` (on disk: `directory`) and all of its dependencies.

    `chart_directory` gives the directory of a chart from elsewhere. Without missing ones it is `directory`
    itself, else one below `workdir` that links to everything: Helm follows links.
    """
    absent = missing(path, tree, at)
    if not absent:
        return directory
    if depth > MAX_DEPTH:
        raise InputError(f"charts depend on each other more than {MAX_DEPTH} deep", at)
    whole = os.path.join(workdir, f"chart-{os.urandom(6).hex()}")
    os.makedirs(os.path.join(whole, "charts"), mode=0o700)
    _link(directory, whole, "charts")
    _link(os.path.join(directory, "charts"), os.path.join(whole, "charts"))
    for number, dependency in enumerate(absent):
        if dependency.chart:
            source = chart_directory(dependency.chart)
        else:
            below = tree.locate(dependency.path, at)
            source = complete(dependency.path, below, tree, at, workdir, chart_directory, depth + 1)
        os.symlink(source, os.path.join(whole, "charts", f"{dependency.name}-{number}"))
    return whole


def _link(directory: str, into: str, without: str = "") -> None:
    names = os.listdir(directory) if os.path.isdir(directory) else []
    for name in names:
        if name != without:
            os.symlink(os.path.join(directory, name), os.path.join(into, name))


def all_directories(path: str, tree: FileTree, at: Location, depth: int = 1) -> list[str]:
    """The directory `path` and every one that it needs by `file://`, as canonical paths."""
    directories = [path]
    for dependency in missing(path, tree, at):
        if not dependency.chart and depth < MAX_DEPTH:
            directories.extend(all_directories(dependency.path, tree, at, depth + 1))
    return directories


def all_missing(path: str, tree: FileTree, at: Location, depth: int = 1) -> list[ChartRequest]:
    """Every chart from elsewhere that the directory `path` needs, through `file://` too."""
    requests: list[ChartRequest] = []
    for dependency in missing(path, tree, at):
        if dependency.chart:
            requests.append(dependency.chart)
        elif depth < MAX_DEPTH:
            requests.extend(all_missing(dependency.path, tree, at, depth + 1))
    return requests
