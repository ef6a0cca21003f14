"""Files of this repository that are made from code: `make generated` writes them.

A test compares them with what this module returns, so that they cannot drift.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import cli_reference
import field_reference
from checkout import CHECKOUT

from cmp_plugin.argocd.contract import plugin_yaml
from cmp_plugin.specs.editor import schema_files
from cmp_plugin.specs.models import KINDS, json_schema
from cmp_plugin.system.publish import replace_file

HEADER = '"""Generated from models.py by `make generated`: what `accept.fits` reads. Not edited by hand."""\n'


def files() -> dict[str, str]:
    """Path relative to the repository's root -> text of every generated file."""
    made = schema_files()
    made["cmp_plugin/specs/accept_table.py"] = shape_table()
    made["docs/cli.md"] = cli_reference.markdown()
    made["docs/fields.md"] = field_reference.markdown()
    made["plugin.yaml"] = plugin_yaml()
    return made


def shape_table() -> str:
    """Source text of the module `accept_table`."""
    table: dict[str, Any] = {}
    for kind in KINDS:
        schema = json_schema(kind)
        for name, definition in schema.get("$defs", {}).items():
            table[f"{name}"] = to_shape(definition)
        table[f"file {kind}"] = to_shape(schema)
    rows = "".join(f"    {name!r}: {shape!r},\n" for name, shape in sorted(table.items()))
    return f"{HEADER}\nfrom typing import Any\n\n# fmt: off\nTABLE: dict[str, Any] = {{\n{rows}}}\n# fmt: on\n"


def to_shape(schema: dict[str, Any]) -> Any:
    """The shape (see `accept.fits`) of a JSON Schema as pydantic makes it from our models."""
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


def stale(root: str) -> list[str]:
    """The generated files below `root` that are not there or hold another text."""
    return [path for path, text in files().items() if _read(os.path.join(root, path)) != text]


def _read(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8") as handle:
            return handle.read()
    except FileNotFoundError:
        return None


def write(root: str) -> None:
    """Writes every generated file below `root`."""
    for path, text in files().items():
        target = os.path.join(root, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        replace_file(target, text.encode())


def main(words: list[str]) -> int:
    """Writes the files; with `--check` only names the stale ones, and fails when there are any."""
    if words not in ([], ["--check"]):
        print(f"usage: generate.py [--check], not {' '.join(words)}", file=sys.stderr)
        return 2
    if not words:
        write(CHECKOUT)
        return 0
    outdated = stale(CHECKOUT)
    for path in outdated:
        print(f"{path} is out of date: run `make generated`", file=sys.stderr)
    return 1 if outdated else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
