"""Which charts a fleet uses, without resolving anything else.

In: clusters. Out: each service's charts from every cluster, enough to write or check the locks of a
fleet of thousands in seconds. Reads no chart and no lock.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ..errors import CmpError, flatten
from ..fleet.cluster import Cluster, open_cluster
from ..fleet.files import Fleet
from ..fleet.plan import keys_on, request_on
from ..fleet.resolve import PIN_FIELDS, pin
from ..fleet.service import Chart
from ..system.files import FileTree


class Use(NamedTuple):
    """A chart that the catalogue entry `entry` has on `cluster`; `tree` reads the files of both."""

    entry: str
    cluster: str
    chart: Chart
    tree: FileTree


def chart_uses(fleet: Fleet) -> tuple[list[Use], list[CmpError]]:
    """Each distinct use of the fleet, named by the first cluster that has it; and what is wrong."""
    uses: dict[tuple[object, ...], Use] = {}
    errors: list[CmpError] = []
    for name in fleet.names("Cluster"):
        try:
            for use in cluster_uses(open_cluster(fleet, name)):
                uses.setdefault((use.entry, *use.chart[1:]), use)
        except CmpError as error:
            errors.append(error)
    return list(uses.values()), flatten(errors)


def cluster_uses(cluster: Cluster) -> Iterator[Use]:
    """The charts on one cluster, those too that provision others from it. Raises the errors of their blocks."""
    for key in keys_on(cluster):
        request = request_on(cluster, key, PIN_FIELDS)
        chart = pin(request).chart
        if chart is not None:
            yield Use(request.entry, request.facts.cluster, chart, request.tree)
