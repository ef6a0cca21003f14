"""What decides which version of which chart a service has on a cluster, and nothing else of it.

In: a cluster. Out: an outline of each service that it names. A thousand clusters take a second, because
only the few fields that matter are merged; where one refers to a var, only a full resolve can tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ..goyaml.load import Node
from ..specs.interpolate import all_references
from .cluster import Cluster, open_cluster
from .plan import PROVISION
from .request import Request, provision_request, request_for
from .service_layers import holds

FIELDS = ("enabled", "chart", "version", "revision")
Blocks = list[tuple[str, Node]]


class Outline(NamedTuple):
    """A service on a cluster. `fields`: name -> the value that wins, and its file's directory.

    `named`: the lowest block under `services` (or `provision`) that puts it there.
    """

    key: str
    entry: str
    named: Node
    fields: Mapping[str, tuple[Node, str]]

    @property
    def is_open(self) -> bool:
        """Whether a field refers to something, so that the outline does not say what it is."""
        return any(all_references(node) for node, _ in self.fields.values())

    @property
    def is_off(self) -> bool:
        """Whether `enabled: false` takes it off the cluster."""
        return "enabled" in self.fields and self.fields["enabled"][0].value is False

    def field(self, name: str) -> Node | None:
        """The value of a field, if it has one."""
        return self.fields[name][0] if name in self.fields else None


def outlines(cluster: Cluster) -> Iterator[Outline]:
    """Every service that is named for a cluster, and what provisions it. InputError: an unknown entry."""
    for key, blocks in _named(cluster).items():
        entry = _entry(key, blocks)
        lowest = blocks[0][1]
        spec = cluster.fleet.spec_of("Service", entry, lowest.start)
        own = [spec, *(variant for variant in spec.entries("variants").values() if _applies(variant, cluster))]
        fields = _merged([(f"/services/{entry}", block) for block in own] + blocks)
        yield Outline(key, entry, lowest, fields)


def full_request(cluster: Cluster, key: str) -> Request:
    """What to resolve where the outline is open; `provision.<name>` is its management cluster's."""
    provision = cluster.spec.get("provision") if key.startswith(PROVISION) else None
    manager = provision.get("managementCluster") if provision is not None else None
    if manager is None:
        return request_for(cluster, key)
    return provision_request(open_cluster(cluster.fleet, str(manager.value), manager.at), cluster.name)


def _named(cluster: Cluster) -> dict[str, Blocks]:
    """Key -> its blocks with their files' directories, lowest first; what provisions the cluster, too."""
    named: dict[str, Blocks] = {}
    for _, directory, node in cluster.sources[1:]:
        for key, block in node.entries("services").items():
            named.setdefault(key, []).append((directory, block))
    provision = cluster.spec.get("provision")
    if provision is not None:
        named[PROVISION + cluster.name] = [(f"/clusters/{cluster.name}", provision)]
    return named


def _entry(key: str, blocks: Blocks) -> str:
    found = [node for _, block in blocks if (node := block.get("service")) is not None]
    return str(found[-1].value) if found else key


def _applies(variant: Node, cluster: Cluster) -> bool:
    return variant.value is not None and holds(variant, cluster.facts.labels)


def _merged(blocks: Blocks) -> dict[str, tuple[Node, str]]:
    """The fields, each replaced whole by the layer above; null takes it away."""
    fields: dict[str, tuple[Node, str]] = {}
    for directory, block in blocks:
        for name in FIELDS:
            child = block.value.get(name) if isinstance(block.value, dict) else None
            if child is None:
                continue
            fields.pop(name, None)
            if child.value is not None:
                fields[name] = (child, directory)
    return fields
