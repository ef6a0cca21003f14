"""What the generators of an ApplicationSet give: sets of parameters, as Argo CD makes them.

In: a generator, the clusters, the repository's files. Out: parameters as nested maps. The generators `list`,
`clusters`, `git`, `matrix` and `merge`; the others ask something that is not in a repository. Pure but for `git`.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import fnmatch
import os
import posixpath
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from ...argocd.applications import IN_CLUSTER
from ...errors import InputError, Location
from ...render.manifest import mapping, strings, text
from ...system.files import MAX_ENTRIES
from .conversion import Block, ImportRequest, dns_name

SECRET_TYPE = "argocd.argoproj.io/secret-type"
MOST = 10_000  # sets of parameters: a matrix in a matrix multiplies, and something has to end it

Fill = Callable[[Any, Block], Any]


class ClusterSecret(NamedTuple):
    """What Argo CD knows of a cluster, but for how it gets there."""

    name: str
    server: str
    labels: dict[str, str]
    annotations: dict[str, str]

    @property
    def parameters(self) -> Block:
        """What the cluster generator of an ApplicationSet makes of it."""
        metadata = {"labels": self.labels, "annotations": self.annotations}
        return {"name": self.name, "nameNormalized": dns_name(self.name), "server": self.server, "metadata": metadata}


def cluster_secret(value: dict[str, Any]) -> ClusterSecret | None:
    """The cluster of a Secret; None for any other object. Nothing but name and address is read of its data."""
    metadata = mapping(value, "metadata")
    labels = strings(metadata, "labels")
    if value.get("kind") != "Secret" or labels.get(SECRET_TYPE) != "cluster":
        return None
    fields: dict[str, str] = {}
    for key in ("name", "server"):
        fields[key] = text(mapping(value, "stringData"), key)
        if not fields[key]:
            with contextlib.suppress(binascii.Error, ValueError):
                fields[key] = base64.b64decode(text(mapping(value, "data"), key)).decode()
    return ClusterSecret(
        fields["name"] or text(metadata, "name"), fields["server"], labels, strings(metadata, "annotations")
    )


class Generators(NamedTuple):
    """`fill` replaces the parameters in a value; nested generators may name those of the ones before them."""

    clusters: Sequence[ClusterSecret]
    asked: ImportRequest
    at: Location
    fill: Fill

    def all_of(self, generators: Any) -> list[Block]:
        """The parameters of several generators, one after the other. InputError: one is not understood."""
        sets: list[Block] = []
        for generator in generators if isinstance(generators, list) else []:
            sets.extend(self.of(generator))
            if len(sets) > MOST:
                raise InputError(f"its generators give more than {MOST} sets of parameters", self.at)
        return sets

    def of(self, generator: Any) -> list[Block]:
        """The sets of parameters that one generator gives. InputError when it cannot be read."""
        if not isinstance(generator, dict):
            raise InputError("it has a generator that is no map", self.at)
        (kind, options), *more = [(key, value) for key, value in generator.items() if value is not None] or [("", None)]
        known = {
            "list": self._list,
            "clusters": self._clusters,
            "git": self._git,
            "matrix": self._matrix,
            "merge": self._merge,
        }
        if more or kind not in known or not isinstance(options, dict):
            name = kind if kind not in known else more[0][0] if more else kind
            raise InputError(
                f"the generator {name or '(none)'} is not imported",
                self.at,
                "`argocd appset generate` prints the Applications",
            )
        if options.get("template"):
            raise InputError(f"a template inside of the generator {kind} is not imported", self.at)
        return known[kind](options)

    def _list(self, options: Block) -> list[Block]:
        return [dict(element) for element in options.get("elements") or [] if isinstance(element, dict)]

    def _clusters(self, options: Block) -> list[Block]:
        selector = mapping(options, "selector")
        chosen = [secret for secret in self.clusters if selects(selector, secret.labels)]
        if not any(selector.values()) and not any(secret.server == IN_CLUSTER for secret in self.clusters):
            chosen = [*chosen, ClusterSecret("in-cluster", IN_CLUSTER, {}, {})]
        sets = [secret.parameters for secret in chosen]
        return [
            {**parameters, "values": self.fill(mapping(options, "values"), parameters)}
            if options.get("values")
            else parameters
            for parameters in sets
        ]

    def _matrix(self, options: Block) -> list[Block]:
        inner = options.get("generators")
        if not isinstance(inner, list) or len(inner) != 2:
            raise InputError("the generator matrix needs two generators", self.at)
        first, second = inner
        sets: list[Block] = []
        for outer in self.of(first):
            sets += [deep({**nested}, outer) for nested in self.of(self.fill(second, outer))]
            if len(sets) > MOST:
                raise InputError(f"its generators give more than {MOST} sets of parameters", self.at)
        return sets

    def _merge(self, options: Block) -> list[Block]:
        base, *others = [self.of(generator) for generator in options.get("generators") or []] or [[]]
        keys = [str(key) for key in options.get("mergeKeys") or []]
        for sets in others:
            known = {tuple(str(at_path(parameters, key)) for key in keys): parameters for parameters in sets}
            base = [
                deep(parameters, known.get(tuple(str(at_path(parameters, key)) for key in keys), {}))
                for parameters in base
            ]
        return base

    def _git(self, options: Block) -> list[Block]:
        if options.get("files") or not options.get("directories"):
            raise InputError("the generator git is imported for directories only", self.at)
        patterns = [
            (text(entry, "path"), entry.get("exclude") is True)
            for entry in options["directories"]
            if isinstance(entry, dict)
        ]
        wanted = [pattern for pattern, is_excluded in patterns if not is_excluded]
        refused = [pattern for pattern, is_excluded in patterns if is_excluded]
        values = mapping(options, "values")
        sets: list[Block] = []
        for path in directories(self.asked):
            if matches(path, wanted) and not matches(path, refused):
                steps = path.split("/")
                names = {"basename": steps[-1], "basenameNormalized": dns_name(steps[-1])}
                parameters: Block = {"path": {"path": path, **names, "segments": steps}}
                sets.append({**parameters, "values": self.fill(values, parameters)} if values else parameters)
        return sets


def directories(request: ImportRequest) -> list[str]:
    """Every directory of the repository, hidden ones left out, sorted."""
    paths: list[str] = []
    for parent, names, _ in os.walk(request.tree.root):
        names[:] = [name for name in names if name[0] != "."]
        paths += [os.path.relpath(os.path.join(parent, name), request.tree.root) for name in names]
        if len(paths) > MAX_ENTRIES:
            raise InputError(f"the repository holds more than {MAX_ENTRIES} directories")
    return sorted(paths)


def matches(path: str, patterns: Iterable[str]) -> bool:
    """Whether a path fits one of the patterns, step by step: `*` never spans a slash."""
    steps = path.split("/")
    return any(
        len(steps) == len(wanted := posixpath.normpath(pattern).split("/"))
        and all(fnmatch.fnmatchcase(step, wildcard) for step, wildcard in zip(steps, wanted, strict=True))
        for pattern in patterns
    )


def selects(selector: Block, labels: dict[str, str]) -> bool:
    """Kubernetes' label selector: matchLabels and matchExpressions."""
    if any(labels.get(key) != value for key, value in mapping(selector, "matchLabels").items()):
        return False
    return all(_holds(expression, labels) for expression in selector.get("matchExpressions") or [])


