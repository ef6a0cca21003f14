"""A service's patches against the objects they meet, before Kustomize runs.

In: the patches, and objects as far as they are known. Out: which entry hits which objects, in
sequence, each entry seeing what the ones before it did; or errors at the patch. JSON6902 operations
are carried out here as a check; a strategic merge is Kustomize's alone, so after one an object's
content counts as unknown and only its labels and annotations are followed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ...errors import CmpError, Errors, InputError, did_you_mean, labelled
from ...fleet.service import Patch, ResolvedService
from ...goyaml.load import Node, plain
from ..manifest import Identity, Manifest, described, identity, is_nameless, mapping, strings, text
from .operations import applied, malformed, touches_identity, touches_metadata
from .selectors import Selector, read_selector

# A patch with a target needs none of its own; Kustomize insists on a kind and a name.
PLACEHOLDER: dict[str, Any] = {"kind": "Patch", "metadata": {"name": "patch"}}
# Kinds in whose containers Kustomize merges by name, as its OpenAPI data has their schemas.
_WORKLOADS = "CronJob DaemonSet Deployment Job Pod ReplicaSet StatefulSet".split()


class Entry(NamedTuple):
    """One entry of a kustomization's `patches`; a patch of several documents makes several.

    `operations` are JSON6902 and then `body` is empty; `selector` is None without a target.
    """

    patch: Patch
    body: dict[str, Any]
    operations: tuple[Node, ...] = ()
    selector: Selector | None = None

    @property
    def plain_operations(self) -> list[dict[str, Any]]:
        """The operations as data."""
        return [plain(operation) for operation in self.operations]

    @property
    def kustomize_target(self) -> dict[str, Any]:
        """`{target: ...}` for a kustomization, or nothing."""
        return {} if self.patch.target is None else {"target": plain(self.patch.target)}

    def may_select(self, kind: str) -> bool:
        """Whether the target could select an object of a kind."""
        return self.selector is None or self.selector.kind is None or self.selector.kind(kind)


class Candidate:
    """An object that patches may meet, followed through them.

    `document`: its position among the chart's objects, or -1. `content`: whether `value` is exact;
    `images`: whether its image references are; `sure`: whether identity, labels and annotations are;
    `gone`: whether a patch deleted it.
    """

    __slots__ = (
        *("value", "document", "original", "current", "labels", "annotations"),
        *("content", "images", "sure", "gone"),
    )

    def __init__(self, manifest: Manifest, document: int = -1) -> None:
        self.value = manifest.value
        self.document = document
        self.original = identity(manifest.value)
        self.content = self.images = self.sure = True
        self.gone = False
        self.look()

    def look(self) -> None:
        """Read identity, labels and annotations from the value."""
        self.current = identity(self.value)
        metadata = mapping(self.value, "metadata")
        self.labels = strings(metadata, "labels")
        self.annotations = strings(metadata, "annotations")


class Hit(NamedTuple):
    """What an entry meets: objects it certainly changes, and objects it perhaps does."""

    certain: list[Candidate]
    perhaps: list[Candidate]


def entries(service: ResolvedService) -> list[Entry]:
    """The service's patches as Kustomize takes them. Raises Errors for what can never be applied."""
    taken: list[Entry] = []
    errors: list[CmpError] = []
    for patch in service.patches:
        try:
            taken.extend(_entries(patch, errors))
        except CmpError as error:
            errors.append(error)
    if errors:
        raise Errors(labelled(error, service.label) for error in errors)
    return taken


def _entries(patch: Patch, errors: list[CmpError]) -> Iterator[Entry]:
    selector = read_selector(patch.target) if patch.target is not None else None
    if not patch.is_json6902:
        for body in patch.bodies:
            errors.extend(_wrong_strategic(patch, body, selector))
            yield Entry(patch, plain(body), selector=selector)
        return
    operations = patch.bodies[0].elements()
    errors.extend(error for node in operations if (error := malformed(node, patch.name)))
    if selector is None:
        errors.append(InputError(f'patch "{patch.name}": a list of JSON6902 operations needs a `target`', patch.at))
    yield Entry(patch, {}, tuple(operations), selector)


def _wrong_strategic(patch: Patch, body: Node, selector: Selector | None) -> Iterator[CmpError]:
    """What can never be applied in a strategic merge, whatever the objects are."""
    metadata = body.get("metadata")
    if not isinstance(body.value, dict):
        yield InputError(f'patch "{patch.name}" is neither a mapping nor a list of operations', body.at)
    elif metadata is not None and not isinstance(metadata.value, dict):
        yield InputError(f'patch "{patch.name}": metadata must be a mapping', metadata.at)
    elif selector is None:
        wanted = identity(plain(body))
        if not (wanted.version and wanted.kind and wanted.name):
            message = f'patch "{patch.name}" does not say what it changes'
            hint = "give it a `target`, or apiVersion, kind and metadata.name of its own"
            yield InputError(message, patch.at, hint)
    else:
        # With a target, Kustomize 5.8 makes the text "null" of a label's null instead of deleting it.
        for field in ("labels", "annotations"):
            for key, node in body.entries("metadata", field).items():
                if node.value is None:
                    yield InputError(
                        f'patch "{patch.name}": with a target, Kustomize does not delete {field}.{key}, '
                        'it writes the text "null"',
                        node.at,
                        "use a JSON6902 patch with `op: remove`, or name the object in the patch itself",
                    )


