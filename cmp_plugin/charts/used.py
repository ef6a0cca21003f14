"""Which charts a fleet uses, without resolving anything else.

In: clusters. Out: each service's charts from every cluster, enough to write or check the locks of a
fleet of thousands in seconds. Where a shortcut could differ from a full resolve, that is done instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ..errors import CmpError, InputError, flatten
from ..fleet.cluster import Cluster, open_cluster
from ..fleet.files import Fleet
from ..fleet.pins import Outline, full_request, outlines
from ..fleet.resolve import resolve
from ..fleet.service import Chart
from ..goyaml.load import Node
from ..specs.paths import Place, placed
from ..system.files import FileTree
from ..tools.versions import is_exact


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
    """The charts on one cluster. Raises the errors of the blocks that name them."""
    tree = cluster.fleet.tree._replace(allowed=(*cluster.fleet.tree.allowed, f"/clusters/{cluster.name}"))
    for outline in outlines(cluster):
        chart = chart_of(cluster, outline)
        if chart is not None:
            yield Use(outline.entry, cluster.name, chart, tree)


def chart_of(cluster: Cluster, outline: Outline) -> Chart | None:
    """The chart that a service has on a cluster; None without one, and for a service that is off."""
    if outline.is_open:
        return _resolved(cluster, outline.key)
    if outline.is_off or "chart" not in outline.fields:
        return None
    return _plain_chart(cluster, outline) or _resolved(cluster, outline.key)


def _plain_chart(cluster: Cluster, outline: Outline) -> Chart | None:
    """None where only a full resolve can tell, or can say what is wrong."""
    node, directory = outline.fields["chart"]
    source = {
        key: str(child.value) for key, child in Node({"chart": node}, node.at).entries("chart").items() if child.value
    }
    if set(source) == {"path"}:
        return Chart(node.at, path=_path(node, directory, cluster))
    found = outline.field("version")
    version = found.value if found is not None else None
    if not isinstance(version, str) or not is_exact(version) or set(source) not in ({"repo", "name"}, {"oci"}):
        return None
    return Chart(node.at, version=version, **source)


def _path(node: Node, directory: str, cluster: Cluster) -> str:
    place = Place(directory, ("/",), cluster.facts.scope())
    chart = placed(Node({"chart": node}, node.at), place).get("chart")
    path = chart.get("path") if chart else None
    if path is None:
        raise InputError("a chart has a path", node.at)
    return str(path.value)


def _resolved(cluster: Cluster, key: str) -> Chart | None:
    resolved = resolve(full_request(cluster, key))
    return resolved.service.chart if resolved else None
