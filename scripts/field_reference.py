"""Every field of the files people write as Markdown, made from the models so that it cannot lag behind.

In: the JSON Schemas of the four kinds. Out: text. Nothing is read or written.
"""

from __future__ import annotations

from typing import Any

from cmp_plugin.specs.models import KINDS, json_schema

Schema = dict[str, Any]
HEAD = """# Every field

The files people write, field by field, as the program checks them; [the spec language](spec.md) says what they
mean together. An unknown field is an error. Where a number or a switch is expected, one reference such as
`${vars.replicas}` may stand instead. A field with a `+` behind its name appends to the list that lower layers give.

Your editor shows the same while you type: [editor](howto/editor.md).
"""
PLAIN = {"string": "text", "boolean": "true or false", "integer": "whole number", "number": "number"}


def markdown() -> str:
    """The text of docs/fields.md: the four kinds, then what they are made of, by name."""
    parts: dict[str, Schema] = {}
    sections = []
    for kind in KINDS:
        schema = json_schema(kind)
        parts.update(schema.get("$defs", {}))
        file, _, said = schema["description"].partition(": ")
        sections.append(_section(file.replace("<name>", "NAME"), said.capitalize(), schema))
    nested = {name: part for name, part in sorted(parts.items()) if "properties" in part}
    sections += [_section(name, part.get("description", ""), part) for name, part in nested.items()]
    return HEAD + "".join(sections)


def _section(title: str, said: str, schema: Schema) -> str:
    fields = schema["properties"]
    required = schema.get("required", [])
    rows = [_row(name, field, fields, name in required) for name, field in fields.items() if not name.endswith("+")]
    return f"\n## {title}\n\n{said}\n\n| field | is | meaning |\n|---|---|---|\n{''.join(rows)}"


def _row(name: str, field: Schema, fields: Schema, required: bool) -> str:
    shown = f"`{name}`" + (f", `{name}+`" if f"{name}+" in fields else "") + (", always there" if required else "")
    return f"| {shown} | {_kind_of(field)} | {field.get('description', '')} |\n"


def _kind_of(schema: Schema) -> str:
    """What may stand there, in a few words. A null and a reference may stand nearly everywhere, and are left out."""
    if "anyOf" in schema:
        kinds = [_kind_of(each) for each in schema["anyOf"] if each.get("type") != "null" and "pattern" not in each]
        return " or ".join(dict.fromkeys(kinds))
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return f"[{name}](#{name.lower()})"
    if "const" in schema or "enum" in schema:
        return " or ".join(f"`{each}`" for each in schema.get("enum") or [schema["const"]])
    if schema.get("type") == "array":
        return f"list of {_kind_of(schema.get('items', {}))}"
    if schema.get("type") == "object":
        inner = schema.get("additionalProperties")
        return f"map of {_kind_of(inner)}" if isinstance(inner, dict) and inner else "map"
    return PLAIN.get(schema.get("type", ""), "anything")
