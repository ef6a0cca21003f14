"""What only a render can tell: its errors, whether it repeats itself, objects that two services bring, and
objects that the API server would refuse.

In: planned services with their objects, cluster by cluster. Out: errors, and what was not checked. Holds one
cluster's objects at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby

from ...errors import CmpError, InputError
from ...fleet.plan import Planned
from ...render.emit import emit
from ...render.manifest import Manifest, described, identity
from ...render.randomness import differences
from ...system.process import Deadline
from .objects import ObjectChecks

Rendering = Callable[[Planned, Deadline], list[Manifest]]
Outcome = tuple[Planned, list[Manifest] | CmpError]


def twice(rendered: Rendering) -> Rendering:
    """Renders, and renders again to see whether the same comes out; `allow: [random]` lifts that."""

    def work(planned: Planned, deadline: Deadline) -> list[Manifest]:
        service = planned.resolved.service
        first = rendered(planned, deadline)
        if "random" in service.allow or service.chart is None:
            return first
        second = rendered(planned, deadline)
        if emit(first) == emit(second):
            return first
        found = differences([one.value for one in first], [one.value for one in second])
        names = "; ".join(f"{name} {pointer}" for name, pointer in found[:3])
        more = f" and {len(found) - 3} more" if len(found) > 3 else ""
        raise InputError(
            f"{service.label}: two renders differ in {names}{more}",
            service.chart.at,
            "set these values, or write `allow: [random]`",
        )

    return work


def rendered_errors(outcomes: Iterable[Outcome], objects: ObjectChecks) -> Iterator[CmpError]:
    """Everything that is wrong with what was rendered; `outcomes` come cluster by cluster."""
    for _, of_cluster in groupby(outcomes, key=lambda outcome: outcome[0].cluster):
        done: list[tuple[Planned, list[Manifest]]] = []
        for planned, result in of_cluster:
            if isinstance(result, CmpError):
                yield result
            else:
                done.append((planned, result))
        yield from _owned_twice(done)
        yield from objects.of_cluster(done)


def _owned_twice(done: list[tuple[Planned, list[Manifest]]]) -> Iterator[CmpError]:
    """Objects that two services of one cluster render: two Applications would fight over them."""
    owners: dict[tuple[str, ...], str] = {}
    for planned, manifests in done:
        service = planned.resolved.service
        for manifest in manifests:
            known = identity(manifest.value)
            if not known.name:
                continue
            key = (known.group, known.kind, known.name, known.namespace or service.namespace)
            owner = owners.setdefault(key, service.label)
            if owner != service.label:
                yield InputError(
                    f"{service.label}: {described(manifest.value)} is also an object of {owner}", service.at
                )
