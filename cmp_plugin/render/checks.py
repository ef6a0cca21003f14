"""The guards on a render: what Argo CD would choke on, or silently take for something else.

In: manifests with the names of their sources. Out: nothing, or every error at once. An error names
objects, fields and sources, never a value: it may be a secret.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ..errors import Errors, InputError
from ..fleet.service import ResolvedService
from .kustomize.metadata import COMMANDS
from .manifest import Manifest, described, is_list, text
from .object_key import duplicates, scopes_of


def check(service: ResolvedService, manifests: Sequence[Manifest]) -> None:
    """Raises Errors: no objects at all, malformed ones, two with one identity."""
    if not manifests and "empty" not in service.allow:
        hint = "Argo CD would delete everything; write `allow: [empty]` if that is meant"
        raise InputError(f"{service.label}: the service renders to no objects", service.at, hint)
    check_objects(service, manifests)


def check_objects(service: ResolvedService, manifests: Iterable[Manifest]) -> None:
    """The same for some of the objects, as soon as they are known."""
    manifests = list(manifests)
    faults = [
        f"{described(manifest.value)} of {manifest.source}: {fault}"
        for manifest in manifests
        for fault in _faults(manifest.value)
    ]
    objects = [(manifest.source, manifest.value, service.namespace) for manifest in manifests]
    for key, first, second in duplicates(objects, scopes_of(value for _, value, _ in objects)):
        where = f" in namespace {key.namespace}" if key.namespace else ""
        sources = f"{first} and {second}" if first != second else f"{first}, twice"
        faults.append(f"{key.kind}/{key.name}{where} is there twice: from {sources}")
    if faults:
        raise Errors(InputError(f"{service.label}: {fault}", service.at) for fault in faults)


def _faults(value: dict[str, Any]) -> Iterator[str]:
    """What Argo CD would choke on in one object."""
    for key in ("apiVersion", "kind"):
        if not text(value, key):
            yield _needed(value, key, key)
    metadata = value.get("metadata")
    if not isinstance(metadata, dict):
        yield _needed(value, "metadata", "metadata")
        return
    if is_list(value):
        yield "a list needs `items` that are objects"
    elif not text(metadata, "name") and (metadata.get("name") or not text(metadata, "generateName")):
        yield _needed(metadata, "name", "metadata.name")
    if not isinstance(metadata.get("namespace"), str | None):
        yield "metadata.namespace must be a string"
    # Kustomize writes other scalars of annotations as text, see `with_metadata`.
    for field, accepted in (("labels", str | None), ("annotations", str | int | float | None)):
        pairs = metadata.get(field)
        if not isinstance(pairs, dict | None):
            yield f"metadata.{field} must be a mapping"
            continue
        for key, child in (pairs or {}).items():
            if not isinstance(child, accepted):
                yield f"metadata.{field}.{key} must be a string"
            if key in COMMANDS:
                yield f"metadata.{field}.{key} is Kustomize's own"


def _needed(value: dict[str, Any], key: str, name: str) -> str:
    return f"{name} is missing" if value.get(key) is None else f"{name} must be a string"
