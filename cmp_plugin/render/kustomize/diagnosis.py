"""Why Kustomize failed, in the words of the one who wrote what made it fail.

In: a build that failed, and how to make it with less. Out: an error at the patch, or one that names
the sources of an object that is there twice. Runs only after a failure: it costs a build for each
halving of the list of patches, or for each resource.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from ...errors import CmpError, InputError, ToolError
from ...fleet.service import ResolvedService
from ..manifest import NOWHERE, Identity, Manifest, identity
from .build import Kustomizer
from .kustomization import kustomization
from .patches import Candidate, Entry, nothing_hit, traced

Build = Callable[[Sequence[Entry]], list[Manifest]]

_REGISTERED = re.compile(r"may not add resource with an already registered id: (\S+)")


def blamed(service: ResolvedService, entries: Sequence[Entry], build: Build, error: ToolError) -> CmpError:
    """`error`, or a better one: at the first patch without which the build succeeds.

    `build` makes everything up to and including the given patches, nothing that comes after them.
    """
    good, bad = 0, len(entries)
    before, cause = _tried(build, entries[:0]), _tried(build, entries)
    if isinstance(before, ToolError) or not isinstance(cause, ToolError):
        return error
    while bad - good > 1:
        middle = (good + bad) // 2
        outcome = _tried(build, entries[:middle])
        if isinstance(outcome, ToolError):
            bad, cause = middle, outcome
        else:
            good, before = middle, outcome
    return _explained(service, entries[good], before, cause)


def _tried(build: Build, entries: Sequence[Entry]) -> list[Manifest] | ToolError:
    try:
        return build(entries)
    except ToolError as error:
        return error


def _explained(service: ResolvedService, entry: Entry, before: Sequence[Manifest], cause: ToolError) -> CmpError:
    candidates = [Candidate(manifest) for manifest in before]
    try:
        (hit,) = traced(service, [entry], candidates)
    except CmpError as error:
        return error
    if entry.selector is None and not hit.certain:
        return nothing_hit(service, entry, [Candidate(manifest) for manifest in before])
    reason = cause.message.removeprefix(f"{service.label}: kustomize: ")
    message = f'{service.label}: patch "{entry.patch.name}" cannot be applied: {reason}'
    return InputError(message, entry.patch.at)


def doubled(
    service: ResolvedService, printed: Sequence[Manifest], kustomizer: Kustomizer, error: ToolError
) -> CmpError:
    """`error`; or, when two objects are one to Kustomize, an error that names both sources."""
    found = _REGISTERED.search(error.message)
    if not found or not kustomizer.has_time:
        return error
    sources = [one.source for one in printed if found[1] in _ids(identity(one.value))]
    for resource in service.resources:
        alone = service._replace(resources=(resource,), kustomize=None)
        sources += [f"resource {resource.path[1:]}"] * _count(alone, kustomizer, found)
    if len(sources) < 2:
        return error
    kind, name = found[1].split(".")[0], found[1].partition("/")[2].rpartition(".")[0]
    where = f"{sources[0]}, twice" if sources[0] == sources[1] else f"{sources[0]} and {sources[1]}"
    return InputError(f"{service.label}: {kind}/{name} is there twice: from {where}", service.at)


def _count(service: ResolvedService, kustomizer: Kustomizer, found: re.Match[str]) -> int:
    """How often an object is among the service's resources; 2 when these alone fail in the same way."""
    try:
        built = kustomizer.build(kustomization(service, kustomizer.places), [])
    except ToolError as error:
        return 2 if found[0] in error.message else 0
    return sum(found[1] in _ids(identity(one.value)) for one in built)


def _ids(found: Identity) -> Iterator[str]:
    """An object's identity as Kustomize writes it; it takes no namespace for `default`."""
    type_text = f"{found.kind}.{found.version}.{found.group or '[noGrp]'}/{found.name}"
    namespaces = {found.namespace or "[noNs]"}
    if found.scope in ("default", NOWHERE):
        namespaces |= {"default", "[noNs]"}
    for namespace in namespaces:
        yield f"{type_text}.{namespace}"
