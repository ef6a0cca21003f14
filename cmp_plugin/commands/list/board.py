"""The version board: which version of which service is on which cluster, what lags, what nobody uses.

In: a fleet. Out: a frozen `Board`. Nothing is rendered or fetched; a fleet of a thousand clusters takes
seconds. Raises Errors with everything that is wrong on the way, since half a board would be a wrong one.
"""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from ...charts.used import chart_of
from ...errors import CmpError, Errors, Location
from ...fleet.cluster import Cluster, Facts, open_cluster
from ...fleet.files import Fleet
from ...fleet.layers import text_field
from ...fleet.pins import Outline, full_request, outlines
from ...fleet.plan import PROVISION
from ...fleet.resolve import resolve, switched_off_at
from ...fleet.service import Chart
from ...goyaml.load import Node
from ...specs.interpolate import references
from ...tools.versions import is_exact, rank

BEHIND, AHEAD = "behind", "ahead"


class Deployment(NamedTuple):
    """A service on a cluster, or one that is switched off there.

    `at`: where the version was written, `enabled: false`, or else what put the service there.
    `version` is empty without a chart from elsewhere, and where `revision` hides it: then it stands in
    a file of another commit. `pin` says how it stands to `newest`, the version that it is measured by.
    """

    cluster: str
    key: str
    service: str
    is_on: bool
    chart: Chart | None
    version: str
    revision: str
    at: Location
    pin: str = ""
    newest: str = ""


class Entry(NamedTuple):
    """A service of the catalogue, with the chart and version that its own file gives; `at` is theirs."""

    name: str
    chart: Chart | None
    version: str
    at: Location


class Board(NamedTuple):
    """Everything by name: `clusters` with their facts, `services`, and deployments cluster by cluster."""

    clusters: Mapping[str, Facts]
    services: Mapping[str, Entry]
    deployments: tuple[Deployment, ...]

    def used(self, service: str) -> bool:
        """Whether any cluster runs it."""
        return any(one.is_on for one in self.deployments if one.service == service)


def board_of(fleet: Fleet) -> Board:
    """Reads every file of the fleet once. Raises Errors."""
    errors: list[CmpError] = []
    services = {name: _entry(fleet, name) for name in _readable(fleet, "Service", errors)}
    clusters: dict[str, Facts] = {}
    found: list[Deployment] = []
    for name in fleet.names("Cluster"):
        try:
            cluster = open_cluster(fleet, name)
            found.extend(_deployments(cluster))
            clusters[name] = cluster.facts
        except CmpError as error:
            errors.append(error)
    if errors:
        raise Errors(errors)
    grouped: dict[str, list[Deployment]] = {name: [] for name in services}
    for one in found:
        grouped[one.service].append(one)
    measured = [one for name, group in grouped.items() for one in _measured(group, services[name])]
    return Board(clusters, services, tuple(sorted(measured, key=lambda one: (one.cluster, one.service, one.key))))


def selected(board: Board, clusters: Callable[[Facts], bool], services: Callable[[str], bool]) -> Board:
    """The part of a board that somebody asks for; what lags still lags behind the whole fleet."""
    kept = {name: facts for name, facts in board.clusters.items() if clusters(facts)}
    return Board(
        kept,
        {name: entry for name, entry in board.services.items() if services(name)},
        tuple(one for one in board.deployments if one.cluster in kept and services(one.service)),
    )


def _readable(fleet: Fleet, kind: str, errors: list[CmpError]) -> Iterator[str]:
    for name in fleet.names(kind):
        try:
            fleet.spec_of(kind, name)
        except CmpError as error:
            errors.append(error)
        else:
            yield name


def _entry(fleet: Fleet, name: str) -> Entry:
    spec = fleet.spec_of("Service", name)
    version = spec.get("version")
    source = {key: str(child.value) for key, child in spec.entries("chart").items() if child.value is not None}
    if "path" in source and not references(source["path"]):
        source["path"] = posixpath.normpath(posixpath.join(f"/services/{name}", source["path"]))
    exact = version is not None and is_exact(str(version.value))
    text, at = (str(version.value), version.at) if version is not None and exact else ("", Location(spec.at.file))
    return Entry(name, Chart(at, **source, version=text) if source else None, text, at)


def _deployments(cluster: Cluster) -> Iterator[Deployment]:
    fleet = cluster.fleet
    for outline in outlines(cluster):
        one = _resolved(cluster, outline) if outline.is_open else _plain(cluster, outline)
        if not outline.key.startswith(PROVISION) or outline.key in cluster.named:
            yield one
            continue
        manager = text_field(cluster.spec.get("provision") or cluster.spec, "managementCluster")
        if fleet.has("Cluster", manager):
            yield one._replace(cluster=manager)


def _plain(cluster: Cluster, outline: Outline) -> Deployment:
    switch, version, pinned = (outline.field(name) for name in ("enabled", "version", "revision"))
    put = outline.named.start
    revision = str(pinned.value) if pinned is not None else ""
    if outline.is_off and switch is not None:
        return Deployment(cluster.name, outline.key, outline.entry, False, None, "", "", switch.at)
    return _on(cluster, outline, chart_of(cluster, outline), version, revision, put)


def _resolved(cluster: Cluster, outline: Outline) -> Deployment:
    request = full_request(cluster, outline.key)
    found = resolve(request)
    if found is None:
        return Deployment(cluster.name, outline.key, outline.entry, False, None, "", "", switched_off_at(request))
    put = outline.named.start
    return _on(cluster, outline, found.service.chart, found.merged.fields.get("version"), found.revision, put)


def _on(
    cluster: Cluster, outline: Outline, chart: Chart | None, version: Node | None, revision: str, put: Location
) -> Deployment:
    at = version.at if chart is not None and chart.version and version is not None else put
    hidden = revision and at.file.startswith(f"services/{outline.entry}/")
    text = chart.version if chart is not None and not hidden else ""
    return Deployment(cluster.name, outline.key, outline.entry, True, chart, text, revision, at)


def _measured(deployments: list[Deployment], entry: Entry) -> Iterator[Deployment]:
    """Each with its pin: against the catalogue's version and the one that most clusters run of that chart."""
    common = {chart: _majority(found) for chart, found in _by_chart(deployments).items()}
    own = {_source(entry.chart): entry.version} if entry.chart is not None else {}
    for one in deployments:
        source = _source(one.chart)
        known = [version for version in (own.get(source), common.get(source)) if version and rank(version)]
        mine = rank(one.version) if one.version and known else None
        if mine is None:
            yield one
            continue
        newest = max(known, key=lambda version: rank(version) or mine)
        measure = rank(newest) or mine
        yield one._replace(pin=BEHIND if mine < measure else AHEAD if measure < mine else "", newest=newest)


def _by_chart(deployments: Iterable[Deployment]) -> dict[tuple[str, ...], list[str]]:
    found: dict[tuple[str, ...], list[str]] = {}
    for one in deployments:
        if one.version:
            found.setdefault(_source(one.chart), []).append(one.version)
    return found


def _source(chart: Chart | None) -> tuple[str, ...]:
    """What makes two charts the same one, whatever their versions and wherever written."""
    return (chart.repo.rstrip("/"), chart.name, chart.oci.rstrip("/")) if chart is not None else ()


def _majority(versions: list[str]) -> str:
    version, count = Counter(versions).most_common(1)[0]
    return version if count * 2 > len(versions) else ""
