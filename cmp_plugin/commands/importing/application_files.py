"""Argo CD's Applications in a directory of a repository, and what stands beside them.

In: a repository, where the source begins. Out: objects with their places. A source that is itself a chart or a
kustomization is built as its owner would. What is no YAML of Argo CD's is passed over, unless it stands where
Applications stand: whoever applies those applies it, too.
"""

from __future__ import annotations

import os
import posixpath
from typing import Any, NamedTuple

from ...argocd.applications import NAMESPACE
from ...errors import CmpError, InputError, Location
from ...goyaml.load import load_manifests
from ...render.manifest import Manifest, flatten_lists, identity, text
from ...specs.defaults import KUSTOMIZE
from ...system.files import MAX_ENTRIES, MAX_FILE
from ...tools import helm, kustomize
from .conversion import ImportRequest, Release
from .generators import ClusterSecret, cluster_secret
from .owner import chart_directory

GROUP = "argoproj.io"
KINDS = ("Application", "ApplicationSet", "AppProject")  # others of the group are Argo's, not Argo CD's
ENDINGS = (".yaml", ".yml", ".json")


class Found(NamedTuple):
    """An object of the source and the file it stands in."""

    value: dict[str, Any]
    at: Location

    @property
    def kind(self) -> str:
        """`Application`, `AppProject`, ... of Argo CD, `cluster` for its Secret of one; "" for what is another's."""
        key = identity(self.value)
        if key.group == GROUP and key.kind in KINDS:
            return key.kind
        return "cluster" if cluster_secret(self.value) else ""


def found_objects(request: ImportRequest, left: list[CmpError]) -> list[Found]:
    """Everything of Argo CD's, and objects beside Applications. What cannot be read goes to `left`."""
    built = _built(request)
    if built is not None:
        return built
    files = _read(request, left)
    theirs = [
        manifest for path, data in files.items() if GROUP.encode() in data for manifest in _objects(path, data, left)
    ]
    directories = {
        posixpath.dirname(f"/{manifest.at.file}")
        for manifest in theirs
        if manifest.kind in ("Application", "ApplicationSet")
    }
    others = [
        manifest
        for path, data in files.items()
        if GROUP.encode() not in data and posixpath.dirname(path) in directories
        for manifest in _objects(path, data, [])
        if text(manifest.value, "kind")
        and "apiVersion" in manifest.value
        and manifest.value.get("kind") != "Kustomization"
    ]
    return [
        *(manifest for manifest in theirs if manifest.kind or f"/{posixpath.dirname(manifest.at.file)}" in directories),
        *others,
    ]


def clusters_of(objects: list[Found]) -> list[ClusterSecret]:
    """What the Secrets among the objects say of clusters, by name."""
    secrets = [secret for manifest in objects if (secret := cluster_secret(manifest.value))]
    return sorted(secrets)


def _read(request: ImportRequest, left: list[CmpError]) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    room = MAX_FILE
    for path in yaml_files(request, request.start, True):
        try:
            files[path] = request.tree.read(path, Location(path[1:]))
            room -= len(files[path])
        except CmpError as error:
            left.append(error)
        if room < 0:
            raise InputError(
                f"the source holds more than {MAX_FILE >> 20} MiB of YAML", Location(request.start[1:] or ".")
            )
    return files


def _built(request: ImportRequest) -> list[Found] | None:
    """The objects of a source that is built; None when it is plain files."""
    at = Location(request.start[1:] or ".")
    if request.tree.exists(f"{request.start}/Chart.yaml"):
        release = Release(at, request.name, request.name, NAMESPACE, request.start)
        no_values = os.path.join(request.context.workdir, "no-values.yaml")
        with open(no_values, "wb") as file:
            file.write(b"{}\n")
        data = helm.template(
            helm.find(request.context.helm_range),
            chart_path=chart_directory(release, (), request.context),
            release="applications",
            namespace=NAMESPACE,
            include_crds=True,
            skip_tests=True,
            kube_version=request.kubernetes,
            api_versions=(),
            values_file=no_values,
            workdir=request.context.workdir,
            deadline=request.context.deadline,
        )
    elif request.tree.kustomization(request.start):
        directory = request.tree.locate(request.start, at)
        data = kustomize.build(
            kustomize.find(KUSTOMIZE), directory, workdir=request.context.workdir, deadline=request.context.deadline
        )
    else:
        return None
    return [Found(document.value, at) for document in load_manifests(data)]


def _objects(path: str, data: bytes, left: list[CmpError]) -> list[Found]:
    try:
        opened_ = flatten_lists(Manifest(document.value, "") for document in load_manifests(data))
        return [Found(manifest.value, Location(path[1:])) for manifest in opened_]
    except InputError as error:
        if b"kind: Application" in data:
            left.append(InputError(f"it cannot be read: {error.message}", Location(path[1:])))
        return []


def yaml_files(request: ImportRequest, directory: str, recurse: bool) -> list[str]:
    """Canonical paths of the YAML and JSON files below a directory, sorted; hidden ones and charts left out."""
    start = os.path.join(request.tree.root, directory[1:])
    paths: list[str] = []
    seen = 0
    for parent, directories, names in os.walk(start):
        charts = [name for name in directories if os.path.isfile(os.path.join(parent, name, "Chart.yaml"))]
        directories[:] = [name for name in directories if recurse and name[0] != "." and name not in charts]
        seen += len(directories) + len(names)
        if seen > MAX_ENTRIES:
            raise InputError(f"the source holds more than {MAX_ENTRIES} files", Location(directory[1:] or "."))
        below = os.path.relpath(parent, start)
        paths += [
            posixpath.normpath(posixpath.join(directory, below, name)) for name in names if name.endswith(ENDINGS)
        ]
    return sorted(paths)
