"""The version board: which version of which service is on which cluster, what lags, what nobody uses.

In: a fleet. Out: a frozen `Board`. Nothing is rendered or fetched; a fleet of a thousand clusters takes
seconds. Raises Errors with everything that is wrong on the way, since half a board would be a wrong one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from ...errors import CmpError, Errors, Location
from ...fleet.chart import catalogue_chart
from ...fleet.cluster import Cluster, Facts, open_cluster
from ...fleet.files import Fleet
from ...fleet.plan import keys_on, request_on
from ...fleet.resolve import PIN_FIELDS, pin
from ...fleet.service import Chart
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
        return any(deployment.is_on for deployment in self.deployments if deployment.service == service)


def board_of(fleet: Fleet) -> Board:
    """Reads every file of the fleet once. Raises Errors."""
    errors: list[CmpError] = []
    services: dict[str, Entry] = {}
    for name in fleet.names("Service"):
        try:
            services[name] = _entry(fleet, name)
        except CmpError as error:
            errors.append(error)
    clusters: dict[str, Facts] = {}
    deployments: list[Deployment] = []
    for name in fleet.names("Cluster"):
        try:
            cluster = open_cluster(fleet, name)
            deployments.extend(_deployments(cluster))
            clusters[name] = cluster.facts
        except CmpError as error:
            errors.append(error)
    if errors:
        raise Errors(errors)
    grouped: dict[str, list[Deployment]] = {name: [] for name in services}
    for deployment in deployments:
        grouped[deployment.service].append(deployment)
    measured = [deployment for name, group in grouped.items() for deployment in _measured(group, services[name])]
    return Board(
        clusters,
        services,
        tuple(sorted(measured, key=lambda deployment: (deployment.cluster, deployment.service, deployment.key))),
    )


def selected(board: Board, clusters: Callable[[Facts], bool], services: Callable[[str], bool]) -> Board:
    """The part of a board that somebody asks for; what lags still lags behind the whole fleet."""
    kept = {name: facts for name, facts in board.clusters.items() if clusters(facts)}
    return Board(
        kept,
        {name: entry for name, entry in board.services.items() if services(name)},
        tuple(
            deployment
            for deployment in board.deployments
            if deployment.cluster in kept and services(deployment.service)
        ),
    )


def _entry(fleet: Fleet, name: str) -> Entry:
    spec = fleet.spec_of("Service", name)
    text = spec.text("version") or ""
    version = spec.get("version") if is_exact(text) else None
    at = version.at if version is not None else Location(spec.at.file)
    return Entry(name, catalogue_chart(spec, name), text if version is not None else "", at)


def _deployments(cluster: Cluster) -> Iterator[Deployment]:
    for key in keys_on(cluster):
        request = request_on(cluster, key, PIN_FIELDS)
        chart, version, revision, off_at = pin(request)
        if off_at is not None:
            yield Deployment(cluster.name, key, request.entry, False, None, "", "", off_at)
            continue
        at = cluster.named.get(key) or request.above[0].block.start
        if chart is not None and chart.version and version is not None:
            at = version.at
        # A pinned directory's own version is in a file of another commit.
        hidden = revision and at.file.startswith(f"services/{request.entry}/")
        text = chart.version if chart is not None and not hidden else ""
        yield Deployment(cluster.name, key, request.entry, True, chart, text, revision, at)


def _measured(deployments: list[Deployment], entry: Entry) -> Iterator[Deployment]:
    """Each with its pin: against the catalogue's version and the one that most clusters run of that chart."""
    versions: dict[tuple[str, ...], Counter[str]] = {}
    for deployment in deployments:
        if deployment.version:
            versions.setdefault(_source(deployment.chart), Counter())[deployment.version] += 1
    most = {source: counted.most_common(1)[0] for source, counted in versions.items()}
    common = {source: version for source, (version, count) in most.items() if count * 2 > versions[source].total()}
    own = {_source(entry.chart): entry.version} if entry.chart is not None else {}
    for deployment in deployments:
        source = _source(deployment.chart)
        known = [version for version in (own.get(source), common.get(source)) if version and rank(version)]
        mine = rank(deployment.version) if deployment.version and known else None
        if mine is None:
            yield deployment
            continue
        newest = max(known, key=lambda version: rank(version) or mine)
        measure = rank(newest) or mine
        yield deployment._replace(pin=BEHIND if mine < measure else AHEAD if measure < mine else "", newest=newest)


def _source(chart: Chart | None) -> tuple[str, ...]:
    """What makes two charts the same one, whatever their versions and wherever written."""
    return (chart.repo.rstrip("/"), chart.name, chart.oci.rstrip("/")) if chart is not None else ()
