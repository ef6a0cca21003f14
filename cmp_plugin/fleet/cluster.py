"""One cluster: its profiles in order, its facts, the layers of each service on it.

In: a fleet and a cluster's name. Out: facts (labels, vars, kubernetes, destination) and, per service
key, the layers below and above service.yaml. Paths are made canonical here, on the way out of a file.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import NamedTuple

from ..errors import CmpError, Errors, InputError, Location
from ..goyaml.load import Node
from ..specs.interpolate import Scope
from ..specs.merge import merge_fields, prepared
from ..specs.paths import BlockFile, with_canonical_paths
from ..system.files import within
from .files import Fleet
from .layers import Layer

LONGEST_CHAIN = 100
# Fields of a service block, for who needs but some of them; None: all.
Fields = Container[str] | None


class Facts(NamedTuple):
    """What a render may know about a cluster. `vars` are raw: they may refer to each other."""

    cluster: str
    labels: Mapping[str, str]
    vars: Mapping[str, Node]
    destination: Mapping[str, str]
    kube_version: str
    api_versions: tuple[str, ...]
    at: Location

    def scope(self, own_vars: Mapping[str, Node] | None = None, **service: str) -> Scope:
        """What references see; `own_vars` (a service's) win, `service` adds `service.*` facts."""
        facts = {"cluster.name": self.cluster}
        facts |= {f"cluster.labels.{key}": value for key, value in self.labels.items()}
        facts |= {f"cluster.destination.{key}": value for key, value in self.destination.items()}
        facts |= {f"service.{key}": value for key, value in service.items() if value}
        absent = {
            f"cluster.destination.{key}": f"the cluster's destination has no {key}"
            for key in ("name", "server")
            if key not in self.destination
        }
        if "namespace" in service and not service["namespace"]:
            absent["service.namespace"] = "the service has no namespace"
        return Scope(facts, {**self.vars, **(own_vars or {})}, absent)


class Cluster(NamedTuple):
    """A cluster's files in order of precedence, lowest first: (layer name, directory, node).

    `named`: service key -> where a profile or the cluster names it first.
    """

    name: str
    fleet: Fleet
    sources: tuple[tuple[str, str, Node], ...]
    facts: Facts
    named: Mapping[str, Location]

    @property
    def spec(self) -> Node:
        """cluster.yaml itself."""
        return self.sources[-1][2]

    def keys(self) -> list[str]:
        """Every service key that a profile or the cluster names, in the order of the files."""
        return [*self.named]


def open_cluster(fleet: Fleet, name: str, at: Location | None = None) -> Cluster:
    """Reads a cluster and the profiles it is made of. Raises the errors of all of these files."""
    spec = fleet.spec_of("Cluster", name, at)
    profiles = profile_order(fleet, spec)
    sources = (
        ("fleet", "/", fleet.spec),
        *((f"profile {profile}", "/profiles", node) for profile, node in profiles.items()),
        (f"cluster {name}", f"/clusters/{name}", spec),
    )
    named: dict[str, Location] = {}
    for _, _, node in sources[1:]:
        for key, block in node.entries("services").items():
            named.setdefault(key, block.start)
    return Cluster(name, fleet, sources, _facts(name, [node for _, _, node in sources], spec), named)


def profile_order(fleet: Fleet, cluster: Node) -> dict[str, Node]:
    """Profiles by name in resolved order: the fleet's, then the cluster's, included ones before.

    Each counts once, at its first position. Raises Errors: unknown profiles, cycles, wrong files.
    """
    order: dict[str, Node] = {}
    errors: list[CmpError] = []

    def visit(item: Node, path: tuple[str, ...]) -> None:
        name = str(item.value)
        if name in path:
            cycle = " -> ".join([*path[path.index(name) :], name])
            errors.append(InputError(f"profiles include each other in a cycle: {cycle}", item.at))
            return
        if name in order:
            return
        if len(path) == LONGEST_CHAIN:
            errors.append(InputError(f"profiles include each other more than {LONGEST_CHAIN} deep", item.at))
            return
        try:
            node = fleet.spec_of("Profile", name, item.at)
        except CmpError as error:
            errors.append(error)
            return
        for included in node.elements("profiles"):
            visit(included, (*path, name))
        order.setdefault(name, node)

    for source in (fleet.spec, cluster):
        for item in source.elements("profiles"):
            visit(item, ())
    if errors:
        raise Errors(errors)
    return order


def _facts(name: str, nodes: list[Node], spec: Node) -> Facts:
    labels, variables, kubernetes = (_merged_field(nodes, field) for field in ("labels", "vars", "kubernetes"))
    return Facts(
        cluster=name,
        labels={key: str(child.value) for key, child in labels.entries().items()},
        vars=variables.entries(),
        destination={key: str(child.value) for key, child in spec.entries("destination").items()},
        kube_version=kubernetes.as_text("version"),
        api_versions=tuple(str(item.value) for item in kubernetes.elements("apiVersions")),
        at=Location(spec.at.file),
    )


def _merged_field(nodes: list[Node], field: str) -> Node:
    merged = Node({}, nodes[-1].at)
    for node in nodes:
        if child := node.get(field):
            merged = merge_fields(merged, prepared(child))
    return merged


def layers_below(cluster: Cluster, only: Fields = None) -> list[Layer]:
    """Every `defaults`, lowest first; the fleet's `application` lies below them."""
    layers: list[Layer] = []
    application = cluster.fleet.spec.get("application")
    if application and (only is None or "application" in only):
        layers.append(Layer("fleet", Node({"application": application}, application.at), True))
    for name, directory, node in cluster.sources:
        if block := node.get("defaults"):
            layers.append(Layer(f"{name}, defaults", canonical_block(cluster, directory, block, only), True))
    return layers


def layers_above(cluster: Cluster, key: str, only: Fields = None) -> list[Layer]:
    """The profiles' and the cluster's own blocks for a service key, lowest first."""
    blocks = ((name, directory, node.get("services", key)) for name, directory, node in cluster.sources[1:])
    return [Layer(name, canonical_block(cluster, directory, block, only)) for name, directory, block in blocks if block]


def entry_of(cluster: Cluster, key: str) -> tuple[str, Location | None]:
    """The catalogue entry that `key` is an instance of, and where that was written."""
    for _, _, node in reversed(cluster.sources[1:]):
        block = node.get("services", key)
        service = block.entries().get("service") if block is not None else None
        if service is not None:
            return str(service.value or key), service.at
    return key, cluster.named.get(key)


def canonical_block(cluster: Cluster, directory: str, block: Node, only: Fields = None) -> Node:
    """A block of a file in canonical `directory`, as one for this cluster: its paths canonical."""
    allowed = cluster.fleet.tree.allowed
    if within(directory, "/clusters"):
        allowed = (*allowed, directory)
    return with_canonical_paths(narrowed(block, only), BlockFile(directory, allowed, cluster.facts.scope))


def narrowed(block: Node, only: Fields) -> Node:
    """A service block with `only` some of its fields, in its variants, too."""
    if only is None:
        return block
    entries = block.entries()
    fields = {key: child for key, child in entries.items() if key in only or key == "when"}
    if variants := entries.get("variants"):
        fields["variants"] = variants.with_value({k: narrowed(v, only) for k, v in variants.entries().items()})
    return block.with_value(fields)
