"""What a model cannot say about a spec: names, references where none belong, either-or fields.

In: the node of a file that fits its model. Out: errors. Pure, and cheap enough for the hot path.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..errors import CmpError, Errors, InputError
from ..goyaml.load import Node
from ..tools.versions import is_exact, is_kubernetes, majors
from . import defaults
from .interpolate import references
from .kustomization_fields import fragment_field
from .merge import prepared

NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
NOT_INTERPOLATED = tuple(
    "labels kubernetes destination profiles tools mirrors directories repoURL targetRevision projects".split()
)


def rules(node: Node, kind: str) -> list[CmpError]:
    """Everything wrong with a file of `kind` that its model does not catch."""
    errors: list[CmpError] = []
    for field in NOT_INTERPOLATED:
        if child := node.get(field):
            errors.extend(_references(field, child))
    for _, block in blocks(node, kind):
        errors.extend(_block_rules(block))
    if helm := node.get("tools", "helm"):
        errors.extend(_helm_range(helm))
    if version := node.get("kubernetes", "version"):
        errors.extend(_kubernetes_version(version) if kind != "Service" else [])
    for field in ("vars", "kubernetes"):
        errors.extend(_appends(node.get(field)))
    for name, block in node.entries("services").items():
        if not NAME.fullmatch(name):
            message = f'"{name}" is no DNS-1123 name: small letters, digits, "-" and "."'
            errors.append(InputError(message, block.start))
    return errors


def _helm_range(node: Node) -> list[CmpError]:
    try:
        if len(majors(str(node.value))) == 1:
            return []
    except ValueError as error:
        return [InputError(f"tools.helm: {error}", node.at)]
    message = f'tools.helm: "{node.value}" must admit exactly one major version'
    return [InputError(message, node.at, "Helm 3 and 4 treat nulls differently")]


def blocks(node: Node, kind: str) -> Iterator[tuple[str, Node]]:
    """Every service block of a file with a name for it."""
    if kind == "Service":
        yield "", node
        for name, variant in node.entries("variants").items():
            yield f"variants.{name}", variant
    for field in ("defaults", "provision"):
        if child := node.get(field):
            yield field, child
    for name, block in node.entries("services").items():
        yield f"services.{name}", block


def _references(field: str, node: Node) -> list[CmpError]:
    """An error at every string of a field that nothing will interpolate."""
    if isinstance(node.value, str):
        found = references(node.value)[:1]
        return [InputError(f"${{{name}}} has no meaning here: {field} is not interpolated", node.at) for name in found]
    if not isinstance(node.value, dict | list):
        return []
    children = node.value.values() if isinstance(node.value, dict) else node.value
    return [error for child in children for error in _references(field, child)]


def _appends(node: Node | None) -> list[CmpError]:
    """What `key+` does wrong below `node`."""
    try:
        if node is not None:
            prepared(node)
    except Errors as wrong:
        return list(wrong.errors)
    return []


def _block_rules(block: Node) -> list[CmpError]:
    errors: list[CmpError] = []
    assert isinstance(block.value, dict) or block.value is None
    fields = block.value or {}
    plain_lists = {k: v for k, v in fields.items() if k not in ("patches", "variants", "services")}
    errors.extend(_appends(Node(plain_lists, block.at)))
    errors.extend(_version(block.get("version")))
    for field in ("service", "when", "managementCluster"):
        if child := block.get(field):
            errors.extend(_references(field, child))
    for patch in block.entries("patches").values():
        if patch.get("patch") and (path := patch.get("path")):
            errors.append(InputError("a patch has `patch` or `path`, not both", path.key))
    for key, child in block.entries("kustomize").items():
        errors.extend(fragment_field(key, child))
    for label, wanted in block.entries("when").items():
        errors.extend(_when(label, wanted))
    return errors


def _version(node: Node | None) -> list[CmpError]:
    if node is None or not isinstance(node.value, str) or references(node.value):
        return []
    if is_exact(node.value):
        return []
    return [InputError(f'version "{node.value}" is not exact', node.at, 'write one version such as "1.2.3"')]


def _kubernetes_version(node: Node) -> list[CmpError]:
    if is_kubernetes(str(node.value)):
        return []
    return [
        InputError(f'"{node.value}" is no Kubernetes version', node.at, f'write one such as "{defaults.KUBERNETES}"')
    ]


def _when(label: str, wanted: Node) -> list[CmpError]:
    if not isinstance(wanted.value, list):
        return []
    negated = {str(item.value).startswith("!") for item in wanted.value}
    if len(negated) < 2:
        return []
    message = f"when.{label} mixes values and negated values"
    return [InputError(message, wanted.at, 'list what may be, or with "!" what may not')]
