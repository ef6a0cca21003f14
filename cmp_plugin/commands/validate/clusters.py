"""What clusters are to Argo CD: where each deploys to, which AppProject its Applications are in.

In: a fleet, its clusters, what is planned on them. Out: findings. Reads no files but the fleet's specs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...errors import CmpError, InputError, Location, did_you_mean, there_is
from ...fleet.cluster import Cluster
from ...fleet.files import Fleet
from ...fleet.plan import Planned
from .findings import Finding, warning

Places = dict[tuple[str, str, str, str], Planned]


def destination_errors(fleet: Fleet, clusters: Iterable[Cluster], planned: Iterable[Planned]) -> Iterator[CmpError]:
    """What keeps Applications from a place, or sends two to one; only in a fleet that is meant for Argo CD."""
    if fleet.spec.get("repoURL") is not None:
        if not fleet.names("Cluster"):
            yield InputError("the fleet has no clusters", Location("clusters"))
        for cluster in clusters:
            if not cluster.facts.destination:
                yield InputError(f"cluster {cluster.name} has no `destination`", cluster.facts.at)
    yield from _same_places(planned)


def _same_places(planned: Iterable[Planned]) -> Iterator[CmpError]:
    """Two clusters may share a destination, but not deploy one service into one namespace there."""
    places: Places = {}
    told: set[tuple[str, str]] = set()
    for one in planned:
        service = one.resolved.service
        for kind, value in one.request.facts.destination.items():
            first = places.setdefault((kind, value, service.entry, service.namespace), one)
            pair = (first.cluster, one.cluster)
            if first.cluster != one.cluster and service.release == first.resolved.service.release and pair not in told:
                told.add(pair)
                where = f" in namespace {service.namespace}" if service.namespace else ""
                yield InputError(
                    f"cluster {one.cluster} has the same destination as {first.cluster}: "
                    f"both deploy {one.request.key}{where} to {value}",
                    one.request.facts.at,
                )


def provision_error(fleet: Fleet, name: str) -> None:
    """InputError for a `provision` without a management cluster; the rest is in that cluster's plan."""
    provision = fleet.spec_of("Cluster", name).get("provision")
    if provision is None:
        return
    manager = provision.get("managementCluster")
    if manager is None:
        raise InputError("provision names no `managementCluster`", provision.key)
    if not fleet.has("Cluster", str(manager.value)):
        hint = did_you_mean(str(manager.value), fleet.names("Cluster"))
        raise InputError(f'there is no cluster "{manager.value}"', manager.at, hint)


def unknown_projects(fleet: Fleet, planned: Iterable[Planned]) -> Iterator[Finding]:
    """AppProjects that fleet.yaml does not have, where it has any; they may come from elsewhere."""
    known = list(fleet.spec.entries("projects"))
    for one in planned if known else ():
        project = one.resolved.application.get("project")
        if project is not None and project.value not in ("default", *known):
            if "unknown-project" not in one.resolved.service.allow:
                message = f'fleet.yaml has no project "{project.value}"'
                yield warning("unknown-project", message, project.at, there_is(str(project.value), known))
