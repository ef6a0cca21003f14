"""A service after its chart, step by step: what may change an object, in the order in which Kustomize does it.

In: a resolved service, a finished object. Out: the service without any of it, and then with one more each
time. Steps that cannot touch the object are left out. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ...errors import CmpError, Location
from ...fleet.service import Patch, ResolvedService
from ...fleet.value_path import Path
from ...goyaml.load import Node
from ...render.kustomize.images import matcher, name_of, references
from ...render.kustomize.operations import touches_identity
from ...render.kustomize.patches import entries
from ...render.manifest import Identity, Manifest, identity
from ...specs.kustomization_fields import FIELDS

# What comes before everything: it adds objects, or says how others work.
_FIRST = ("about", "adds", "prints")


class Generator(NamedTuple):
    """What makes an object out of nothing: an item of the fragment's generators."""

    what: str
    setting: Path
    at: Location


class Step(NamedTuple):
    """`setting`: where the step stands in the service's block; `service`: everything up to and with it."""

    what: str
    setting: Path
    service: ResolvedService


def steps(service: ResolvedService, target: Manifest) -> tuple[ResolvedService, list[Step]]:
    """The service without any step, and each step that may touch `target`, in order.

    Nothing in them is an error for meeting nothing, as parts are missing.
    """
    service = service._replace(
        patches=tuple(patch._replace(optional=True) for patch in service.patches),
        images=tuple(image._replace(optional=True) for image in service.images),
    )
    first = service._replace(patches=(), images=(), labels=(), annotations=(), kustomize=_fragment(service, ()))
    return first, list(_steps(service, first, target))


def _steps(service: ResolvedService, so_far: ResolvedService, target: Manifest) -> Iterator[Step]:
    given = service.kustomize.entries() if service.kustomize is not None else {}
    shown: list[str] = []
    for key in (key for key, field in FIELDS.items() if field.stage == "before" and key in given):
        shown.append(key)
        so_far = so_far._replace(kustomize=_fragment(service, shown))
        yield Step(f"kustomize.{key}", ("kustomize", key), so_far)
    for patch in service.patches:
        so_far = so_far._replace(patches=(*so_far.patches, patch))
        if _may_touch(patch, identity(target.value), service):
            yield Step(f"patch {patch.name}", ("patches", patch.name), so_far)
    for key in (key for key, field in FIELDS.items() if field.stage == "after" and key in given):
        shown.append(key)
        so_far = so_far._replace(kustomize=_fragment(service, shown))
        yield Step(f"kustomize.{key}", ("kustomize", key), so_far)
    for image in service.images:
        so_far = so_far._replace(images=(*so_far.images, image))
        matches = matcher(image)
        # What the image made, or what it would change.
        if any(name_of(text) == image.new_name or matches(text) for text in references(target.value)):
            yield Step(f"image {image.name}", ("images", image.name), so_far)
    for name in ("labels", "annotations"):
        if getattr(service, name):
            so_far = so_far._replace(**{name: getattr(service, name)})
            yield Step(f"metadata.{name}", ("metadata", name), so_far)


def _fragment(service: ResolvedService, shown: list[str] | tuple[str, ...]) -> Node | None:
    """The fragment with what comes first and the fields `shown`."""
    fragment = service.kustomize
    if fragment is None:
        return None
    fields = {key: child for key, child in fragment.entries().items() if FIELDS[key].stage in _FIRST or key in shown}
    return fragment.with_value(fields) if fields else None


def generator_of(service: ResolvedService, target: Manifest) -> Generator | None:
    """The generator of the service's fragment that an object is from, if it is from one."""
    actual = identity(target.value)
    for kind, key in (("ConfigMap", "configMapGenerator"), ("Secret", "secretGenerator")):
        for item in service.kustomize.elements(key) if service.kustomize is not None else ():
            name = item.get("name")
            # A hash comes behind the name.
            if (
                actual.kind == kind
                and name is not None
                and str(name.value) in (actual.name, actual.name.rpartition("-")[0])
            ):
                return Generator(f"kustomize.{key}", ("kustomize", key), item.at)
    return None


def _may_touch(patch: Patch, actual: Identity, service: ResolvedService) -> bool:
    """Whether a patch could change an object that ends up as `actual`."""
    try:
        renamed = changes_names(service)
        for entry in entries(service._replace(patches=(patch,))):
            if entry.selector is None:
                wanted = identity(entry.body)
                touched = wanted.kind == actual.kind and (renamed or wanted.name == actual.name)
            else:
                touched = entry.may_select(actual.kind) if renamed else entry.selector.selects_identity(actual, actual)
            if touched:
                return True
    except CmpError:
        return True
    return False


def changes_names(service: ResolvedService) -> bool:
    """Whether an object may have had another name or namespace before."""
    if service.kustomize is not None and any(FIELDS[key].may_rename for key in service.kustomize.entries()):
        return True
    return any(touches_identity(entry.plain_operations) for entry in entries(service))
