"""What an import makes: a fleet in the making, its files, and what to compare each of its renders with.

In: plain values, field by field. Out: text for people to go on with. Pure. What all clusters have alike
goes to the service, the rest stays with the cluster, so that a file says in what its cluster differs.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ...charts.obtain import FetchContext
from ...errors import CmpError, Location
from ...goyaml.load import dump_yaml
from ...specs.defaults import KUBERNETES
from ...specs.editor import modeline, schema_files
from ...specs.interpolate import escaped_text
from ...system.files import FileTree

_ORDER = (
    *("when", "labels", "destination", "profiles", "kubernetes", "directories", "tools", "projects", "service"),
    *("namespace", "chart", "version", "releaseName", "includeCRDs", "application", "metadata", "images"),
    *("valuesFiles", "values", "resources", "kustomize", "patches", "variants", "services"),
)
# How deep a field's maps are taken apart; what is not named here is one thing.
DEPTHS = {"values": math.inf, "application": math.inf, "metadata": math.inf, "images": 1, "patches": 1, "kustomize": 1}
_TITLES = {
    "fleet": "# The root of the fleet: what holds for every cluster. Argo CD needs its `repoURL`, too.\n",
    "service": "",
    "cluster": "",
}

CLUSTER = "${cluster.name}"

Block = dict[str, Any]


class Kustomization(NamedTuple):
    """A directory of the source that its owner builds with Kustomize."""

    path: str


class Manifests(NamedTuple):
    """YAML files of the source, applied as they are."""

    paths: tuple[str, ...]


class Release(NamedTuple):
    """A chart as Argo CD renders it. `path`: in the source; else `repository`, `name`, `version`.

    `files`: the contents of values files, lowest first; `sets`: options such as `--set=a=b`.
    """

    at: Location
    name: str
    release: str
    namespace: str
    path: str = ""
    repository: str = ""
    version: str = ""
    files: tuple[bytes, ...] = ()
    sets: tuple[str, ...] = ()
    include_crds: bool = True
    kube_version: str = ""
    api_versions: tuple[str, ...] = ()


Source = Kustomization | Manifests | Release


class Pair(NamedTuple):
    """A service on a cluster, and what it was before. `namespace`: where objects without one went.

    `entry`: the service's directory, where that is not called like the key.
    """

    cluster: str
    key: str
    sources: tuple[Source, ...]
    at: Location
    namespace: str = ""
    entry: str = ""

    @property
    def label(self) -> str:
        """`cluster/service`, for errors."""
        return f"{self.cluster}/{self.key}"


class Draft(NamedTuple):
    """A fleet in the making. Its maps are filled by whoever makes it."""

    fleet: Block
    services: dict[str, Block]
    clusters: dict[str, Block]
    files: dict[str, bytes]

    def block(self, cluster: str, key: str) -> Block:
        """The block of a service on a cluster, made when it is not there."""
        blocks = self.clusters.setdefault(cluster, {}).setdefault("services", {})
        block: Block = blocks.setdefault(key, {})
        return block


class Conversion(NamedTuple):
    """`left_out`: what could not be expressed. `lifted`: services whose overlays were taken apart."""

    files: Mapping[str, bytes]
    pairs: tuple[Pair, ...]
    left_out: tuple[CmpError, ...] = ()
    lifted: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()


class ImportRequest(NamedTuple):
    """What to import: the files of its repository, where in it the source begins, what that is called.

    `start` is canonical. `is_whole`: the files are those of a whole git repository. `context`: how its charts
    are fetched. `as_trees`: services whose overlays are to stay directories, and why.
    """

    tree: FileTree
    start: str
    name: str
    context: FetchContext
    kubernetes: str = KUBERNETES
    is_whole: bool = False
    as_trees: Mapping[str, str] = {}


def draft() -> Draft:
    """An empty one."""
    return Draft({}, {}, {}, {})


def written(made: Draft) -> dict[str, bytes]:
    """Every file of the fleet, schemas for editors included."""
    files = {name: text.encode() for name, text in schema_files().items()} | made.files
    files["fleet.yaml"] = _spec("fleet.yaml", "fleet", made.fleet)
    for name, fields in made.services.items():
        path = f"services/{name}/service.yaml"
        files[path] = _spec(path, "service", fields)
    for name, fields in made.clusters.items():
        path = f"clusters/{name}/cluster.yaml"
        files[path] = _spec(path, "cluster", fields)
    return files


def _spec(path: str, kind: str, fields: Block) -> bytes:
    head = {"apiVersion": "cmp-plugin/v1alpha1", "kind": kind.capitalize()}
    text = dump_yaml({**head, **_sorted(fields)}, ordered=True)
    return f"{modeline(path, kind)}{_TITLES[kind]}{text}".encode()


def _sorted(fields: Block) -> Block:
    """Fields in the order of the documentation, service blocks too."""
    order = {name: position for position, name in enumerate(_ORDER)}
    ordered = {key: fields[key] for key in sorted(fields, key=lambda key: (order.get(key, len(order)), key))}
    for name in ("services", "variants"):
        if name in ordered:
            ordered[name] = {key: _sorted(block) for key, block in sorted(ordered[name].items())}
    return ordered


def factored(made: Draft, service: str, keys: Iterable[tuple[str, str]], apart: Collection[str] = ()) -> None:
    """Moves what all instances (cluster, key) of a service have alike from the clusters to the service.

    `apart`: fields that stay where they are.
    """
    names, blocks = zip(*((cluster, made.block(cluster, key)) for cluster, key in keys), strict=True)
    refer(names, blocks)
    for field in sorted(
        {name for block in blocks for name in block} - {"service", "resources", "valuesFiles", "version", *apart}
    ):
        depth = DEPTHS.get(field, 0)
        shared = common([{field: block[field]} if field in block else {} for block in blocks], depth + 1)
        if shared:
            made.services[service].update(shared)
            for block in blocks:
                left = without({field: block.pop(field)}, shared)
                block.update(left)


def refer(clusters: Sequence[str], maps: Sequence[Block]) -> None:
    """Replaces texts that differ in nothing but the cluster's name by one that refers to it, in all of the maps."""
    for key in [key for key in maps[0] if len(maps) > 1 and all(key in block for block in maps)]:
        values = [block[key] for block in maps]
        if all(isinstance(value, dict) for value in values):
            refer(clusters, values)
        elif all(isinstance(value, str) for value in values) and len(set(values)) > 1:
            pairs = zip(clusters, values, strict=True)
            rewritten = {
                re.sub(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", CLUSTER, text) for name, text in pairs
            }
            if len(rewritten) == 1:
                for block in maps:
                    block[key] = next(iter(rewritten))


def common(maps: Sequence[Mapping[str, Any]], depth: float = math.inf) -> dict[str, Any]:
    """What all maps hold alike, `depth` levels of maps taken apart."""
    shared: dict[str, Any] = {}
    for key, value in maps[0].items() if maps else ():
        others = [block[key] for block in maps if key in block]
        if len(others) < len(maps):
            continue
        if all(_same(value, other) for other in others):
            shared[key] = value
        elif depth > 1 and all(isinstance(other, dict) for other in others):
            if below := common(others, depth - 1):
                shared[key] = below
    return shared


def without(value: Mapping[str, Any], shared: Mapping[str, Any]) -> dict[str, Any]:
    """What `value` has beyond `shared`, so that both merged give `value` again."""
    left: dict[str, Any] = {}
    for key, child in value.items():
        if key not in shared:
            left[key] = child
        elif not _same(child, shared[key]):
            left[key] = without(child, shared[key])
    return left


def _same(first: Any, second: Any) -> bool:
    """Equal, types included: 1 is not true."""
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(_same(first[key], second[key]) for key in first)
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(map(_same, first, second))
    return type(first) is type(second) and bool(first == second)


def literal(value: Any) -> Any:
    """A value that a spec gives back as it is: no reference in a text, no number that a spec refuses."""
    if isinstance(value, str):
        return escaped_text(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: literal(child) for key, child in value.items()}
    return [literal(child) for child in value] if isinstance(value, list) else value


def dns_name(text: str) -> str:
    """The nearest name that a cluster or a service can have; "" when nothing is left."""
    return (
        re.sub(r"\.(?=\.)|[-.]+$|^[-.]+", "", re.sub(r"[^a-z0-9.-]+", "-", text.lower()))
        .replace(".-", "-")
        .replace("-.", "-")
    )
