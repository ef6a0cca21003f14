"""Chart output, resources, fragment, images, metadata and patches -> the objects of a service.

In: what helm printed, a resolved service. Out: exactly the objects that one `kustomize build` of all
of it would print, in its order, and the objects that Kustomize refuses (those whose name the API
server makes up). Kustomize takes time that grows with the square of the objects, so it is given only
what it can change; docs/rendering.md says why the rest may pass by. Where nothing can change, nothing
is started.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ...errors import ToolError
from ...fleet.service import ResolvedService
from ...goyaml.load import Document
from ...system.files import FileTree
from ..checks import check_objects
from ..manifest import Manifest, identity, is_nameless, opened
from .build import OBJECTS, Kustomizer
from .diagnosis import blamed, doubled
from .kustomization import changes_everything, has_fragment, kustomization
from .metadata import finished
from .operations import touches_identity
from .order import ordered, with_nameless
from .patches import Entry, entries
from .references import Reach, references_of
from .targets import Meeting

# Which kinds hold a reference that is a mapping with a namespace, by the kind that they refer to
# (api 0.21.2, builtinpluginconsts/namereference). Into such a reference Kustomize writes the namespace
# of an object that a JSON6902 patch or a `namespace` field met, changed or not.
_REFERRERS = {
    "ConfigMap": ("Node",),
    "Service": ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"),
    "ServiceAccount": ("ClusterRoleBinding", "RoleBinding"),
}


class Settled(NamedTuple):
    """A service before Kustomize's one build: the chart's objects, what meets them, what is reached."""

    printed: list[Manifest]
    meeting: Meeting
    reach: Reach


def settled(service: ResolvedService, documents: Iterable[Document], tree: FileTree, kustomizer: Kustomizer) -> Settled:
    """Everything that can be found wrong with the chart's objects and what meets them, looked for.

    Raises InputError, ToolError or several as Errors.
    """
    return _settled(service, _objects(documents), tree, kustomizer)


def _settled(service: ResolvedService, printed: list[Manifest], tree: FileTree, kustomizer: Kustomizer) -> Settled:
    check_objects(service, printed)
    reach = references_of(service, tree)
    meeting = Meeting(service, printed, entries(service), kustomizer)
    meeting.settle()
    return Settled(printed, meeting, reach)


def transform(
    service: ResolvedService,
    documents: Iterable[Document],
    tree: FileTree,
    kustomizer: Kustomizer,
    *,
    whole: bool = False,
) -> list[Manifest]:
    """The objects of a service. Raises InputError, ToolError or several as Errors.

    `whole` gives Kustomize every object, needed or not: for tests, the result is the same.
    """
    printed = _objects(documents)
    try:
        found = _settled(service, printed, tree, kustomizer)
        if _is_directory_alone(service, printed, tree):
            (resource,) = service.resources
            built = kustomizer.build_directory(resource.path, resource.at)
            return list(finished(_sourced(built, [], service), service, add=True))
        return _transformed(service, found, kustomizer, whole)
    except ToolError as error:
        raise doubled(service, printed, kustomizer, error) from None


def _transformed(service: ResolvedService, found: Settled, kustomizer: Kustomizer, whole: bool) -> list[Manifest]:
    printed, meeting, reach = found
    whole = whole or changes_everything(service) or reach.renames or _renames(meeting.entries)
    seen = set(range(len(printed))) if whole else meeting.seen | _referrers(printed, meeting, reach)
    given = [one for place, one in enumerate(printed) if place in seen and not is_nameless(one.value)]
    built = []
    if given or service.resources or has_fragment(service):
        built = _built(service, given, meeting, kustomizer, metadata=whole)
    return _assembled(service, printed, given, _sourced(built, given, service), whole)


def _objects(documents: Iterable[Document]) -> list[Manifest]:
    """What helm printed, object by object."""
    return list(opened(Manifest(one.value, _template(one)) for one in documents))


def _template(document: Document) -> str:
    return f"chart template {document.source}" if document.source else "the chart"


def _is_directory_alone(service: ResolvedService, printed: Sequence[Manifest], tree: FileTree) -> bool:
    """Whether the service is a kustomization and nothing else, to be built as it is."""
    more = printed or service.chart or has_fragment(service) or service.patches or service.images
    return not more and len(service.resources) == 1 and tree.is_dir(service.resources[0].path)


def _renames(entries: Iterable[Entry]) -> bool:
    return any(touches_identity(entry.plain_operations) for entry in entries)


def _referrers(printed: Sequence[Manifest], meeting: Meeting, reach: Reach) -> set[int]:
    """The places of objects into which Kustomize might write a namespace."""
    kinds: set[str] = set()
    for kind, referrers in _REFERRERS.items():
        selected = any(entry.may_select(kind) for entry in meeting.entries if entry.operations)
        if reach.moves or selected:
            kinds.update(referrers)
    return {place for place, one in enumerate(printed) if one.value.get("kind") in kinds}


def _built(
    service: ResolvedService, given: Sequence[Manifest], meeting: Meeting, kustomizer: Kustomizer, metadata: bool
) -> list[Manifest]:
    def build(some: Sequence[Entry], late: bool) -> list[Manifest]:
        value = kustomization(
            service,
            kustomizer.places,
            objects=[OBJECTS] if given else [],
            entries=some,
            late=late,
            metadata=metadata and late,
            images=meeting.images if late else (),
        )
        return kustomizer.build(value, given)

    try:
        return build(meeting.entries, True)
    except ToolError as error:
        if not meeting.entries or not kustomizer.has_time:
            raise
        raise blamed(service, meeting.entries, lambda some: build(some, False), error) from None


def _sourced(built: Iterable[Manifest], given: Iterable[Manifest], service: ResolvedService) -> list[Manifest]:
    """What Kustomize printed, each object with the source that it is known to have."""
    sources = {identity(one.value): one.source for one in given}
    others = [resource.path[1:] for resource in service.resources]
    other = f"resource {others[0]}" if len(others) == 1 else "the service's resources"
    return [Manifest(one.value, sources.get(identity(one.value), other)) for one in built]


def _assembled(
    service: ResolvedService,
    printed: Sequence[Manifest],
    given: Sequence[Manifest],
    built: Sequence[Manifest],
    whole: bool,
) -> list[Manifest]:
    """What was built and what passed by, in order."""
    gone = {id(one) for one in given}
    passed = [one for one in printed if id(one) not in gone]
    named = [one for one in passed if not is_nameless(one.value)]
    objects = built if whole else ordered(finished([*named, *built], service, add=True))
    nameless = {id(one): next(finished([one], service, add=True), None) for one in passed if is_nameless(one.value)}
    places = [(None, kept) if (kept := nameless.get(id(one))) else (identity(one.value), one) for one in printed]
    return with_nameless(objects, places)
