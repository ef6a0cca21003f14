"""What differs between two fleets: the services whose inputs differ are rendered and compared.

In: two sides with everything planned. Out: a `Report`, or every error of the renders. Services with the
same inputs are not rendered, and the same inputs, on any cluster and either side, only once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ...fleet.service import Chart
from ...system.process import Deadline
from ...system.workdir import workdir
from .applications import CLUSTERS, FLEET, application_changes, check_applications
from .grouping import Group, Replaced, Warned, groups, images, warned
from .renders import Renders, Unit
from .sides import SECONDS, Side, Sides


class Report(NamedTuple):
    """Everything that `diff` tells.

    `added`, `removed`: whole clusters with their services. `objects`: how many objects change, counted on
    every cluster. `random`: how many fields were left out because they differ at every render.
    """

    before: Side
    after: Side
    notes: tuple[str, ...]
    added: dict[str, list[str]]
    removed: dict[str, list[str]]
    services: tuple[int, int]
    renders: int
    dangers: list[Warned]
    versions: list[Replaced]
    images: list[Replaced]
    groups: list[Group]
    random: int

    @property
    def is_empty(self) -> bool:
        """Whether nothing changes that Argo CD would see."""
        return not (self.groups or self.added or self.removed)


def report(sides: Sides, jobs: int | None, whole: bool) -> Report:
    """Renders and compares. `whole`: nothing was left out of the fleets. Raises Errors."""
    before, after = sides.before, sides.after
    check_applications(before, after)
    units = [unit for unit in _units(sides) if unit.after is not None or unit.cluster in after.clusters]
    with workdir() as private:
        renders = Renders(sides, units, private)
        renders.run(jobs)
        differences = [*application_changes(before, after, whole), *renders.found()]
    changed = {
        (difference.cluster, difference.service)
        for difference in differences
        if difference.service not in (CLUSTERS, FLEET)
    }
    return Report(
        before,
        after,
        tuple(sides.notes),
        _clusters(after, before),
        _clusters(before, after),
        (len(changed), len({*before.planned, *after.planned})),
        len(renders.tasks),
        warned(differences),
        _versions(units),
        images(differences),
        groups(differences),
        renders.random,
    )


def _clusters(those: Side, others: Side) -> dict[str, list[str]]:
    """The clusters that only `those` have, with their services."""
    return {
        name: sorted(key for cluster, key in those.planned if cluster == name)
        for name in sorted(those.clusters)
        if name not in others.clusters
    }


def _units(sides: Sides) -> Iterator[Unit]:
    """Every service whose inputs differ, or that only one side has."""
    deadline = Deadline(SECONDS)
    planned = [{**side.planned} for side in (sides.before, sides.after)]
    for key in sorted({*planned[0], *planned[1]}):
        before, after = planned[0].get(key), planned[1].get(key)
        if before is after:
            continue
        prints = (
            sides.before.fingerprint(before, deadline) if before else "",
            sides.after.fingerprint(after, deadline) if after else "",
        )
        if prints[0] != prints[1]:
            yield Unit(*key, before, after, prints)


def _versions(units: Iterable[Unit]) -> list[Replaced]:
    """Charts in another version, by service."""
    clusters_of: dict[tuple[str, str, str, str], set[str]] = {}
    for unit in units:
        charts = [planned.resolved.service.chart if planned else None for planned in (unit.before, unit.after)]
        old, new = (_version(chart) for chart in charts)
        if old and new and old != new:
            same = old[0] == new[0]
            token = (
                old[0] if same else "",
                old[1] if same else " ".join(old).rstrip(),
                new[1] if same else " ".join(new).rstrip(),
            )
            clusters_of.setdefault((unit.service, *token), set()).add(unit.cluster)
    return [Replaced(*which, tuple(sorted(clusters))) for which, clusters in sorted(clusters_of.items())]


def _version(chart: Chart | None) -> tuple[str, str] | None:
    """A chart's name and version; of one in the fleet its path."""
    if chart is None:
        return None
    if chart.path:
        return chart.path[1:], ""
    return (chart.name or chart.oci.rpartition("/")[2]), chart.version
