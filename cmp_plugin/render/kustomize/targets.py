"""What a service's patches and images change, found with as few builds as can be.

In: the chart's objects, the patches, a Kustomize to ask. Out: which of the chart's objects Kustomize
must see; an error for a patch or an image that matches nothing. The chart's objects are known. What
resources and the fragment add is known only after a build of it, which is made when something matched
nothing so far. Kustomize decides: it alone remembers previous names.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...errors import CmpError, Errors, InputError, ToolError, did_you_mean
from ...fleet.service import Image, ResolvedService
from ...goyaml.load import dump_values
from ..manifest import Manifest, described, is_nameless, mapping
from .build import OBJECTS, Kustomizer
from .diagnosis import diagnosing
from .images import hits, matcher, name_of, references
from .kustomization import acts_before_patches, kustomization, patch_entry
from .operations import touches_identity
from .patches import PLACEHOLDER, Candidate, Entry, Hit, entries, nothing_hit, traced
from .selectors import Match

_MARK = "cmp-plugin.example/met"
# What Kustomize 5.8 says of a patch that names an object which is not there.
_UNMATCHED = ("no resource matches strategic merge patch", "no matches for Id")

# Which kinds hold a reference that is a mapping with a namespace, by the kind that they refer to
# (api 0.21.2, builtinpluginconsts/namereference). Into such a reference Kustomize writes the namespace
# of an object that a JSON6902 patch or a `namespace` field met, changed or not.
_REFERRERS = {
    "ConfigMap": ("Node",),
    "Service": ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"),
    "ServiceAccount": ("ClusterRoleBinding", "RoleBinding"),
}


class Targets:
    """One service's patches and images, and the objects of its chart (`printed`, none inside of a list).

    `entries` are the patches that match something or may; `positions` those in `printed` of the objects that
    they or the images change; `images` the names of the images that change something.
    """

    def __init__(self, service: ResolvedService, printed: Sequence[Manifest], kustomizer: Kustomizer) -> None:
        self.printed = printed
        self.entries = entries(service)
        self.positions: set[int] = set()
        self.images: list[str] = []
        self._service = service
        self._kustomizer = kustomizer
        # Whether there is more than the chart's objects.
        self._has_others = bool(service.resources) or acts_before_patches(service)

    @classmethod
    def find(cls, service: ResolvedService, printed: Sequence[Manifest], kustomizer: Kustomizer) -> Targets:
        """Raises Errors with everything that matches nothing or cannot be applied, and what `diagnosing` raises."""
        with diagnosing(printed, kustomizer):
            targets = cls(service, printed, kustomizer)
            candidates, met = targets._traced([])
            if targets._has_others and any(_asks(*pair) for pair in zip(targets.entries, met, strict=True)):
                # What resources and the fragment make without the chart's objects, patches and the rest.
                others = kustomizer.build(kustomization(service, kustomizer.naming, late=False), [])
                candidates, met = targets._traced(others)
            errors: list[CmpError] = []
            targets._settle_patches(met, candidates, errors)
            targets._settle_images(candidates, errors)
            if errors:
                raise Errors(errors)
        return targets

    @property
    def renames(self) -> bool:
        """Whether a patch could change what identifies an object."""
        return any(touches_identity(entry.plain_operations) for entry in self.entries)

    def referrers(self, moves: bool) -> set[int]:
        """The positions of objects into which Kustomize might write a namespace; `moves`: a kustomization has one."""
        kinds = {
            referrer
            for kind, referrers in _REFERRERS.items()
            for referrer in referrers
            if moves or any(entry.may_select(kind) for entry in self.entries if entry.operations)
        }
        return {position for position, manifest in enumerate(self.printed) if manifest.value.get("kind") in kinds}

    def _traced(self, others: Sequence[Manifest]) -> tuple[list[Candidate], list[Hit]]:
        known = [Candidate(manifest, position) for position, manifest in enumerate(self.printed)]
        known += [Candidate(manifest) for manifest in others]
        return known, traced(self._service, self.entries, known)

    def _settle_patches(self, met: Sequence[Hit], candidates: Sequence[Candidate], errors: list[CmpError]) -> None:
        """Keep the patches that match something or may; the others are errors."""
        kept: list[Entry] = []
        for entry, hit in zip(self.entries, met, strict=True):
            self.positions.update(
                candidate.document for candidate in (*hit.certain, *hit.perhaps) if candidate.document >= 0
            )
            unknown = self._has_others or bool(hit.perhaps)
            if hit.certain or (unknown and (not _asks(entry, hit) or self._matches(kept, entry))):
                kept.append(entry)
            elif not entry.patch.optional:
                errors.append(nothing_hit(self._service, entry, candidates))
        self.entries = kept
        self.positions = {position for position in self.positions if not is_nameless(self.printed[position].value)}

    def _matches(self, before: Sequence[Entry], entry: Entry) -> bool:
        """Whether Kustomize finds something for an entry after the ones `before` it.

        It is asked with a patch that matches what `entry` would match, and leaves a mark there.
        """
        mark = patch_entry(entry)
        if entry.selector is not None:
            metadata = {**PLACEHOLDER["metadata"], "annotations": {_MARK: ""}}
            mark = {"patch": dump_values({**PLACEHOLDER, "metadata": metadata}).decode(), **entry.kustomize_target}
        try:
            built = self._build(before, [mark])
        except ToolError as error:
            return not any(text in error.message for text in _UNMATCHED)
        annotations = (mapping(mapping(manifest.value, "metadata"), "annotations") for manifest in built)
        return entry.selector is None or any(_MARK in pairs for pairs in annotations)

    def _build(self, entries: Sequence[Entry], patches: Sequence[dict[str, Any]] = ()) -> list[Manifest]:
        """Everything there is after some of the patches."""
        value = kustomization(self._service, self._kustomizer.naming, objects=[OBJECTS], entries=entries, late=False)
        if patches:
            value["patches"] = [*value.get("patches", []), *patches]
        named = [manifest for manifest in self.printed if not is_nameless(manifest.value)]
        return self._kustomizer.build(value, named)

    def _settle_images(self, candidates: Sequence[Candidate], errors: list[CmpError]) -> None:
        """Find the images that change something; the others are errors."""
        wanted: list[tuple[Image, Match]] = [(image, matcher(image)) for image in self._service.images]
        if not wanted:
            return
        effective: set[str] = set()
        for candidate in candidates:
            names = hits(references(candidate.value), wanted)
            if names and is_nameless(candidate.value):
                errors += [self._nameless(candidate, image) for image, _ in wanted if image.name in names]
                effective |= names
            elif names:
                self.positions.update([candidate.document] if candidate.document >= 0 else [])
                effective |= names if candidate.images else set()
        unknown = self._has_others or not all(candidate.images for candidate in candidates)
        unsettled = [image for image, _ in wanted if image.name not in effective and not image.optional]
        if unsettled and unknown and not errors:
            # The images that change something in what there is when Kustomize comes to them.
            built = self._build(self.entries)
            effective = {name for manifest in built for name in hits(references(manifest.value), wanted)}
        optional = {image.name for image, _ in wanted if image.optional and unknown}
        self.images = [image.name for image, _ in wanted if image.name in effective | optional]
        errors += [self._no_image(image, candidates) for image in unsettled if image.name not in effective]

    def _nameless(self, candidate: Candidate, image: Image) -> CmpError:
        message = (
            f'{self._service.label}: {described(candidate.value)} uses image "{image.name}"; '
            "Kustomize cannot change an object without a name"
        )
        return InputError(message, image.at)

    def _no_image(self, image: Image, candidates: Sequence[Candidate]) -> CmpError:
        texts = {text for candidate in candidates for text in references(candidate.value)}
        names = sorted({name_of(text) for text in texts})
        message = f'{self._service.label}: image "{image.name}" matches no container'
        return InputError(message, image.at, did_you_mean(image.name, names))


def _asks(entry: Entry, hit: Hit) -> bool:
    """Whether it matters that an entry matched nothing so far: Kustomize takes a target that selects nothing."""
    return not hit.certain and not (entry.patch.optional and entry.selector is not None)
