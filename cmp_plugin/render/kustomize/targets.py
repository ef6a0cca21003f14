"""What a service's patches and images meet, found with as few builds as can be.

In: the chart's objects, the patches, a Kustomize to ask. Out: which of the chart's objects Kustomize
must see; an error for a patch or an image that meets nothing. The chart's objects are known. What
resources and the fragment add is known only after a build of it, which is made when something met
nothing so far. The last word has Kustomize: it alone remembers previous names.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...errors import CmpError, Errors, InputError, ToolError, did_you_mean
from ...fleet.service import Image, ResolvedService
from ...goyaml.load import dump_values
from ..manifest import Manifest, described, is_nameless, mapping
from .build import OBJECTS, Kustomizer
from .images import hits, matcher, name_of, references
from .kustomization import acts_before_patches, kustomization, patch_entry
from .patches import PLACEHOLDER, Candidate, Entry, Hit, nothing_hit, traced

_MARK = "cmp-plugin.example/met"
_UNMATCHED = ("no resource matches strategic merge patch", "no matches for Id")


class Meeting:
    """One service's patches and images, and the objects of its chart (`printed`, lists opened).

    `entries` is what remains of the patches after `settle`; `seen` are the places in `printed` of the
    objects that they or the images change; `images` the images that change something.
    """

    def __init__(
        self, service: ResolvedService, printed: Sequence[Manifest], entries: list[Entry], kustomizer: Kustomizer
    ) -> None:
        self.service = service
        self.printed = printed
        self.entries = entries
        self.kustomizer = kustomizer
        self.seen: set[int] = set()
        self.images: list[str] = []
        self._others: list[Manifest] | None = None

    @property
    def has_others(self) -> bool:
        """Whether there is more than the chart's objects."""
        return bool(self.service.resources) or acts_before_patches(self.service)

    def settle(self) -> None:
        """Find out everything. Raises Errors with all that meets nothing or cannot be applied."""
        errors: list[CmpError] = []
        candidates, met = self._traced()
        if self.has_others and any(self._asks(*pair) for pair in zip(self.entries, met, strict=True)):
            self._others = self._build_others()
            candidates, met = self._traced()
        self._settle_patches(met, candidates, errors)
        self._settle_images(candidates, errors)
        if errors:
            raise Errors(errors)

    def _traced(self) -> tuple[list[Candidate], list[Hit]]:
        known = [Candidate(manifest, place) for place, manifest in enumerate(self.printed)]
        known += [Candidate(manifest) for manifest in self._others or ()]
        return known, traced(self.service, self.entries, known)

    def _asks(self, entry: Entry, hit: Hit) -> bool:
        """Whether it matters that an entry met nothing so far: Kustomize takes a target that does not."""
        return not hit.certain and not (entry.patch.lenient and entry.selector is not None)

    def _build_others(self) -> list[Manifest]:
        """What resources and the fragment make without the chart's objects, patches and the rest."""
        value = kustomization(self.service, self.kustomizer.places, late=False)
        return self.kustomizer.build(value, [])

    def _settle_patches(self, met: Sequence[Hit], candidates: Sequence[Candidate], errors: list[CmpError]) -> None:
        kept: list[Entry] = []
        for entry, hit in zip(self.entries, met, strict=True):
            self.seen.update(one.document for one in (*hit.certain, *hit.perhaps) if one.document >= 0)
            unknown = self.has_others or bool(hit.perhaps)
            if hit.certain or unknown and (not self._asks(entry, hit) or self._meets(kept, entry)):
                kept.append(entry)
            elif not entry.patch.lenient:
                errors.append(nothing_hit(self.service, entry, candidates))
        self.entries = kept
        self.seen = {place for place in self.seen if not is_nameless(self.printed[place].value)}

    def _meets(self, before: Sequence[Entry], entry: Entry) -> bool:
        """Whether Kustomize finds something for an entry after the ones `before` it."""
        value = kustomization(self.service, self.kustomizer.places, objects=[OBJECTS], entries=before, late=False)
        value["patches"] = [*value.get("patches", []), _marking(entry)]
        try:
            built = self.kustomizer.build(value, self.named())
        except ToolError as error:
            return not any(text in error.message for text in _UNMATCHED)
        if entry.selector is None:
            return True
        return any(_MARK in mapping(mapping(manifest.value, "metadata"), "annotations") for manifest in built)

    def named(self) -> list[Manifest]:
        """The chart's objects that Kustomize takes."""
        return [manifest for manifest in self.printed if not is_nameless(manifest.value)]

    def _settle_images(self, candidates: Sequence[Candidate], errors: list[CmpError]) -> None:
        wanted = [(image, matcher(image)) for image in self.service.images]
        if not wanted:
            return
        found: set[str] = set()
        for candidate in candidates:
            names = hits(references(candidate.value), wanted)
            if names and is_nameless(candidate.value):
                errors += [self._nameless(candidate, one) for one, _ in wanted if one.name in names]
                found |= names
            elif names:
                self.seen.update([candidate.document] if candidate.document >= 0 else [])
                found |= names if candidate.images else set()
        unknown = self.has_others or not all(candidate.images for candidate in candidates)
        asked = [image for image in self.service.images if image.name not in found and not image.lenient]
        if asked and unknown and not errors:
            found = self._found_before_images(wanted)
        optional = {image.name for image in self.service.images if image.lenient and unknown}
        self.images = [image.name for image, _ in wanted if image.name in found | optional]
        errors += [self._no_image(image, candidates) for image in asked if image.name not in found]

    def _found_before_images(self, wanted: Sequence[tuple[Image, Any]]) -> set[str]:
        """The images that change something in what there is when Kustomize comes to them."""
        value = kustomization(self.service, self.kustomizer.places, objects=[OBJECTS], entries=self.entries, late=False)
        found: set[str] = set()
        for manifest in self.kustomizer.build(value, self.named()):
            found |= hits(references(manifest.value), wanted)
        return found

    def _nameless(self, candidate: Candidate, image: Image) -> CmpError:
        message = (
            f'{self.service.label}: {described(candidate.value)} uses image "{image.name}"; '
            "Kustomize cannot change an object without a name"
        )
        return InputError(message, image.at)

    def _no_image(self, image: Image, candidates: Sequence[Candidate]) -> CmpError:
        texts = {text for candidate in candidates for text in references(candidate.value)}
        names = sorted({name_of(text) for text in texts})
        message = f'{self.service.label}: image "{image.name}" matches no container'
        return InputError(message, image.at, did_you_mean(image.name, names))


def _marking(entry: Entry) -> dict[str, Any]:
    """A patch that meets what `entry` would meet, and leaves a mark there."""
    if entry.selector is None:
        return patch_entry(entry)
    metadata = {**PLACEHOLDER["metadata"], "annotations": {_MARK: ""}}
    body = {**PLACEHOLDER, "metadata": metadata}
    return {"patch": dump_values(body).decode(), **entry.kustomize_target}