def traced(service: ResolvedService, sequence: Sequence[Entry], candidates: Sequence[Candidate]) -> list[Hit]:
    """What each entry meets. Raises Errors: operations that fail, patches on objects without name."""
    errors: dict[object, CmpError] = {}
    met: list[Hit] = []
    for entry in sequence:
        hit = _meets(entry, candidates)
        for candidates_hit, certain in ((hit.certain, True), (hit.perhaps, False)):
            for candidate in candidates_hit:
                try:
                    _apply(entry, candidate, certain)
                except CmpError as error:
                    errors.setdefault(error.at, labelled(error, service.label))
        met.append(hit)
    if errors:
        raise Errors(errors.values())
    return met


def _meets(entry: Entry, candidates: Sequence[Candidate]) -> Hit:
    wanted = identity(entry.body)
    certain, perhaps = [], []
    for candidate in candidates:
        if candidate.gone:
            continue
        if not candidate.sure:
            perhaps.append(candidate)
        elif entry.selector is None:
            if _same(wanted, candidate.current) or _same(wanted, candidate.original):
                certain.append(candidate)
        elif entry.selector.selects_identity(candidate.current, candidate.original) and entry.selector.selects_metadata(
            candidate.labels, candidate.annotations
        ):
            certain.append(candidate)
    return Hit(certain, perhaps)


def _same(wanted: Identity, actual: Identity) -> bool:
    return wanted[:4] == actual[:4] and wanted.scope == actual.scope


def _apply(entry: Entry, candidate: Candidate, certain: bool) -> None:
    if certain and is_nameless(candidate.value):
        raise InputError(
            f'patch "{entry.patch.name}" selects {described(candidate.value)}; '
            "Kustomize cannot change an object without a name",
            entry.patch.at,
            "narrow the target",
        )
    if not entry.operations:
        _merge(entry.body, candidate)
    elif candidate.content and certain:
        candidate.value = applied(entry.operations, candidate.value, entry.patch.name)
        candidate.look()
    else:
        operations = entry.plain_operations
        if touches_identity(operations) or touches_metadata(operations):
            candidate.sure = False
        candidate.images = False
    if not certain:
        candidate.content = candidate.images = False


def _merge(body: dict[str, Any], candidate: Candidate) -> None:
    """What is certain after a strategic merge: whether the object is there, labels, annotations."""
    candidate.content = False
    candidate.images &= not _touches_images(body, candidate.current)
    candidate.gone = body.get("$patch") == "delete" and candidate.sure
    metadata = mapping(body, "metadata")
    for field, pairs in (("labels", candidate.labels), ("annotations", candidate.annotations)):
        changes = metadata.get(field, {})
        if not isinstance(changes, dict) or "$patch" in changes:
            candidate.sure = False
            continue
        for key, value in changes.items():
            pairs.pop(key, None)
            if isinstance(value, str):
                pairs[key] = value
            elif value is not None:
                candidate.sure = False
    if "$patch" in body or "$patch" in metadata:
        candidate.sure = False


def _touches_images(value: Any, target: Identity) -> bool:
    """Whether a strategic merge could change which images an object names.

    Containers merge by name in the kinds of which Kustomize has the schema; elsewhere a list replaces.
    """
    if isinstance(value, list):
        return any(_touches_images(item, target) for item in value)
    if not isinstance(value, dict):
        return False
    lists = set() if target.kind in _WORKLOADS else {"containers", "initContainers", "volumes"}
    return any(
        key == "image" or key[:1] == "$" or key in lists or _touches_images(child, target)
        for key, child in value.items()
    )


def nothing_hit(service: ResolvedService, entry: Entry, candidates: Sequence[Candidate]) -> CmpError:
    """The error for an entry that hits nothing, with what was perhaps meant."""
    known = sorted({str(candidate.original) for candidate in candidates})
    target = plain(entry.patch.target) if entry.patch.target else None
    if target is None:
        wanted = str(identity(entry.body))
        namespace = text(mapping(entry.body, "metadata"), "namespace")
    else:
        wanted = f"{target.get('kind') or ''}/{target.get('name') or ''}"
        namespace = target.get("namespace") or ""
    hint = "" if wanted in known else did_you_mean(wanted, known)
    if not hint and namespace:
        hint = "an object without metadata.namespace is in `default` here"
    message = f'{service.label}: patch "{entry.patch.name}" matches no object'
    return InputError(message, entry.patch.at, hint)
