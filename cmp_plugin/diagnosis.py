"""Which patch made Kustomize fail, and why, in the words of the one who wrote it.

In: a build that failed, and how to make it with fewer patches. Out: an error at the patch. Runs only
after a failure; it costs a build for each halving of the list of patches.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .errors import CmpError, InputError, ToolError
from .manifest import Manifest
from .patches import Candidate, Entry, nothing_hit, traced
from .service import Service

Build = Callable[[Sequence[Entry]], list[Manifest]]


def blamed(service: Service, entries: Sequence[Entry], build: Build, error: ToolError) -> CmpError:
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


def _explained(
    service: Service, entry: Entry, before: Sequence[Manifest], cause: ToolError
) -> CmpError:
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
