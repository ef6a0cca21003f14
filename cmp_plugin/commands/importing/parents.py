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


def without_applications(found: Instance, files: Collection[str], asked: ImportRequest) -> Instance:
    """`found` without the files and kustomizations of Applications. `files`: where Applications stand.

    Raises InputError for a kustomization that makes both.
    """
    return found._replace(
        manifests=tuple(path for path in found.manifests if path[1:] not in files),
        kustomizations=tuple(
            path for path in found.kustomizations if not _makes_applications(path, found, files, asked)
        ),
    )


def _makes_applications(path: str, found: Instance, files: Collection[str], asked: ImportRequest) -> bool:
    directories = directories_of(path, asked.tree, found.at)
    if not {posixpath.dirname(f"/{file}") for file in files} & set(directories):
        return False
    place = asked.tree.locate(path, found.at)
    built = kustomize.build(
        kustomize.find(KUSTOMIZE), place, workdir=asked.context.workdir, deadline=asked.context.deadline
    )
    theirs = {bool(Found(document.value, found.at).kind) for document in load_manifests(built)}
    if theirs == {True, False}:
        hint = "keep Applications in a kustomization of their own"
        raise InputError(f"{path[1:]} makes Applications and other objects", found.at, hint)
    return theirs == {True}
