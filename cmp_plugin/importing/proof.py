"""The proof: each service on each cluster, rendered from the source and from the fleet, object by object.

In: pairs, a source, a fleet on the disk. Out: per pair how many objects are equal, or what differs. A value
of a Secret is never shown.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from ..cluster import open_cluster
from ..comparison import ABSENT, ADDED, REMOVED, Change, Field, compared
from ..errors import CmpError, InputError
from ..fleet import Fleet
from ..plan import Planned, planned_service
from ..render import render
from ..tools.process import Deadline
from .conversion import Pair

SHOWN = 20
LONGEST = 60


class Proof(NamedTuple):
    """`objects`: how many are equal; `errors`: what differs, or why there is nothing to compare."""

    pair: Pair
    objects: int
    errors: tuple[CmpError, ...]


Parallel = Callable[[list[Planned], Callable[[Planned, Deadline], bytes]], Iterable[tuple[Planned, bytes | CmpError]]]


def prove(pairs: Iterable[Pair], fleet: Fleet, theirs: Callable[[Pair, Deadline], list[dict[str, Any]]], parallel: Parallel) -> Iterator[Proof]:
    """One proof per pair, in their order. `theirs` renders the source, `parallel` does the work."""
    planned: list[Planned] = []
    asked: list[Pair] = []
    for pair in pairs:
        try:
            planned.append(Planned(pair.cluster, *planned_service(open_cluster(fleet, pair.cluster), pair.key), 0))
            asked.append(pair)
        except CmpError as error:
            yield Proof(pair, 0, (error,))
    by_place = {id(one): pair for one, pair in zip(planned, asked, strict=True)}

    def work(one: Planned, deadline: Deadline) -> bytes:
        pair = by_place[id(one)]
        before = theirs(pair, deadline)
        after = [manifest.value for manifest in render(one.resolved.service, one.request.tree, deadline).manifests]
        changes = compared(before, after, (pair.namespace, one.resolved.service.namespace))
        return json.dumps([len(after), [line for change in changes for line in sentences(change)]]).encode()

    for pair, (_, result) in zip(asked, parallel(planned, work), strict=True):
        if isinstance(result, CmpError):
            yield Proof(pair, 0, (result,))
            continue
        objects, lines = json.loads(result)
        hidden = [f"and {len(lines) - SHOWN} more differences"] if len(lines) > SHOWN else []
        shown = [*lines[:SHOWN], *hidden]
        yield Proof(pair, objects, tuple(InputError(f"{pair.label}: {line}", pair.at) for line in shown))


def sentences(change: Change) -> list[str]:
    """What differs in one object, a line each."""
    if change.change == ADDED:
        return [f"{change.key} is in the fleet only"]
    if change.change == REMOVED:
        return [f"{change.key} is in the source only"]
    return [f"{change.key}: {field.path} {_difference(field)}" for field in change.fields]


def _difference(field: Field) -> str:
    if field.hidden:
        return "differs (hidden)"
    return f"is {_shown(field.before)} in the source, {_shown(field.after)} in the fleet"


def _shown(value: Any) -> str:
    if value is ABSENT:
        return "absent"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
