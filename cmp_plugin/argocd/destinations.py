"""Where clusters deploy to: what Argo CD would refuse, or send to one destination twice.

In: a fleet, its clusters, what is planned on them. Out: errors. Reads no files but the fleet's specs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..errors import CmpError, InputError, Location
from ..fleet.cluster import Cluster
from ..fleet.files import Fleet
from ..fleet.plan import Planned


def destination_errors(fleet: Fleet, clusters: Iterable[Cluster], planned: Iterable[Planned]) -> Iterator[CmpError]:
    """What keeps Applications from a destination, or sends two to one; only in a fleet that is meant for Argo CD."""
    if fleet.spec.get("repoURL") is not None:
        if not fleet.names("Cluster"):
            yield InputError("the fleet has no clusters", Location("clusters"))
        for cluster in clusters:
            if not cluster.facts.destination:
                yield InputError(f"cluster {cluster.name} has no `destination`", cluster.facts.at)
    yield from _shared_destinations(planned)


def _shared_destinations(services: Iterable[Planned]) -> Iterator[CmpError]:
    """Two clusters may share a destination, but not deploy one service into one namespace there."""
    owners: dict[tuple[str, str, str, str], Planned] = {}
    reported: set[tuple[str, str]] = set()
    for planned in services:
        service = planned.resolved.service
        for kind, value in planned.request.facts.destination.items():
            first = owners.setdefault((kind, value, service.entry, service.namespace), planned)
            pair = (first.cluster, planned.cluster)
            if (
                first.cluster != planned.cluster
                and service.release == first.resolved.service.release
                and pair not in reported
            ):
                reported.add(pair)
                where = f" in namespace {service.namespace}" if service.namespace else ""
                yield InputError(
                    f"cluster {planned.cluster} has the same destination as {first.cluster}: "
                    f"both deploy {planned.request.key}{where} to {value}",
                    planned.request.facts.at,
                )
