"""Argo CD's parameter `inputs`: a request without the service's own directory, as one JSON string.

In: a request. Out: canonical JSON (sorted keys, no positions, so that moving a line changes nothing),
and back. Layers stay apart, since merging is not associative; files that upper layers name come along.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from ..errors import InputError, Location
from ..fleet.cluster import Facts
from ..fleet.layers import Layer
from ..fleet.request import Request
from ..fleet.service import ResolvedService
from ..fleet.settings import Settings
from ..goyaml.load import Node, plain
from ..specs.interpolate import all_references
from ..specs.paths import named_paths
from ..system.files import FileTree, within

FORMAT = 1
MAX_BYTES = 16 * 1024
NOT_RENDERED = ("application", "dependsOn", "dependsOn+", "revision", "service", "managementCluster")


class CannotTravel(NamedTuple):
    """Why a request cannot travel as `inputs`; the Application then names the cluster's directory."""

    reason: str


def encode(request: Request, service: ResolvedService, whole: bool = False) -> str | CannotTravel:
    """The parameter's text. `whole` sends every label and var, for directories of another commit.

    `service` is what the request resolves to: its namespace and release win when the request is read
    back, and where its resources lead decides whether its directory is enough.
    """
    from .source_paths import beyond

    files: dict[str, str] = {}
    for layer in (*request.below, *request.above):
        for path in named_paths(layer.block):
            refusal = _add_file(files, path, request)
            if refusal:
                return refusal
    if reason := beyond(request, service, files):
        return CannotTravel(reason)
    text = json.dumps(_message(request, service, files, whole), **CANONICAL)
    if len(text.encode()) > MAX_BYTES:
        return CannotTravel(f"inputs would be {len(text.encode())} bytes, more than {MAX_BYTES}")
    return text


CANONICAL: dict[str, Any] = {"sort_keys": True, "separators": (",", ":"), "ensure_ascii": False}


def _message(request: Request, service: ResolvedService, files: dict[str, str], whole: bool) -> dict[str, Any]:
    facts, settings = request.facts, request.settings
    labels, variables = _needed(request)
    message: dict[str, Any] = {
        "format": FORMAT,
        "cluster": {
            "name": facts.cluster,
            "labels": {k: v for k, v in facts.labels.items() if whole or k in labels},
            "vars": {k: plain(v) for k, v in facts.vars.items() if whole or k in variables},
            "destination": dict(facts.destination),
            "kubeVersion": facts.kube_version,
            "apiVersions": list(facts.api_versions),
        },
        "service": request.key,
        "entry": request.entry,
        "namespace": service.namespace,
        "releaseName": service.release,
        "below": [layer for layer in map(_layer, request.below) if layer["block"]],
        "above": [layer for layer in map(_layer, request.above) if layer["block"]],
        "files": files,
        "settings": {**settings._asdict(), "mirrors": [list(pair) for pair in settings.mirrors]},
    }
    message["cluster"] = _filled(message["cluster"])
    return _filled(message)


def _filled(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value not in ({}, [], "")}


def _layer(layer: Layer) -> dict[str, Any]:
    block = plain(_carried(layer))
    if isinstance(block.get("patches"), dict):
        block["patches"] = [[name, patch] for name, patch in block["patches"].items()]
    return {"name": layer.name, "block": block, **({"default": True} if layer.is_default else {})}


def _carried(layer: Layer) -> Node:
    """A layer without what only shapes the Application: changing that re-renders nothing."""
    fields = {key: child for key, child in layer.block.entries().items() if key not in NOT_RENDERED}
    return Node(fields, layer.block.at)


