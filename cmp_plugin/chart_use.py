"""Which charts a fleet uses, without resolving anything else.

In: clusters. Out: each service's charts from every cluster, enough to write or check the locks of a
fleet of thousands in seconds. Where a shortcut could differ from a full resolve, that is done instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .cluster import Cluster, open_cluster
from .errors import CmpError, InputError, flatten
from .fleet import Fleet
from .interpolate import all_references
from .paths import Place, placed
from .plan import PROVISION
from .request import Request, provision_request, request_for
from .resolve import resolve
from .service import Chart
from .servicelayers import holds
from .specrules import VERSION, entries, value_of
from .tree import Tree
from .yamlfile import Node

FIELDS = ("enabled", "chart", "version")
Found = dict[str, tuple[Node, str]]


class Use(NamedTuple):
    """A chart that the catalogue entry `entry` has on `cluster`; `tree` reads the files of both."""

    entry: str
    cluster: str
    chart: Chart
    tree: Tree


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
    for key, blocks in _named(cluster).items():
        entry = _entry(key, blocks)
        chart = _chart(cluster, key, entry, blocks)
        if chart is not None:
            yield Use(entry, cluster.name, chart, tree)


def _named(cluster: Cluster) -> dict[str, list[tuple[str, Node]]]:
    """Key -> its blocks with their files' directories, lowest first; what provisions the cluster, too."""
    named: dict[str, list[tuple[str, Node]]] = {}
    for _, directory, node in cluster.sources[1:]:
        for key, block in entries(node, "services"):
            named.setdefault(key, []).append((directory, block))
    provision = value_of(cluster.spec, "provision")
    if provision is not None:
        named[PROVISION + cluster.name] = [(f"/clusters/{cluster.name}", provision)]
    return named


def _entry(key: str, blocks: list[tuple[str, Node]]) -> str:
    found = [node for _, block in blocks if (node := value_of(block, "service")) is not None]
    return str(found[-1].value) if found else key


def _chart(cluster: Cluster, key: str, entry: str, blocks: list[tuple[str, Node]]) -> Chart | None:
    spec = cluster.fleet.spec_of("Service", entry, blocks[0][1].key or blocks[0][1].at)
    own = [spec, *(variant for _, variant in entries(spec, "variants") if _applies(variant, cluster))]
    fields = _merged([(f"/services/{entry}", block) for block in own] + blocks)
    if any(all_references(node) for node, _ in fields.values()):
        return _resolved(cluster, key)
    if "enabled" in fields and fields["enabled"][0].value is False or "chart" not in fields:
        return None
    return _plain_chart(fields, cluster) or _resolved(cluster, key)


def _applies(variant: Node, cluster: Cluster) -> bool:
    return variant.value is not None and holds(variant, cluster.facts.labels)


def _merged(blocks: list[tuple[str, Node]]) -> Found:
    """The three fields, each replaced whole by the layer above; null takes it away. With directories."""
    fields: Found = {}
    for directory, block in blocks:
        for name in FIELDS:
            child = block.value.get(name) if isinstance(block.value, dict) else None
            if child is None:
                continue
            fields.pop(name, None)
            if child.value is not None:
                fields[name] = (child, directory)
    return fields


def _plain_chart(fields: Found, cluster: Cluster) -> Chart | None:
    """None where only a full resolve can tell, or can say what is wrong."""
    node, directory = fields["chart"]
    source = {key: str(child.value) for key, child in entries(Node({"chart": node}, node.at), "chart") if child.value}
    if set(source) == {"path"}:
        return Chart(node.at, path=_path(node, directory, cluster))
    version = fields["version"][0].value if "version" in fields else None
    if not isinstance(version, str) or not VERSION.fullmatch(version) or set(source) not in ({"repo", "name"}, {"oci"}):
        return None
    return Chart(node.at, version=version, **source)


def _path(node: Node, directory: str, cluster: Cluster) -> str:
    place = Place(directory, ("/",), cluster.facts.scope())
    chart = value_of(placed(Node({"chart": node}, node.at), place), "chart")
    path = value_of(chart, "path") if chart else None
    if path is None:
        raise InputError("a chart has a path", node.at)
    return str(path.value)


def _resolved(cluster: Cluster, key: str) -> Chart | None:
    resolved = resolve(_request(cluster, key))
    return resolved.service.chart if resolved else None


def _request(cluster: Cluster, key: str) -> Request:
    provision = value_of(cluster.spec, "provision") if key.startswith(PROVISION) else None
    manager = value_of(provision, "managementCluster") if provision is not None else None
    if manager is None:
        return request_for(cluster, key)
    return provision_request(open_cluster(cluster.fleet, str(manager.value), manager.at), cluster.name)
