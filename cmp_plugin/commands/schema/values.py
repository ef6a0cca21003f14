"""A chart's values as a JSON Schema for editors: what may stand under `values` in our files.

In: a chart's files. Out: a schema of draft 2020-12, to stand below `#/$defs/<name>` of a larger one. It is made of
the chart's values.schema.json and of its values.yaml, whose comments become descriptions. A layer holds
only some of the values, may delete one with null, append with `key+`, and write `${...}`, so nothing is
required, and every value has these alternatives. Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ...charts.contents import ChartFiles, top_level
from ...goyaml.load import Node, plain

Schema = dict[str, Any]

# The same text that an interpolated string is recognised by, as ECMA 262.
REFERENCE: Schema = {"type": "string", "pattern": r"\$\{(cluster|vars|service)\."}
_MAX_TEXT = 1000
_KEPT = ("type", "enum", "const", "title", "description", "default", "examples", "deprecated", "pattern", "format")
_BOUNDS = (
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "multipleOf",
)
_MAPS = ("properties", "patternProperties", "$defs", "definitions")
_LISTS = ("anyOf", "allOf")
_FLAGS = re.compile(r"\(\?[a-zA-Z-]+[):]")  # Go reads `(?i)` in a pattern, an editor does not
_LOCAL = re.compile(r"#/(\$defs|definitions)/[^/]+")


def values_schema(chart: ChartFiles, pointer: str) -> Schema:
    """The schema; `pointer` is the JSON pointer it will have, such as `#/$defs/values.web`."""
    schema: Schema = {"$comment": f"{chart.name} {chart.version}", "type": "object"}
    properties = inferred(chart)
    parts: list[Schema] = [{"properties": properties}] if properties else []
    for number, subchart in enumerate(chart.subcharts):
        inner = values_schema(subchart.chart, f"{pointer}/$defs/chart{number}")
        schema.setdefault("$defs", {})[f"chart{number}"] = inner
        parts.append({"properties": {subchart.key: {"$ref": f"{pointer}/$defs/chart{number}"}}})
    own = _own(chart.schema, f"{pointer}/$defs/own")
    if own is not None:
        schema.setdefault("$defs", {})["own"] = own
        parts.append({"$ref": f"{pointer}/$defs/own"})
    return {**schema, "allOf": parts} if parts else schema


def _own(data: bytes, pointer: str) -> Schema | None:
    """values.schema.json for a layer's part of the values; None where there is none that can be read."""
    try:
        schema = json.loads(data) if data else None
        return _relaxed(schema, pointer) if isinstance(schema, dict) else None
    except (ValueError, RecursionError):
        return None


def _relaxed(schema: Any, pointer: str) -> Any:
    """Without what needs the whole of the values; references stay inside."""
    if not isinstance(schema, dict):
        return schema if isinstance(schema, bool) else {}
    made: Schema = {key: schema[key] for key in _KEPT if key in schema}
    if _FLAGS.search(str(made.get("pattern", ""))):
        del made["pattern"]
    made |= {
        key: schema[key]
        for key in _BOUNDS
        if isinstance(schema.get(key), int | float) and not isinstance(schema[key], bool)
    }
    for key in _MAPS:
        if isinstance(schema.get(key), dict):
            wrap = _layered if key in ("properties", "patternProperties") else _relaxed
            made[key] = {name: wrap(child, pointer) for name, child in schema[key].items()}
    for key in _LISTS:
        if isinstance(schema.get(key), list):
            made[key] = [_relaxed(child, pointer) for child in schema[key]]
    if isinstance(schema.get("oneOf"), list):
        made.setdefault("allOf", []).append({"anyOf": [_relaxed(child, pointer) for child in schema["oneOf"]]})
    if match := _LOCAL.fullmatch(str(schema.get("$ref", ""))):
        made["$ref"] = pointer + match[0][1:]
    _add_rest(made, schema, pointer)
    return made


def _add_rest(made: Schema, schema: Schema, pointer: str) -> None:
    """Items and further keys; `key+` appends to any list, so a closed map lets it through."""
    if isinstance(schema.get("items"), dict | bool):
        made["items"] = _relaxed(schema["items"], pointer)
    rest = schema.get("additionalProperties")
    if isinstance(rest, dict):
        made["additionalProperties"] = _layered(rest, pointer)
    elif rest is False:
        made["additionalProperties"] = False
        made["patternProperties"] = {**made.get("patternProperties", {}), r"^.+\+$": {"type": "array"}}


def _layered(schema: Any, pointer: str) -> Schema:
    """A value, or null to delete it, or a reference that stands for it."""
    relaxed = _relaxed(schema, pointer)
    if relaxed is True or relaxed == {}:
        return {}
    described = {key: relaxed[key] for key in ("title", "description") if isinstance(relaxed, dict) and key in relaxed}
    return {**described, "anyOf": [relaxed, {"type": "null"}, REFERENCE]}


def inferred(chart: ChartFiles) -> dict[str, Schema]:
    """What values.yaml shows: keys, defaults and comments. It restricts nothing."""
    lines = chart.files.get("values.yaml", b"").decode("utf-8", "replace").splitlines()
    return _properties(top_level(chart), lines)


def _properties(fields: Mapping[str, Node], lines: list[str]) -> dict[str, Schema]:
    return {key: dict(_property(child, lines)) for key, child in fields.items()}


def _property(node: Node, lines: list[str]) -> Iterator[tuple[str, Any]]:
    if text := _comment(node, lines):
        yield "description", text
    if node.entries():
        yield "properties", _properties(node.entries(), lines)
    elif node.value is not None:
        yield "default", plain(node)


def _comment(node: Node, lines: list[str]) -> str:
    """The comment right above a key, without its signs."""
    comment_lines: list[str] = []
    number = node.key.line - 2 if node.key else -1
    while number >= 0 and lines[number].lstrip().startswith("#"):
        comment_lines.append(lines[number].strip().lstrip("#").strip().removeprefix("-- "))
        number -= 1
    return "\n".join(reversed(comment_lines)).strip()[:_MAX_TEXT]
