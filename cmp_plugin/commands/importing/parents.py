"""Applications that make other Applications: the new fleet takes their place, but not that of what else they make.

In: an Application, the files in which Applications stand. Out: the same without what makes Applications.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection

from ...errors import InputError
from ...goyaml.load import load_manifests
from ...render.kustomize.references import directories_of
from ...specs.defaults import KUSTOMIZE
from ...tools import kustomize
from .application_files import Found
from .conversion import ImportRequest
from .instances import Instance


def without_applications(instance: Instance, files: Collection[str], request: ImportRequest) -> Instance:
    """`instance` without the files and kustomizations of Applications. `files`: where Applications stand.

    Raises InputError for a kustomization that makes both.
    """
    return instance._replace(
        manifests=tuple(path for path in instance.manifests if path[1:] not in files),
        kustomizations=tuple(
            path for path in instance.kustomizations if not _makes_applications(path, instance, files, request)
        ),
    )


def _makes_applications(path: str, instance: Instance, files: Collection[str], request: ImportRequest) -> bool:
    directories = directories_of(path, request.tree, instance.at)
    if not {posixpath.dirname(f"/{file}") for file in files} & set(directories):
        return False
    directory = request.tree.locate(path, instance.at)
    built = kustomize.build(
        kustomize.find(KUSTOMIZE), directory, workdir=request.context.workdir, deadline=request.context.deadline
    )
    theirs = {bool(Found(document.value, instance.at).kind) for document in load_manifests(built)}
    if theirs == {True, False}:
        hint = "keep Applications in a kustomization of their own"
        raise InputError(f"{path[1:]} makes Applications and other objects", instance.at, hint)
    return theirs == {True}
