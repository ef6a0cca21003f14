"""What is on a cluster: every service resolved and put in order, with all errors collected.

In: a cluster. Out: planned services by wave, then name. Renders nothing.
"""

from __future__ import annotations

from typing import NamedTuple

from .cluster import Cluster, open_cluster
from .errors import CmpError, Errors, InputError, did_you_mean
from .fleet import Fleet
from .order import waves
from .request import Request, request_for
from .resolve import Resolved, resolve
from .specrules import value_of


class Planned(NamedTuple):
    """A service that is on a cluster: its request, what became of it, its sync wave."""

    request: Request
    resolved: Resolved
    wave: int


def plan(cluster: Cluster) -> list[Planned]:
    """The services of `cluster` by wave, then name. Raises Errors with everything that is wrong."""
    requests: dict[str, Request] = {}
    found: dict[str, Resolved] = {}
    errors: list[CmpError] = []
    for key in cluster.keys():
        try:
            requests[key] = request_for(cluster, key)
            resolved = resolve(requests[key])
            if resolved is not None:
                found[key] = resolved
        except CmpError as error:
            errors.append(error)
    if errors:
        raise Errors(errors)
    _check_not_empty(cluster, found)
    order = waves(found)
    planned = [Planned(requests[key], found[key], order[key]) for key in found]
    return sorted(planned, key=lambda one: (one.wave, one.request.key))


def _check_not_empty(cluster: Cluster, found: dict[str, Resolved]) -> None:
    allowed = value_of(cluster.spec, "allow")
    if not found and not (allowed is not None and allowed.value):
        raise InputError(
            f"cluster {cluster.name} has no services", cluster.facts.at, "write `allow: [empty]` if that is meant"
        )


def planned_service(cluster: Cluster, key: str) -> tuple[Request, Resolved]:
    """One service of a cluster. Raises InputError when it is not there or switched off."""
    keys = cluster.keys()
    if key not in keys:
        hint = did_you_mean(key, keys) or "cmp-plugin preview shows what is there"
        raise InputError(f'{cluster.name} has no service "{key}"', cluster.facts.at, hint)
    request = request_for(cluster, key)
    resolved = resolve(request)
    if resolved is None:
        raise InputError(f"{cluster.name}/{key} is switched off (`enabled: false`)", cluster.facts.at)
    return request, resolved


def plan_fleet(fleet: Fleet, names: list[str]) -> list[Planned]:
    """The services of several clusters, cluster by cluster. Raises the errors of all of them."""
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
