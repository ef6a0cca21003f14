"""Where the facts of a cluster come from: labels, vars, profiles, and which file put a service on it.

In: an opened cluster. Out: who said what, and why a variant applies or not. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ...errors import Location
from ...fleet.cluster import Cluster
from ...fleet.plan import PROVISION
from ...fleet.service_layers import label_fits
from ...goyaml.load import Node
from ...specs.merge import merge_fields, prepared
from .trails import Origins, Statement, Trail, walked

FACTS = ("labels", "vars", "kubernetes", "destination")


class Naming(NamedTuple):
    """Where a file names a profile or a service. `by`: the file as a layer, such as `profile prod`."""

    name: str
    by: str
    at: Location


class Condition(NamedTuple):
    """One entry of a variant's `when`. `actual` is None without such a label; `trail`: who set the label."""

    label: str
    wanted: tuple[str, ...]
    actual: str | None
    holds: bool
    trail: Trail


class Variant(NamedTuple):
    """A variant of a service, and why it applies or not."""

    name: str
    at: Location
    applies: bool
    conditions: tuple[Condition, ...]


def facts_said(cluster: Cluster) -> Iterator[Statement]:
    """What fleet, profiles and cluster say about the cluster itself, lowest first."""
    for layer, _, spec in cluster.sources:
        for field in FACTS:
            fact = spec.get(field)
            if fact is not None:
                yield from walked(layer, (field,), prepared(fact))


def facts_tree(cluster: Cluster) -> Node:
    """What holds of all that in the end, as one tree."""
    merged = Node({}, cluster.facts.at)
    for _, _, spec in cluster.sources:
        facts = {field: prepared(child) for field in FACTS if (child := spec.get(field)) is not None}
        merged = merge_fields(merged, Node(facts, spec.at))
    return merged


def profiles(cluster: Cluster) -> list[Naming]:
    """The cluster's profiles in their order, each with the file that brings it in first."""
    named: dict[str, Naming] = {}
    for layer, _, spec in (cluster.sources[0], cluster.sources[-1], *cluster.sources[1:-1]):
        for item in spec.elements("profiles"):
            named.setdefault(str(item.value), Naming(str(item.value), layer, item.at))
    order = (layer.removeprefix("profile ") for layer, _, _ in cluster.sources[1:-1])
    return [named[name] for name in order]


def named_by(cluster: Cluster, key: str) -> list[Naming]:
    """Every file that names a service, lowest first; for what provisions a cluster, that cluster's."""
    namings = [
        Naming(key, layer, block.start)
        for layer, _, spec in cluster.sources[1:]
        for name, block in spec.entries("services").items()
        if name == key
    ]
    if namings or not key.startswith(PROVISION):
        return namings
    name = key.removeprefix(PROVISION)
    block = cluster.fleet.spec_of("Cluster", name).get("provision")
    return [Naming(key, f"cluster {name}, provision", block.start)] if block is not None else []


def variants(spec: Node, labels: Mapping[str, str], facts: Origins) -> list[Variant]:
    """Every variant of a service in the order of its file; `facts`: who set the labels."""
    explained: list[Variant] = []
    for name, variant in spec.entries("variants").items():
        conditions = tuple(
            _condition(label, wanted, labels.get(label), facts) for label, wanted in variant.entries("when").items()
        )
        if conditions:
            explained.append(Variant(name, variant.start, all(condition.holds for condition in conditions), conditions))
    return explained


def _condition(label: str, wanted: Node, actual: str | None, facts: Origins) -> Condition:
    texts = tuple(str(item.value) for item in wanted.elements() or [wanted])
    return Condition(label, texts, actual, label_fits(wanted, actual), facts.trail(("labels", label)))
