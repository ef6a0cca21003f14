"""What `new cluster` writes: a cluster like the others of the fleet, or a copy of one.

In: the fleet, names. Out: files. A fresh one has the profiles that every other cluster has, so that it
gets the services which all of them have.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from ...errors import InputError, Location
from ...fleet.cluster import profile_order
from ...fleet.files import PLACES, Fleet
from ...goyaml.load import Node, load, plain
from ...specs.defaults import KUBERNETES
from ...specs.editor import DIRECTORY as SCHEMAS
from ...specs.editor import modeline
from ...system.files import MAX_FILE
from ..arguments import cluster_name
from ..warnings import warn
from .texts import cluster_text, with_destination


class Made(NamedTuple):
    """`files`: name in the cluster's directory -> content. `is_empty`: no service comes of them."""

    files: dict[str, bytes]
    is_empty: bool = False


def place_of(kind: str, name: str) -> str:
    """The path of a cluster's, service's or profile's file in the fleet."""
    directory, ending = PLACES[kind]
    return f"{directory}/{name}{ending}"


def editor_line(fleet: Fleet, kind: str, name: str) -> str:
    """The modeline of a new file, where an editor would find the schema; else nothing."""
    there = fleet.tree.exists(f"/{SCHEMAS}/{kind.lower()}.json")
    return modeline(place_of(kind, name), kind.lower()) if there else ""


def fresh(fleet: Fleet, name: str) -> Made:
    """cluster.yaml with the profiles that every other cluster has."""
    others = [fleet.spec_of("Cluster", cluster) for cluster in fleet.names("Cluster")]
    named = [[str(name.value) for name in cluster.elements("profiles")] for cluster in others]
    profiles = [name for name in named[0] if all(name in names for names in named)] if named else []
    labels = next((cluster.get("labels") for cluster in others if cluster.get("labels")), None)
    # The fleet's file and those of the profiles that the new cluster has.
    at = Location("cluster.yaml")
    asking = Node({"profiles": Node([Node(profile, at) for profile in profiles], at)}, at)
    layers = [fleet.spec, *profile_order(fleet, asking).values()]
    kubernetes = "" if any(layer.get("kubernetes", "version") for layer in layers) else KUBERNETES
    is_empty = not any(layer.entries("services") for layer in layers[1:])
    text = cluster_text(name, profiles, plain(labels) if labels else {}, kubernetes, is_empty)
    return Made({"cluster.yaml": (editor_line(fleet, "Cluster", name) + text).encode()}, is_empty)


def copied(fleet: Fleet, word: str, name: str) -> Made:
    """Every file of another cluster; in cluster.yaml the destination's name follows."""
    source = cluster_name(fleet, word)
    fleet.spec_of("Cluster", source)
    files = _files_below(fleet, f"clusters/{source}")
    path = f"clusters/{source}/cluster.yaml"
    before = files["cluster.yaml"].decode()
    after = with_destination(before, source, name, path)
    if after == before and load(files["cluster.yaml"], path).get("destination"):
        warn([f"clusters/{name}/cluster.yaml has the destination of {source}: write its own"])
    return Made({**files, "cluster.yaml": after.encode()})


def _files_below(fleet: Fleet, directory: str) -> dict[str, bytes]:
    tree = fleet.tree._replace(allowed=(f"/{directory}",))
    top = tree.locate(f"/{directory}", Location(directory))
    files: dict[str, bytes] = {}
    for parent, _, names in os.walk(top):
        for name in names:
            path = os.path.relpath(os.path.join(parent, name), top)
            files[path] = tree.read(f"/{directory}/{path}", Location(directory))
            if sum(map(len, files.values())) > MAX_FILE:
                raise InputError(f"{directory} holds more than {MAX_FILE >> 20} MiB", Location(directory))
    return files