def _holds(expression: Block, labels: dict[str, str]) -> bool:
    key, values = text(expression, "key"), expression.get("values") or []
    operators = {
        "In": labels.get(key) in values,
        "NotIn": labels.get(key) not in values,
        "Exists": key in labels,
        "DoesNotExist": key not in labels,
    }
    return operators.get(text(expression, "operator"), False)


def deep(low: Block, high: Block) -> Block:
    """Both, maps merged, `high` over `low`."""
    merged = dict(low)
    for key, value in high.items():
        below = merged.get(key)
        merged[key] = deep(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return merged


def at_path(parameters: Block, path: str) -> Any:
    """The parameter that `a.b.c`, `path` or `path[0]` names, as Argo CD's plain templates do; None without one."""
    if path == "path" or re.fullmatch(r"path\[\d+\]", path):
        inner = mapping(parameters, "path")
        segments = inner.get("segments") or []
        index = int(path[5:-1]) if path != "path" else -1
        return inner.get("path") if path == "path" else segments[index] if index < len(segments) else None
    value: Any = parameters
    steps = path.split(".")
    while steps:
        if not isinstance(value, dict):
            return None
        # A label's own key may have dots in it.
        count = next((count for count in range(len(steps), 0, -1) if ".".join(steps[:count]) in value), 0)
        if not count:
            return None
        value, steps = value[".".join(steps[:count])], steps[count:]
    return value
