"""JSON6902 operations, looked at before Kustomize sees them.

In: the operations of a patch as nodes, the object that they are to change. Out: the changed object, or
an error at the operation: what is no operation, and what the object does not have. The `jsonpatch`
library decides; Kustomize itself is more lenient (it replaces what is not there). An error names keys
and pointers, never values.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ...errors import CmpError, InputError, did_you_mean
from ...goyaml.load import Node, dump_json, plain
from ..manifest import described

# A limit in characters, since copies of copies double: the API server takes no object larger than 3 MiB.
MAX_COPIED = 4 * 1024 * 1024

# Which fields an operation needs (RFC 6902).
_NEEDS = {
    "add": ("path", "value"),
    "copy": ("from", "path"),
    "move": ("from", "path"),
    "remove": ("path",),
    "replace": ("path", "value"),
    "test": ("path", "value"),
}
# Pointers to what identifies an object, and to what selects it.
_IDENTITY = ("/apiVersion", "/kind", "/metadata/name", "/metadata/namespace")
_METADATA = ("/metadata/labels", "/metadata/annotations")


def malformed(operation: Node, name: str) -> CmpError | None:
    """What is wrong with an operation whatever the object; None when it is well formed."""
    fields = operation.value
    if not isinstance(fields, dict):
        return InputError(f'patch "{name}": an operation is a mapping', operation.at)
    kind = fields["op"].value if "op" in fields else None
    if not isinstance(kind, str) or kind not in _NEEDS:
        at = fields["op"].at if "op" in fields else operation.at
        hint = did_you_mean(str(kind), _NEEDS) or "one of " + ", ".join(_NEEDS)
        return InputError(f'patch "{name}": "{kind or ""}" is no JSON6902 operation', at, hint)
    for field in _NEEDS[kind]:
        if field not in fields:
            return InputError(f'patch "{name}": {kind} needs `{field}`', operation.at)
        if field != "value" and not is_pointer(fields[field].value):
            return InputError(
                f'patch "{name}": {field} "{fields[field].value}" is no JSON pointer',
                fields[field].at,
                "it begins with `/`; in a key `/` is written `~1` and `~` is written `~0`",
            )
    return None


def is_pointer(text: object) -> bool:
    """Whether `text` is a JSON pointer (RFC 6901)."""
    if not isinstance(text, str) or text[:1] not in ("", "/"):
        return False
    return "~" not in text.replace("~0", "").replace("~1", "")


def touches_identity(operations: Sequence[dict[str, Any]]) -> bool:
    """Whether an operation could change what identifies an object."""
    return _touch(operations, _IDENTITY)


def touches_metadata(operations: Sequence[dict[str, Any]]) -> bool:
    """Whether an operation could change labels or annotations."""
    return _touch(operations, _METADATA)


def _touch(operations: Sequence[dict[str, Any]], fields: Sequence[str]) -> bool:
    pointers = [
        str(operation[field])
        for operation in operations
        for field in ("path", "from")
        if field in operation and operation["op"] != "test"
    ]
    return any(
        path == pointer or path.startswith(f"{pointer}/") or pointer.startswith(f"{path}/")
        for pointer in pointers
        for path in fields
    )


def applied(operations: Sequence[Node], value: dict[str, Any], name: str) -> dict[str, Any]:
    """A changed copy of `value`. Raises InputError at the operation that cannot be done."""
    import jsonpatch
    import jsonpointer

    # Through JSON, so that what was one YAML alias in two places becomes two values.
    changed: Any = json.loads(dump_json(value))
    for node in operations:
        operation = plain(node)
        try:
            changed = jsonpatch.JsonPatch([operation]).apply(changed, in_place=True)
        except jsonpatch.JsonPatchTestFailed:
            raise _failed(node, operation, changed, name, "the value there is another one") from None
        except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException, TypeError):
            raise _failed(node, operation, changed, name, "") from None
        if operation["op"] == "copy" and len(dump_json(changed)) > MAX_COPIED:
            raise _failed(node, operation, value, name, "copies make the object too large")
        if not isinstance(changed, dict):
            raise _failed(node, operation, value, name, "nothing of the object would be left")
    assert isinstance(changed, dict)
    return changed


def _failed(node: Node, operation: dict[str, Any], value: dict[str, Any], name: str, reason: str) -> CmpError:
    hint = ""
    if not reason:
        reason, hint = _missing(operation, value)
    step = operation["op"] + " " + (operation["path"] or '""')
    return InputError(f'patch "{name}": {step} fails on {described(value)}: {reason}', node.at, hint)


def _missing(operation: dict[str, Any], value: Any) -> tuple[str, str]:
    """Which step of the operation's pointers leads nowhere, and what was perhaps meant."""
    for field in ("from", "path"):
        if field not in operation:
            continue
        steps = operation[field].split("/")[1:]
        wanted = steps[:-1] if field == "path" and operation["op"] in ("add", "copy", "move") else steps
        current: Any = value
        for count, step in enumerate(wanted, 1):
            pointer = "/" + "/".join(wanted[:count])
            key = step.replace("~1", "/").replace("~0", "~")
            if isinstance(current, dict) and key in current:
                current = current[key]
            elif isinstance(current, list) and key.isdigit() and int(key) < len(current):
                current = current[int(key)]
            else:
                hint = did_you_mean(key, current) if isinstance(current, dict) else ""
                if isinstance(current, list):
                    hint = f"the list has {len(current)} item{'s' if len(current) != 1 else ''}"
                return f"there is no {pointer}", hint
    return "the pointer leads to nothing that it could change", ""
