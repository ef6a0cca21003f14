"""What decides one render, gathered from a fleet: facts, layers, the service's file, settings.

In: a cluster and a service key. Out: a `Request`. Argo CD's parameter `inputs` decodes to the same
(see `inputs`), so everything after this cannot tell the two apart.
"""

from __future__ import annotations

from typing import NamedTuple

from ..errors import InputError
from ..goyaml.load import Node
from ..system.files import FileTree
from .cluster import (
    Cluster,
    Facts,
    Fields,
    canonical_block,
    entry_of,
    layers_above,
    layers_below,
    narrowed,
    open_cluster,
)
from .layers import Layer
from .settings import Settings


class Request(NamedTuple):
    """Everything that decides a render. `namespace` and `release`, when given, win over the layers."""

    facts: Facts
    key: str
    entry: str
    below: tuple[Layer, ...]
    above: tuple[Layer, ...]
    spec: Node
    tree: FileTree
    settings: Settings
    namespace: str = ""
    release: str = ""


def request_for(cluster: Cluster, key: str, only: Fields = None) -> Request:
    """The request of service `key` on `cluster`, with all fields of its blocks or `only` some.

    Raises errors of the files it reads.
    """
    fleet = cluster.fleet
    entry, at = entry_of(cluster, key)
    return Request(
        facts=cluster.facts,
        key=key,
        entry=entry,
        below=tuple(layers_below(cluster, only)),
        above=tuple(layers_above(cluster, key, only)),
        spec=narrowed(fleet.spec_of("Service", entry, at), only),
        tree=fleet.tree._replace(allowed=(*fleet.tree.allowed, f"/clusters/{cluster.name}")),
        settings=fleet.settings,
    )


def provision_request(manager: Cluster, name: str, only: Fields = None) -> Request:
    """The request of the key `provision.<name>` on the management cluster.

    Its layers are service.yaml, the variants that match the cluster `name`, and the `provision` block;
    labels and vars are that cluster's, destination and Kubernetes the management cluster's.
    """
    fleet = manager.fleet
    cluster = open_cluster(fleet, name)
    block = cluster.spec.get("provision")
    service = cluster.spec.get("provision", "service")
    if block is None or service is None:
        raise InputError(f"provision of {name} names no `service`", block.at if block else cluster.facts.at)
    facts = cluster.facts._replace(
        destination=manager.facts.destination,
        kube_version=manager.facts.kube_version,
        api_versions=manager.facts.api_versions,
    )
    return Request(
        facts=facts,
        key=f"provision.{name}",
        entry=str(service.value),
        below=(),
        above=(Layer(f"cluster {name}, provision", canonical_block(cluster, f"/clusters/{name}", block, only)),),
        spec=narrowed(fleet.spec_of("Service", str(service.value), service.at), only),
        tree=fleet.tree._replace(allowed=(*fleet.tree.allowed, f"/clusters/{name}")),
        settings=fleet.settings,
    )
