"""Files of this repository that are made from code: `make generated` writes them.

A test compares them with what this module returns, so that they cannot drift.
"""

from __future__ import annotations

import json
import os
from typing import Any

import field_reference as fieldreference
from cli_reference import markdown

from cmp_plugin.argocd.contract import plugin_yaml
from cmp_plugin.specs.models import KINDS, json_schema

HEADER = '"""Generated from specs.py by `make generated`: what `shapes.fits` reads. Not edited by hand."""\n'


def files() -> dict[str, str]:
    """Path relative to the repository's root -> text of every generated file."""
    made = {f"schemas/{kind.lower()}.json": schema_text(kind) for kind in KINDS}
    made["cmp_plugin/specs/accept_table.py"] = shape_table()
    made["docs/cli.md"] = markdown()
    made["docs/fields.md"] = fieldreference.markdown()
    made["plugin.yaml"] = plugin_yaml()
    return made


def schema_text(kind: str) -> str:
    """The JSON Schema of a kind as it stands in `schemas/`."""
    return json.dumps(json_schema(kind), indent=2, ensure_ascii=False) + "\n"


def shape_table() -> str:
    """Source text of the module `shape_table`."""
    table: dict[str, Any] = {}
    for kind in KINDS:
        schema = json_schema(kind)
        for name, definition in schema.get("$defs", {}).items():
            table[f"{name}"] = to_shape(definition)
        table[f"file {kind}"] = to_shape(schema)
    rows = "".join(f"    {name!r}: {shape!r},\n" for name, shape in sorted(table.items()))
    return f"{HEADER}\nfrom typing import Any\n\n# fmt: off\nTABLE: dict[str, Any] = {{\n{rows}}}\n# fmt: on\n"


def to_shape(schema: dict[str, Any]) -> Any:
    """The shape (see `shapes.fits`) of a JSON Schema as pydantic makes it from our models."""
    if "$ref" in schema:
        return ["ref", schema["$ref"].rsplit("/", 1)[1]]
    if "anyOf" in schema:
        return ["either", [to_shape(each) for each in schema["anyOf"]]]
    if "const" in schema or "enum" in schema:
        return ["enum", schema.get("enum") or [schema["const"]]]
    if schema.get("type") == "array":
        return ["list", to_shape(schema.get("items", {})), schema.get("minItems", 0)]
    if schema.get("type") == "object":
        return _object_shape(schema)
    if "pattern" in schema:
        return ["reference"]
    if schema.get("minLength"):
        return "text"
    if "minimum" in schema:
        return ["least", schema["minimum"]]
    return schema.get("type", "any")


def _object_shape(schema: dict[str, Any]) -> Any:
    if "properties" not in schema:
        rest = schema.get("additionalProperties", {})
        value = to_shape(rest) if isinstance(rest, dict) else "any"
        return ["map", value, schema.get("minProperties", 0)]
    fields = {name: to_shape(each) for name, each in schema["properties"].items()}
    one_of = [group["required"] for group in schema.get("oneOf", [])]
    return ["object", fields, schema.get("required", []), one_of]


def write(root: str) -> None:
    """Writes every generated file below `root`."""
    for path, text in files().items():
        place = os.path.join(root, path)
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with open(place, "w", encoding="utf-8") as handle:
            handle.write(text)


if __name__ == "__main__":
    write(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
