"""Everything that is known about a fleet without rendering it and without its charts.

In: a fleet. Out: what is planned, and findings. Reads every file of the fleet; starts no tool.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

from ...argocd.applications import check_names
from ...argocd.destinations import destination_errors
from ...charts.locate import unlocked
from ...errors import CmpError, InputError
from ...fleet.cluster import Cluster, open_cluster
from ...fleet.files import Fleet
from ...fleet.plan import Planned, plan
from ...render.kustomize.patches import entries as patch_entries
from ...specs.paths import is_remote
from .clusters import provision_error, unknown_projects
from .findings import Finding, allowed, errors
from .labels import known_labels
from .objectnames import invalid_names
from .overrides import redundant, repeated
from .unused import unused


class Inspection(NamedTuple):
    """`planned`: the services of the clusters that could be planned."""

    planned: list[Planned]
    clusters: int
    findings: list[Finding]


def inspect(fleet: Fleet) -> Inspection:
    """Reads all, plans all, looks at all. What is dead is told only of a fleet in which nothing is wrong."""
    wrong: list[CmpError] = []
    for kind in ("Profile", "Service"):
        for name in fleet.names(kind):
            _attempt(wrong, fleet.spec_of, kind, name)
    clusters, planned = _planned(fleet, wrong)
    wrong += [*fleet.strays(), *check_names(planned, fleet.names("Cluster"))]
    wrong += destination_errors(fleet, clusters, planned)
    wrong += _service_errors(planned, fleet)
    findings = errors(wrong)
    if not wrong:
        known = known_labels(cluster.facts.labels for cluster in clusters)
        findings += [*unused(fleet, clusters, known), *unknown_projects(fleet, planned)]
        findings += [*redundant(planned), *repeated(planned)]
    return Inspection(planned, len(clusters), findings)


def _planned(fleet: Fleet, wrong: list[CmpError]) -> tuple[list[Cluster], list[Planned]]:
    clusters: list[Cluster] = []
    planned: list[Planned] = []
    for name in fleet.names("Cluster"):
        try:
            cluster = open_cluster(fleet, name)
            planned += plan(cluster)
            clusters.append(cluster)
        except CmpError as error:
            wrong.append(error)
        _attempt(wrong, provision_error, fleet, name)
    return clusters, planned


def _attempt(wrong: list[CmpError], work: Callable[..., object], *words: object) -> None:
    try:
        work(*words)
    except CmpError as error:
        wrong.append(error)


def _service_errors(services: list[Planned], fleet: Fleet) -> Iterator[CmpError]:
    files = _Files(fleet)
    for planned in services:
        yield from files.missing(planned) or files.unlocked(planned)
        yield from invalid_names(planned)
        if planned.resolved.service.patches:
            try:
                patch_entries(planned.resolved.service)
            except CmpError as error:
                yield error


class _Files:
    """Whether what services name is there; what a thousand clusters share is looked at once."""

    def __init__(self, fleet: Fleet) -> None:
        self._tree = fleet.tree
        self._there: set[str] = set()
        self._locked: dict[object, list[CmpError]] = {}

    def missing(self, planned: Planned) -> list[CmpError]:
        """Directories and files that a render would open and that are not there."""
        service = planned.resolved.service
        named = [(service.chart.path, service.chart.at)] if service.chart and service.chart.path else []
        named += [(resource.path, resource.at) for resource in service.resources if not is_remote(resource.path)]
        wrong: list[CmpError] = []
        for path, at in named:
            if path not in self._there:
                _attempt(wrong, planned.request.tree.locate, path, at)
                # What is there for specs of any cluster needs no other look.
                with contextlib.suppress(InputError):
                    self._tree.locate(path, at)
                    self._there.add(path)
        return wrong

    def unlocked(self, planned: Planned) -> list[CmpError]:
        """Charts that the service's lock does not hold, see `charts.unlocked`."""
        service = planned.resolved.service
        key = (service.chart, service.entry, service.lock_optional)
        if key not in self._locked:
            self._locked[key] = unlocked(service, planned.request.tree)
        return self._locked[key]


def lifted(fleet: Fleet, findings: list[Finding]) -> list[Finding]:
    """Without the warnings that fleet.yaml allows."""
    names = allowed(fleet.spec)
    return [finding for finding in findings if finding.warning not in names]
