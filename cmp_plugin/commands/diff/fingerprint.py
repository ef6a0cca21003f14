"""What decides a render, as one digest: two services with the same one render to the same bytes.

In: a resolved service, the files it may read. Out: a digest over the service without its places and its
cluster's name, and over everything in the fleet that helm or kustomize could open for it. What lies
elsewhere is locked, or the same for whoever asks now. When in doubt it says that two services differ:
that costs a render, and the other mistake would hide a change.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from typing import Any

from ...charts.dependencies import missing
from ...errors import CmpError, Location
from ...fleet.service import ResolvedService
from ...goyaml.load import Node, plain
from ...render.kustomize.references import RemoteBase, references_of
from ...specs.paths import is_remote, named_paths
from ...system.files import FileTree
from .digests import Contents

_MOST_CHARTS = 1000
# What it says is in the service; the tools open it only where something else names it, or all around it.
_SPEC = "service.yaml"
_ONLY_ERRORS = ("cluster", "at")
_ONLY_CHARTS = ("release", "kube_version", "api_versions", "helm_range", "mirrors", "lock_optional")


def fingerprint(service: ResolvedService, tree: FileTree, contents: Contents) -> str:
    """The digest; one that nothing else has, where the files cannot be told."""
    try:
        files = [(path, contents.of(path, tree)) for path in sorted(set(_readable(service, tree, contents)))]
        files.append(("", contents.of(service.directory, tree, _SPEC)))
    except (CmpError, OSError):
        # The render will say what is wrong, on the side where it is.
        return os.urandom(16).hex()
    unread = _ONLY_ERRORS if service.chart else (*_ONLY_ERRORS, *_ONLY_CHARTS)
    fields = {name: bare(value) for name, value in service._asdict().items() if name not in unread}
    return digest(json.dumps([fields, files], sort_keys=True))


def digest(text: str) -> str:
    """A short name for a text."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def bare(value: Any) -> Any:
    """A part of a service as JSON can hold it, without the places where it was written."""
    if isinstance(value, Location):
        return None
    if isinstance(value, Node):
        return plain(value)
    if isinstance(value, frozenset):
        return sorted(value)
    return [bare(child) for child in value] if isinstance(value, tuple) else value


def _readable(service: ResolvedService, tree: FileTree, contents: Contents) -> Iterator[str]:
    """Files and directories that a render could open; values files and patches are in the service."""
    if service.chart is not None and service.chart.path:
        yield from _charts(service.chart.path, tree, service.chart.at, contents)
    yield from (path for _, path in service.mirrors if "://" not in path)
    resources = [resource.path for resource in service.resources if not is_remote(resource.path)]
    fragment = [service.kustomize] if service.kustomize is not None else []
    named = [str(node.value) for block in fragment for node in named_paths(Node({"kustomize": block}, block.at))]
    yield from (*resources, *named)
    yield from _reached(service, tree)


def _reached(service: ResolvedService, tree: FileTree) -> list[str]:
    """Every directory that Kustomize would open; all that it may, where bases come from elsewhere."""
    try:
        return references_of(service, tree).directories
    except RemoteBase:
        return list(tree.allowed)


def _charts(path: str, tree: FileTree, at: Location, contents: Contents) -> Iterator[str]:
    """A chart's directory or archive, and the directories of the charts that it names by `file://`."""
    pending, seen = [path], set[str]()
    while pending and len(seen) < _MOST_CHARTS:
        chart = pending.pop()
        seen.add(chart)
        yield chart
        if chart not in contents.plain_charts and tree.is_dir(chart):
            named = [dependency.path for dependency in missing(chart, tree, at) if dependency.path]
            pending += [path for path in named if path not in seen]
            contents.plain_charts.update([] if named else [chart])
