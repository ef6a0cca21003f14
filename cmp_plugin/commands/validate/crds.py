"""CustomResourceDefinitions as JSON Schemas that refuse what the API server would.

In: a CRD as rendered. Out: for each of its versions a schema of draft 4, strict about unknown fields, as server-side
apply and `kubectl --validate=strict` are. Pure. Left out: CEL rules, formats, defaults.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from ...render.manifest import mapping, text

Schema = dict[str, Any]

_KEPT = (
    *("enum", "pattern", "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
    *("multipleOf", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties"),
    *("allOf", "anyOf", "oneOf", "not"),
)
_OF_RESOURCE: Schema = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"}}


class Served(NamedTuple):
    """A version of a CRD that the API server serves; `schema` is the CRD's own text of it."""

    group: str
    version: str
    kind: str
    schema: Schema


def served(crd: dict[str, Any]) -> Iterator[Served]:
    """The versions of a CRD of apiextensions.k8s.io/v1 with their schemas; of anything else nothing."""
    spec = mapping(crd, "spec")
    kind = text(mapping(spec, "names"), "kind")
    versions = spec.get("versions")
    for version in versions if isinstance(versions, list) else []:
        if isinstance(version, dict) and version.get("served") is not False:
            schema = mapping(mapping(version, "schema"), "openAPIV3Schema")
            if schema:
                yield Served(text(spec, "group"), text(version, "name"), kind, schema)


def strict(schema: Schema) -> Schema:
    """The schema of a whole object; its metadata is checked elsewhere, as that of any object is."""
    made = _strict(schema)
    made["properties"] = {**made.get("properties", {}), **_OF_RESOURCE}
    return made


def _strict(schema: Any) -> Schema:
    if not isinstance(schema, dict):
        return {}
    made: Schema = {key: schema[key] for key in _KEPT if key in schema}
    if schema.get("x-kubernetes-int-or-string"):
        made["type"] = ["integer", "string"]
    elif "type" in schema:
        made["type"] = [schema["type"]]
    if schema.get("nullable"):
        if "type" in made:
            made["type"] = [*made["type"], "null"]
        if isinstance(made.get("enum"), list):
            made["enum"] = [*made["enum"], None]
    if "items" in schema:
        made["items"] = _strict(schema["items"])
    if schema.get("type") == "object":
        _strict_object(made, schema)
    return made


def _strict_object(made: Schema, schema: Schema) -> None:
    properties = mapping(schema, "properties")
    made["properties"] = {name: _strict(child) for name, child in properties.items()}
    # The API server fills in a default before it asks whether the field is there.
    required = [name for name in schema.get("required") or [] if "default" not in mapping(properties, name)]
    if required:
        made["required"] = required
    if schema.get("x-kubernetes-embedded-resource"):
        made["properties"] |= _OF_RESOURCE
    rest = schema.get("additionalProperties")
    if isinstance(rest, dict):
        made["additionalProperties"] = _strict(rest)
    elif not rest and not schema.get("x-kubernetes-preserve-unknown-fields"):
        made["additionalProperties"] = False


def without_nulls(value: Any) -> Any:
    """A null in a manifest is a field that is not there, to whoever applies it."""
    if isinstance(value, dict):
        return {key: without_nulls(child) for key, child in value.items() if child is not None}
    return [without_nulls(child) for child in value] if isinstance(value, list) else value
