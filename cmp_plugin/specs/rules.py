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
        errors.extend(_references(node, field))
    for block in _blocks(node, kind):
        errors.extend(_block_rules(block))
    if helm := node.get("tools", "helm"):
        errors.extend(_helm_range(helm))
    version = node.get("kubernetes", "version") if kind != "Service" else None
    if version and not is_kubernetes(str(version.value)):
        hint = f'write one such as "{defaults.KUBERNETES}"'
        errors.append(InputError(f'"{version.value}" is no Kubernetes version', version.at, hint))
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


def _blocks(node: Node, kind: str) -> Iterator[Node]:
    """Every service block of a file."""
    if kind == "Service":
        yield node
        yield from node.entries("variants").values()
    for field in ("defaults", "provision"):
        if block := node.get(field):
            yield block
    yield from node.entries("services").values()


def _block_rules(block: Node) -> list[CmpError]:
    errors: list[CmpError] = []
    merged = {key: child for key, child in block.entries().items() if key not in ("patches", "variants", "services")}
    errors.extend(_appends(Node(merged, block.at)))
    version = block.text("version")
    if version is not None and not references(version) and not is_exact(version):
        at = block.entries()["version"].at
        errors.append(InputError(f'version "{version}" is not exact', at, 'write one version such as "1.2.3"'))
    for field in ("service", "when", "managementCluster"):
        errors.extend(_references(block, field))
    for patch in block.entries("patches").values():
        if patch.get("patch") and (path := patch.get("path")):
            errors.append(InputError("a patch has `patch` or `path`, not both", path.key))
    for key, child in block.entries("kustomize").items():
        errors.extend(fragment_field(key, child))
    for label, wanted in block.entries("when").items():
        if len({str(item.value).startswith("!") for item in wanted.elements()}) > 1:
            message = f"when.{label} mixes values and negated values"
            errors.append(InputError(message, wanted.at, 'list what may be, or with "!" what may not'))
    return errors


def _references(node: Node, field: str) -> Iterator[CmpError]:
    """An error at every string of a field that nothing will interpolate."""
    child = node.get(field)
    for string in child.strings() if child is not None else ():
        for name in references(str(string.value))[:1]:
            message = f"${{{name}}} has no meaning here: {field} is not interpolated"
            yield InputError(message, string.at)


def _appends(node: Node | None) -> list[CmpError]:
    """What `key+` does wrong below `node`."""
    try:
        if node is not None:
            prepared(node)
    except Errors as wrong:
        return list(wrong.errors)
    return []
