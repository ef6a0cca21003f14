"""Why Kustomize failed, in the words of the one who wrote what made it fail.

In: a build that failed, and what it was made of. Out: an error at the patch, or one that names the sources of
an object that is there twice. Runs only after a failure: it costs a build for each halving of the list of
patches, or for each resource.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ...errors import CmpError, InputError, ToolError
from ...fleet.service import ResolvedService
from ..manifest import NOWHERE, Identity, Manifest, identity
from .build import OBJECTS, Kustomizer
from .kustomization import kustomization
from .patches import Candidate, Entry, nothing_hit, traced

# What Kustomize 5.8 says of the second of two objects that are one to it.
_REGISTERED = re.compile(r"may not add resource with an already registered id: (\S+)")


@contextmanager
def diagnosing(
    printed: Sequence[Manifest],
    kustomizer: Kustomizer,
    given: Sequence[Manifest] = (),
    entries: Sequence[Entry] = (),
) -> Iterator[None]:
    """Around builds with `kustomizer`: instead of a ToolError that they raise, a better one where there is one.

    `printed`: the chart's objects; `given`: those of them that Kustomize gets; `entries`: the patches that it gets.
    """
    try:
        yield
    except ToolError as error:
        service, deadline = kustomizer.context.service, kustomizer.context.deadline
        if entries and not deadline.expired:
            better = _blamed(service, entries, given, kustomizer, error)
            if not isinstance(better, ToolError):
                raise better from None
        raise (error if deadline.expired else _doubled(service, printed, kustomizer, error)) from None


def _blamed(
    service: ResolvedService,
    entries: Sequence[Entry],
    given: Sequence[Manifest],
    kustomizer: Kustomizer,
    error: ToolError,
) -> CmpError:
    """`error`, or one at the first patch without which everything up to and including the patches builds."""

    def outcome(count: int) -> list[Manifest] | ToolError:
        objects = [OBJECTS] if given else []
        value = kustomization(service, kustomizer.naming, objects=objects, entries=entries[:count], late=False)
        try:
            return kustomizer.build(value, given)
        except ToolError as error:
            return error

    good, bad = 0, len(entries)
    before, cause = outcome(good), outcome(bad)
    if isinstance(before, ToolError) or not isinstance(cause, ToolError):
        return error
    while bad - good > 1:
        middle = (good + bad) // 2
        built = outcome(middle)
        if isinstance(built, ToolError):
            bad, cause = middle, built
        else:
            good, before = middle, built
    entry = entries[good]
    try:
        (hit,) = traced(service, [entry], [Candidate(manifest) for manifest in before])
    except CmpError as better:
        return better
    if entry.selector is None and not hit.certain:
        return nothing_hit(service, entry, [Candidate(manifest) for manifest in before])
    reason = cause.message.removeprefix(f"{service.label}: kustomize: ")
    message = f'{service.label}: patch "{entry.patch.name}" cannot be applied: {reason}'
    return InputError(message, entry.patch.at)


def _doubled(
    service: ResolvedService, printed: Sequence[Manifest], kustomizer: Kustomizer, error: ToolError
) -> CmpError:
    """`error`; or, when two objects are one to Kustomize, an error that names both sources."""
    found = _REGISTERED.search(error.message)
    if not found:
        return error
    sources = [one.source for one in printed if found[1] in _ids(identity(one.value))]
    for resource in service.resources:
        # How often it is among this resource's objects: twice when these alone fail in the same way.
        alone = service._replace(resources=(resource,), kustomize=None)
        try:
            built = kustomizer.build(kustomization(alone, kustomizer.naming), [])
            count = sum(found[1] in _ids(identity(one.value)) for one in built)
        except ToolError as other:
            count = 2 if found[0] in other.message else 0
        sources += [f"resource {resource.path[1:]}"] * count
    if len(sources) < 2:
        return error
    kind, name = found[1].split(".")[0], found[1].partition("/")[2].rpartition(".")[0]
    where = f"{sources[0]}, twice" if sources[0] == sources[1] else f"{sources[0]} and {sources[1]}"
    return InputError(f"{service.label}: {kind}/{name} is there twice: from {where}", service.at)


def _ids(found: Identity) -> Iterator[str]:
    """An object's identity as Kustomize writes it; it takes no namespace for `default`."""
    type_text = f"{found.kind}.{found.version}.{found.group or '[noGrp]'}/{found.name}"
    namespaces = {found.namespace or "[noNs]"}
    if found.scope in ("default", NOWHERE):
        namespaces |= {"default", "[noNs]"}
    for namespace in namespaces:
        yield f"{type_text}.{namespace}"
