"""Rendered objects against the schemas of their cluster's Kubernetes and of the fleet's own CRDs.

In: one cluster's services with their objects. Out: errors that name service, object, field and where it comes
from, and what was not checked. Values are never printed: an object may be a Secret.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...errors import CmpError, InputError, Location
from ...fleet.plan import Planned
from ...fleet.service import Patch, ResolvedService
from ...render.kustomize.patch_parts import part_of_patch
from ...render.kustomize.selectors import read_selector
from ...render.manifest import Manifest, described, flatten_lists, identity
from ...tools.versions import minor
from . import kubernetes
from .json_schema import Refusal, Validator

Done = list[tuple[Planned, list[Manifest]]]
Path = tuple[str | int, ...]
INSTALL = "pip install 'cmp-plugin[kubernetes]'"


class ObjectChecks:
    """The schemas that a fleet needs, each loaded once; afterwards `unchecked` and `notes` say what was left out."""

    def __init__(self) -> None:
        self._files = kubernetes.available()
        self._loaded: dict[str, kubernetes.Schemas] = {}
        self._compiled: dict[str, Validator | None] = {}
        self.unchecked: dict[str, None] = {}
        self.notes: dict[str, int] = {}

    def of_cluster(self, done: Done) -> Iterator[CmpError]:
        """What the API server of this cluster would refuse."""
        schemas = self._schemas(done[0][0]) if done else None
        if schemas is None:
            return
        for _, manifests in done:
            for manifest in flatten_lists(manifests):
                schemas.add(manifest.value)
        for planned, manifests in done:
            for manifest in flatten_lists(manifests):
                yield from self._errors(planned.resolved.service, manifest, schemas)

    def _schemas(self, planned: Planned) -> kubernetes.ClusterSchemas | None:
        version = minor(planned.request.facts.kube_version)
        if not self._files:
            self.unchecked[f"objects were not compared with Kubernetes' schemas: {INSTALL} brings them"] = None
        elif not version:
            self.notes[f"{planned.cluster} says no Kubernetes version: its objects are not compared with schemas"] = 1
        elif version not in self._files:
            there = f"{next(iter(self._files))} to {list(self._files)[-1]}"
            self.unchecked[
                f"objects for Kubernetes {version} were not compared with schemas, there are those of {there}"
            ] = None
        else:
            if version not in self._loaded:
                self._loaded[version] = kubernetes.Schemas(version, self._files[version])
            return kubernetes.ClusterSchemas(self._loaded[version], self._compiled)
        return None

    def _errors(
        self, service: ResolvedService, manifest: Manifest, schemas: kubernetes.ClusterSchemas
    ) -> Iterator[CmpError]:
        outcome = schemas.refusals(manifest.value)
        if isinstance(outcome, kubernetes.Unknown):
            note = f"no schema of {outcome.kind}: not checked"
            self.notes[note] = self.notes.get(note, 0) + 1
            return
        for refusal in outcome:
            yield _error(service, manifest, refusal)


def _error(service: ResolvedService, manifest: Manifest, refusal: Refusal) -> CmpError:
    field = f" {refusal.where}" if refusal.path else ""
    reason = "there is no such field" if refusal.unknown else refusal.message
    patch, at = _patched(service, manifest, refusal.path)
    origin = f'patch "{patch.name}"' if patch else manifest.source
    return InputError(f"{service.label}: {described(manifest.value)}{field}: {reason} (from {origin})", at)


def _patched(service: ResolvedService, manifest: Manifest, path: Path) -> tuple[Patch | None, Location]:
    """The last patch that writes the field, and where; without one the service's file."""
    for patch in reversed(service.patches) if path else ():
        if patch.target is None or read_selector(patch.target).selects_type(identity(manifest.value)):
            if part := part_of_patch(patch, manifest.value, path, exact=True):
                return patch, part.entries()["path"].at if patch.is_json6902 else part.start
    return None, service.at