def _needed(request: Request) -> tuple[set[str], set[str]]:
    """Labels and vars that the render can see: referenced ones, and labels named in any `when`."""
    names = all_references(request.spec)
    for layer in (*request.below, *request.above):
        names |= all_references(_carried(layer))
    pending = [name for name in names if name.startswith("vars.")]
    while pending:
        value = request.facts.vars.get(pending.pop().removeprefix("vars."))
        fresh = (all_references(value) if value is not None else set()) - names
        names |= fresh
        pending.extend(name for name in fresh if name.startswith("vars."))
    labels = {name.removeprefix("cluster.labels.") for name in names if name.startswith("cluster.labels.")}
    for variant in request.spec.entries("variants").values():
        labels |= set(variant.entries("when"))
    return labels, {name.removeprefix("vars.") for name in names if name.startswith("vars.")}


def _add_file(files: dict[str, str], named: Node, request: Request) -> CannotTravel | None:
    """Inlines one file of an upper layer; what lies in the service's directory is there anyway."""
    path = str(named.value).removesuffix("?")
    if within(path, f"/services/{request.entry}"):
        return None
    if request.tree.is_dir(path):
        return CannotTravel(f"an upper layer names the directory {path[1:]}")
    if str(named.value).endswith("?") and not request.tree.exists(path):
        return None
    try:
        files[path] = request.tree.read(path, named.at).decode()
    except UnicodeDecodeError:
        return CannotTravel(f"{path[1:]} is not UTF-8 text")
    return None


def decode(text: str, directory: str) -> Request:
    """The request out of the parameter; `directory` is the service's, an absolute real path.

    Raises InputError when the text is none of ours.
    """
    from ..fleet.files import read_spec

    try:
        message = json.loads(text)
        version = message["format"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise InputError(
            "the parameter `inputs` is not what cmp-plugin writes", None, "git decides, do not edit it"
        ) from error
    if version != FORMAT:
        raise InputError(f"the parameter `inputs` has format {version}, this plugin reads {FORMAT}")
    try:
        return _request(message, directory, read_spec)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InputError(f"the parameter `inputs` lacks or misplaces {error}") from error


def _request(message: dict[str, Any], directory: str, read_spec: Any) -> Request:
    entry, cluster = message["entry"], message["cluster"]
    mount = f"/services/{entry}"
    inline = {path: content.encode() for path, content in message.get("files", {}).items()}
    tree = FileTree(directory, (mount,), mount, inline)
    settings = message["settings"]
    at = Location(f"inputs (cluster {cluster['name']})")
    return Request(
        facts=Facts(
            cluster["name"],
            cluster.get("labels", {}),
            {key: _located(value, "vars", key) for key, value in cluster.get("vars", {}).items()},
            cluster.get("destination", {}),
            _text(cluster, "kubeVersion"),
            tuple(cluster.get("apiVersions", [])),
            at,
        ),
        key=message["service"],
        entry=entry,
        below=tuple(_read_layer(layer) for layer in message.get("below", [])),
        above=tuple(_read_layer(layer) for layer in message.get("above", [])),
        spec=read_spec(tree, f"{mount}/service.yaml", "Service"),
        tree=tree,
        settings=Settings(**{**settings, "mirrors": tuple((a, b) for a, b in settings["mirrors"])}),
        namespace=message.get("namespace", ""),
        release=message.get("releaseName", ""),
    )


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name, "")
    if not isinstance(value, str):
        raise TypeError(name)
    return value


def _read_layer(layer: dict[str, Any]) -> Layer:
    block = dict(layer["block"])
    if isinstance(block.get("patches"), list):
        block["patches"] = dict(block["patches"])
    return Layer(layer["name"], _located(block, layer["name"], ""), layer.get("default", False))


def _located(value: Any, layer: str, path: str) -> Node:
    """A node whose place is the layer and the field, since there are no lines here."""
    at = Location(f"inputs ({layer}{', ' + path if path else ''})")
    dot = f"{path}." if path else ""
    if isinstance(value, dict):
        return Node({k: _located(v, layer, f"{dot}{k}") for k, v in value.items()}, at, at)
    if isinstance(value, list):
        return Node([_located(v, layer, f"{path}[{i}]") for i, v in enumerate(value)], at, at)
    return Node(value, at, at)
