"""The proof: each service on each cluster, rendered from the source and from the fleet, object by object.

In: pairs, a source, a fleet on the disk. Out: per pair how many objects are equal, or what differs. A value
of a Secret is never shown.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, NamedTuple

from ...errors import CmpError, InputError
from ...fleet.cluster import open_cluster
from ...fleet.files import Fleet
from ...fleet.plan import Planned, planned_service
from ...render.compare import ABSENT, ADDED, REMOVED, Change, compared
from ...render.manifest import mapping
from ...render.render import render
from ...system.process import Deadline
from .conversion import Pair

SHOWN = 20  # differences of one pair: by then it is clear that something is wrong
LONGEST = 60  # characters of a value


class Proof(NamedTuple):
    """`objects`: how many are equal; `errors`: what differs, or why there is nothing to compare.

    `random`: fields that are other ones at each render of the source.
    """

    pair: Pair
    objects: int
    errors: tuple[CmpError, ...]
    random: tuple[str, ...] = ()


Parallel = Callable[[list[Planned], Callable[[Planned, Deadline], bytes]], Iterable[tuple[Planned, bytes | CmpError]]]


def prove(
    pairs: Iterable[Pair], fleet: Fleet, theirs: Callable[[Pair, Deadline], list[dict[str, Any]]], parallel: Parallel
) -> Iterator[Proof]:
    """One proof per pair, in their order. `theirs` renders the source, `parallel` does the work."""
    planned: list[Planned] = []
    planned_pairs: list[Pair] = []
    for pair in pairs:
        try:
            planned.append(Planned(pair.cluster, *planned_service(open_cluster(fleet, pair.cluster), pair.key), 0))
            planned_pairs.append(pair)
        except CmpError as error:
            yield Proof(pair, 0, (error,))
    pair_of = {id(plan): pair for plan, pair in zip(planned, planned_pairs, strict=True)}

    def work(plan: Planned, deadline: Deadline) -> bytes:
        pair = pair_of[id(plan)]
        rendered = render(plan.resolved.service, plan.request.tree, deadline).manifests
        before = [_without_empty(value) for value in theirs(pair, deadline)]
        after = [_without_empty(manifest.value) for manifest in rendered]
        changes = compared(before, after, (pair.namespace, plan.resolved.service.namespace))
        # What differs between two renders of the source says nothing about the fleet.
        again = [_without_empty(value) for value in theirs(pair, deadline)] if changes else before
        random: set[tuple[str, str]] = set()
        for change in compared(before, again, (pair.namespace,) * 2):
            # The fields that differ; the whole object where only one render has it.
            random |= {(str(change.key), path) for path in [field.path for field in change.fields] or [""]}
        lines = [line for change in changes for line in sentences(change, random)]
        return json.dumps([len(after), lines, sorted(f"{name} {path}" for name, path in random)]).encode()

    for pair, (_, result) in zip(planned_pairs, parallel(planned, work), strict=True):
        if isinstance(result, CmpError):
            yield Proof(pair, 0, (result,))
            continue
        objects, lines, random = json.loads(result)
        hidden = [f"and {len(lines) - SHOWN} more differences"] if len(lines) > SHOWN else []
        shown = [*lines[:SHOWN], *hidden]
        yield Proof(pair, objects, tuple(InputError(f"{pair.label}: {line}", pair.at) for line in shown), tuple(random))


def _without_empty(value: dict[str, Any]) -> dict[str, Any]:
    """An object without empty labels and annotations: Kustomize drops them, and no API server tells the difference."""
    metadata = mapping(value, "metadata")
    kept = {key: child for key, child in metadata.items() if child or key not in ("labels", "annotations")}
    return value if len(kept) == len(metadata) else {**value, "metadata": kept}


def sentences(change: Change, random: Collection[tuple[str, str]] = ()) -> list[str]:
    """What differs in one object, a line each, but for `random` fields."""
    if (str(change.key), "") in random:
        return []
    if change.change == ADDED:
        return [f"{change.key} is in the fleet only"]
    if change.change == REMOVED:
        return [f"{change.key} is in the source only"]
    lines: list[str] = []
    for field in change.fields:
        if (str(change.key), field.path) not in random:
            values = f"is {_shown(field.before)} in the source, {_shown(field.after)} in the fleet"
            lines.append(f"{change.key}: {field.path} {'differs (hidden)' if field.hidden else values}")
    return lines


def _shown(value: Any) -> str:
    if value is ABSENT:
        return "absent"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
