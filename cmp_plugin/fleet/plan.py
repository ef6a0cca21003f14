"""What is on a cluster: every service resolved and put in order, with all errors collected.

In: a cluster. Out: planned services by wave, then name. Renders nothing.
"""

from __future__ import annotations

from typing import NamedTuple

from ..errors import CmpError, Errors, InputError, there_is
from .cluster import Cluster, Fields, open_cluster
from .files import Fleet
from .request import Request, provision_request, request_for
from .resolve import Resolved, resolve, switched_off_at
from .waves import waves

PROVISION = "provision."


class Planned(NamedTuple):
    """A service on the cluster it is deployed to: its request, what became of it, its sync wave."""

    cluster: str
    request: Request
    resolved: Resolved
    wave: int


def plan(cluster: Cluster) -> list[Planned]:
    """The services of `cluster` by wave, then name. Raises Errors with everything that is wrong."""
    requests: dict[str, Request] = {}
    services: dict[str, Resolved] = {}
    errors: list[CmpError] = []
    for key in keys_on(cluster):
        try:
            requests[key] = request_on(cluster, key)
            resolved = resolve(requests[key])
            if resolved is not None:
                services[key] = resolved
        except CmpError as error:
            errors.append(error)
    if errors:
        raise Errors(errors)
    allowed = cluster.spec.get("allow")
    if not services and not (allowed is not None and allowed.value):
        raise InputError(
            f"cluster {cluster.name} has no services",
            cluster.facts.at,
            "name some under `services:`, or write `allow: [empty]` if that is meant",
        )
    order = waves(services)
    planned = [Planned(cluster.name, requests[key], services[key], order[key]) for key in services]
    return sorted(planned, key=lambda service: (service.wave, service.request.key))


def keys_on(cluster: Cluster) -> list[str]:
    """The keys of a cluster's services; on a management cluster also `provision.<cluster>`."""
    provisioned = (PROVISION + name for name in cluster.fleet.provisioned_by(cluster.name))
    return [*cluster.keys(), *provisioned]


def request_on(cluster: Cluster, key: str, only: Fields = None) -> Request:
    """The request of one of `keys_on`, with all fields of its blocks or `only` some."""
    if key in cluster.named or not key.startswith(PROVISION):
        return request_for(cluster, key, only)
    return provision_request(cluster, key.removeprefix(PROVISION), only)


def request_of(cluster: Cluster, key: str) -> Request:
    """The request of one service of a cluster, switched off or not. InputError when it is not there."""
    keys = keys_on(cluster)
    if key not in keys:
        hint = there_is(key, keys) or "cmp-plugin preview shows what is there"
        raise InputError(f'{cluster.name} has no service "{key}"', cluster.facts.at, hint)
    return request_on(cluster, key)


def planned_service(cluster: Cluster, key: str) -> tuple[Request, Resolved]:
    """One service of a cluster. Raises InputError when it is not there or switched off."""
    request = request_of(cluster, key)
    resolved = resolve(request)
    if resolved is None:
        raise InputError(f"{cluster.name}/{key} is switched off (`enabled: false`)", switched_off_at(request))
    return request, resolved


def plan_fleet(fleet: Fleet, names: list[str]) -> list[Planned]:
    """The services of several clusters, cluster by cluster. Raises the errors of all of them."""
    if not names:
        raise InputError("the fleet has no clusters", None, "write clusters/<name>/cluster.yaml")
    planned: list[Planned] = []
    errors: list[CmpError] = []
    for name in names:
        try:
            planned.extend(plan(open_cluster(fleet, name)))
        except CmpError as error:
            errors.append(error)
    if errors:
        raise Errors(errors)
    return planned
