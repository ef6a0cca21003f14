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
from ...render.compare import randomness
from ...render.manifest import Manifest, emit
from ...render.object_key import duplicates, scopes_of
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
        differing = randomness([manifest.value for manifest in first], [manifest.value for manifest in second])
        names = "; ".join(differing[:3])
        more = f" and {len(differing) - 3} more" if len(differing) > 3 else ""
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
    services = [(planned.resolved.service, manifest.value) for planned, manifests in done for manifest in manifests]
    objects = ((service, value, service.namespace) for service, value in services)
    for key, owner, service in duplicates(objects, scopes_of(value for _, value in services)):
        if service is not owner:
            message = f"{service.label}: {key.kind}/{key.name} is also an object of {owner.label}"
            yield InputError(message, service.at)
