"""Namespaces, labels and annotations that Kubernetes would refuse, before it does.

In: a resolved service. Out: errors at the place where the name was written. Pure. The rules are those of
apimachinery (util/validation): the text in an error is a label's or a name, never an annotation's value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...errors import CmpError, InputError
from ...fleet.plan import Planned
from ...goyaml.load import Node
from ...specs.rules import NAME

_NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_WORD = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?")
_MAX_PREFIX = 253  # characters of a DNS subdomain
_MAX_ANNOTATIONS = 256 * 1024  # characters of all keys and values together (TotalAnnotationSizeLimitB)


def invalid_names(planned: Planned) -> Iterator[CmpError]:
    """What is wrong with the names that a service gives to its namespace, its objects and its Application."""
    service, fields = planned.resolved.service, planned.resolved.merged.fields
    namespace = fields.get("namespace")
    if service.namespace and not _NAMESPACE.fullmatch(service.namespace):
        at = namespace.at if namespace else service.at
        message = f'"{service.namespace}" is no name of a namespace: small letters, digits and "-", 63 at most'
        yield InputError(f"{service.label}: {message}", at)
    written = fields.get("metadata")
    for field, pairs in (("labels", service.labels), ("annotations", service.annotations)):
        nodes = written.entries(field) if written else {}
        yield from _pairs(field, [(key, value, nodes[key]) for key, value in pairs])
    for field in ("labels", "annotations"):
        entries = planned.resolved.application.entries(field).items()
        yield from _pairs(field, [(key, str(child.value), child) for key, child in entries if child.value is not None])


def _pairs(field: str, pairs: list[tuple[str, str, Node]]) -> Iterator[CmpError]:
    """Keys and values as Kubernetes takes them; each pair with the node that says so."""
    for key, value, node in pairs:
        prefix, slash, name = key.rpartition("/")
        if not _WORD.fullmatch(name) or (slash and not (NAME.fullmatch(prefix) and len(prefix) <= _MAX_PREFIX)):
            hint = "write [prefix/]name, the name 63 letters at most"
            yield InputError(f'"{key}" is no key of {field}', node.start, hint)
        elif field == "labels" and value and not _WORD.fullmatch(value):
            hint = 'letters, digits, "-", "_" and ".", beginning and ending with a letter or digit, 63 at most'
            short = value if len(value) <= 80 else f"{value[:79]}…"
            yield InputError(f'label {key}: "{short}" is no value of a label', node.at, hint)
    if field == "annotations" and pairs and sum(len(key) + len(value) for key, value, _ in pairs) > _MAX_ANNOTATIONS:
        yield InputError("annotations are larger than 256 KiB together", pairs[0][2].start)
