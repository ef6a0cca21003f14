"""What only a render can tell: its errors, whether it repeats itself, objects that two services bring.

In: planned services, and the function that renders one. Out: findings, cluster by cluster. Renders in
parallel; holds one cluster's objects at a time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from ..errors import CmpError, InputError
from ..manifest import described, identity
from ..plan import Planned
from ..randomness import differences
from ..tools.process import Deadline

Objects = list[dict[str, Any]]
Rendering = Callable[[Planned, Deadline], bytes]


def parsed(lines: bytes) -> Objects:
    """The objects of a stream, as `emit` writes it."""
    return [json.loads(line) for line in lines.splitlines()]


def twice(rendered: Rendering) -> Rendering:
    """Renders, and renders again to see whether the same comes out; `allow: [random]` lifts that."""

    def work(planned: Planned, deadline: Deadline) -> bytes:
        service = planned.resolved.service
        first = rendered(planned, deadline)
        if "random" in service.allow or service.chart is None:
            return first
        second = rendered(planned, deadline)
        if first == second:
            return first
        found = differences(parsed(first), parsed(second))
        names = "; ".join(f"{name} {pointer}" for name, pointer in found[:3])
        more = f" and {len(found) - 3} more" if len(found) > 3 else ""
        raise InputError(
            f"{service.label}: two renders differ in {names}{more}",
            service.chart.at,
            "set these values, or write `allow: [random]`",
        )

    return work


class Owners:
    """Which service brings which object of a cluster: two Applications would fight over it."""

    def __init__(self) -> None:
        self._owners: dict[tuple[str, ...], str] = {}

    def owned_twice(self, planned: Planned, objects: Objects) -> Iterator[CmpError]:
        """Objects that another service of the same cluster renders too."""
        service = planned.resolved.service
        for value in objects:
            known = identity(value)
            if not known.name:
                continue
            key = (planned.cluster, known.group, known.kind, known.name, known.namespace or service.namespace)
            owner = self._owners.setdefault(key, service.label)
            if owner != service.label:
                yield InputError(f"{service.label}: {described(value)} is also an object of {owner}", service.at)
