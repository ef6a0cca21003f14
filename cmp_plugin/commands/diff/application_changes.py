"""What changes in the Applications themselves: where a service goes, in what order, under which rules.

In: the planned services of two fleets. Out: changes, in the form of `render.compare`. How an Application hands
its inputs to the plugin is left out, since it follows from the render's own changes, and so is the commit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ...argocd.applications import API, PATHS, cluster_applications, fleet_application, origin_of, projects
from ...fleet.cluster import Cluster
from ...fleet.files import Fleet
from ...fleet.plan import Planned
from ...goyaml.load import plain
from ...render.compare import CHANGED, Change, compared, compared_values
from ...render.object_key import Key

GROUP = API.partition("/")[0]
# The same on both sides, as every commit is another one.
_COMMIT = "0" * 40


class Planning(NamedTuple):
    """A fleet as planned; `prefix`: its directory in the repository, empty or ending in `/`."""

    fleet: Fleet
    clusters: Mapping[str, Cluster]
    planned: Mapping[tuple[str, str], Planned]
    prefix: str


def has_applications(planning: Planning) -> bool:
    """Whether the fleet is meant for Argo CD: it says where it is."""
    return planning.fleet.spec.get("repoURL") is not None


def shape(planned: Planned) -> tuple[Any, ...]:
    """What an Application is made of besides its render: cheap, to find those that can differ."""
    resolved = planned.resolved
    return (
        planned.wave,
        plain(resolved.application),
        dict(planned.request.facts.destination),
        resolved.service.namespace,
        planned.request.entry,
        resolved.revision,
    )


def service_change(before: tuple[Planning, Planned], after: tuple[Planning, Planned]) -> Change | None:
    """How a service's Application differs; None when it does not. Raises as `cluster_applications` does."""
    old, new = _application(*before), _application(*after)
    fields = compared_values(old, new)
    key = Key(GROUP, "Application", "", after[1].request.key)
    return Change(key, CHANGED, tuple(fields), old, new) if fields else None


def cluster_change(name: str, before: Planning, after: Planning) -> Change | None:
    """How the Application of a whole cluster differs."""
    old, new = (
        _without_plumbing(fleet_application(side.clusters[name], origin_of(side.fleet.spec, _COMMIT, side.prefix)))
        for side in (before, after)
    )
    fields = compared_values(old, new)
    return Change(Key(GROUP, "Application", "", name), CHANGED, tuple(fields), old, new) if fields else None


def project_changes(before: Planning, after: Planning) -> list[Change]:
    """How the AppProjects differ."""
    old, new = (
        projects(side.fleet, side.planned.values(), origin_of(side.fleet.spec, _COMMIT, side.prefix))
        if has_applications(side)
        else []
        for side in (before, after)
    )
    return compared(old, new)


def _application(planning: Planning, planned: Planned) -> dict[str, Any]:
    cluster = planning.clusters[planned.cluster]
    origin = origin_of(planning.fleet.spec, _COMMIT, planning.prefix)
    (made,) = cluster_applications(cluster, [planned], origin)
    return _without_plumbing(made)


def _without_plumbing(application: dict[str, Any]) -> dict[str, Any]:
    metadata, spec = dict(application["metadata"]), dict(application["spec"])
    metadata["annotations"] = {key: value for key, value in metadata["annotations"].items() if key != PATHS}
    spec["source"] = {key: value for key, value in spec["source"].items() if key not in ("path", "plugin")}
    return {**application, "metadata": metadata, "spec": spec}
