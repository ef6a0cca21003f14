"""What a change does to the Applications themselves, as `diff` tells it.

In: two sides. Out: changes in the form of those of the renders. Renders nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...argocd.applications import origin_of
from ...argocd.destinations import destination_errors
from ...errors import CmpError, Errors, labelled
from ...render.compare import ADDED, REMOVED
from ...render.object_key import Key
from .application_changes import (
    GROUP,
    Planning,
    cluster_change,
    has_applications,
    project_changes,
    service_change,
    shape,
)
from .dangers import LOOK, REFUSED, Danger
from .grouping import Found
from .renders import found_change, stays_behind
from .sides import Side

# What a change of the Applications themselves is listed under, instead of a service.
CLUSTERS, FLEET = "(clusters)", "(fleet)"


def check_applications(before: Side, after: Side) -> None:
    """Raises Errors with what keeps Argo CD from getting Applications by now, as `generate` would."""
    if after.fleet is None:
        return
    known = {str(error) for error in _missing(before)}
    errors = [error for error in _missing(after) if str(error) not in known]
    try:
        if before.fleet is not None and has_applications(_planning(before)):
            origin_of(after.fleet.spec, "")
        if errors:
            raise Errors(errors)
    except CmpError as error:
        raise labelled(error, f"in {after.name}") if after.commit else error from None


def _missing(side: Side) -> list[CmpError]:
    return list(destination_errors(side.fleet, side.clusters.values(), ())) if side.fleet is not None else []


def application_changes(before: Side, after: Side, whole: bool) -> Iterator[Found]:
    """What changes in the Applications of services and clusters; in projects only for `whole` fleets."""
    for key in sorted(after.planned):
        old, new = before.planned.get(key), after.planned[key]
        if old is None or old is new:
            continue
        plannings = (_planning(before), _planning(after))
        if shape(old) == shape(new) or not _have_applications(key[0], before, after):
            continue
        change = service_change((plannings[0], old), (plannings[1], new))
        if change is not None:
            yield found_change(*key, change)
    yield from _services_come_and_gone(before, after)
    if whole and before.fleet is not None and after.fleet is not None:
        yield from _fleet_changes(before, after)


def _have_applications(cluster: str, *sides: Side) -> bool:
    return all(has_applications(_planning(side)) and side.clusters[cluster].facts.destination for side in sides)


def _services_come_and_gone(before: Side, after: Side) -> Iterator[Found]:
    """Services put on or taken off a cluster that both sides have."""
    for key in sorted({*before.planned} ^ {*after.planned}):
        cluster, service = key
        if cluster not in before.clusters or cluster not in after.clusters:
            continue
        application = Key(GROUP, "Application", "", service)
        if key in after.planned:
            yield Found(cluster, service, application, ADDED, (), ())
            continue
        if stays_behind(before.planned[key], None):
            danger = Danger(LOOK, "service-removed", "is taken off, its objects stay")
        else:
            danger = Danger(REFUSED, "service-removed", "is taken off: all its objects are deleted")
        yield Found(cluster, service, application, REMOVED, (), (danger,))


def _fleet_changes(before: Side, after: Side) -> Iterator[Found]:
    """Applications of whole clusters that come or change, and the AppProjects."""
    plannings = (_planning(before), _planning(after))
    for name in sorted({*before.clusters} & {*after.clusters}):
        if not _have_applications(name, after):
            continue
        if not _have_applications(name, before):
            # Only now the cluster has a `destination`, or the fleet a `repoURL`.
            yield Found(name, CLUSTERS, Key(GROUP, "Application", "", "of the cluster"), ADDED, (), ())
        else:
            change = cluster_change(name, *plannings)
            if change is not None:
                yield found_change(name, CLUSTERS, change._replace(key=change.key._replace(name="of the cluster")))
    for change in project_changes(*plannings):
        yield found_change("", FLEET, change)


def _planning(side: Side) -> Planning:
    assert side.fleet is not None
    prefix = side.repository.prefix if side.repository else ""
    return Planning(side.fleet, side.clusters, side.planned, prefix)
