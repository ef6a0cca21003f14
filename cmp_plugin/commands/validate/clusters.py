"""What a cluster names that the fleet does not have: its management cluster, the AppProject of its services.

In: a fleet, what is planned on it. Out: errors and warnings. Reads no files but the fleet's specs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...argocd.applications import PROJECT
from ...errors import InputError, did_you_mean, there_is
from ...fleet.files import Fleet
from ...fleet.plan import Planned
from .findings import Finding, warning


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


def unknown_projects(fleet: Fleet, services: Iterable[Planned]) -> Iterator[Finding]:
    """AppProjects that fleet.yaml does not have, where it has any; they may come from elsewhere."""
    known = list(fleet.spec.entries("projects"))
    for planned in services if known else ():
        project = planned.resolved.application.get("project")
        if project is not None and project.value not in (PROJECT, *known):
            if "unknown-project" not in planned.resolved.service.allow:
                message = f'fleet.yaml has no project "{project.value}"'
                yield warning("unknown-project", message, project.at, there_is(str(project.value), known))
