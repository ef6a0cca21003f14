"""What may stand in a file: models, shapes and schemas agree, and a refusal says what to do."""

from __future__ import annotations

import os
from typing import Any

import fastjsonschema
import pytest
from generate import files
from hypothesis import given, settings
from hypothesis import strategies as st
from program import CHECKOUT
from pydantic import ValidationError

from cmp_plugin.errors import Location
from cmp_plugin.goyaml.load import node
from cmp_plugin.specs.accept import fits
from cmp_plugin.specs.accept_table import TABLE
from cmp_plugin.specs.check import check
from cmp_plugin.specs.models import KINDS, json_schema

AT = Location("services/web/service.yaml", 1, 1)
SCHEMAS = {kind: json_schema(kind) for kind in KINDS}
VALIDATORS = {kind: fastjsonschema.compile(schema) for kind, schema in SCHEMAS.items()}
LEAVES = st.sampled_from(
    [
        None,
        True,
        False,
        0,
        3,
        -1,
        1.5,
        "",
        "x",
        "true",
        "commit",
        "empty",
        "required",
        "${vars.x}",
        "${cluster.labels.a/b}",
        "x${vars.x}",
        "${vars.x}y",
        "${home.x}",
        [],
        {},
        ["x"],
        [1],
        {"x": "y"},
        {"x": None},
    ]
)


@st.composite
def tree(draw: st.DrawFn, schema: dict[str, Any], root: dict[str, Any]) -> Any:
    """A value as the schema wants it; one part in twelve is wrong."""
    if draw(st.integers(0, 11)) == 0:
        return draw(LEAVES)
    if "$ref" in schema:
        return draw(tree(root["$defs"][schema["$ref"].rsplit("/", 1)[1]], root))
    if "anyOf" in schema:
        return draw(tree(draw(st.sampled_from(schema["anyOf"])), root))
    if "const" in schema or "enum" in schema:
        return draw(st.sampled_from(schema.get("enum") or [schema["const"]]))
    if schema.get("type") == "array":
        return draw(st.lists(tree(schema.get("items", {}), root), max_size=2))
    if schema.get("type") == "object":
        return draw(an_object(schema, root))
    right = {"boolean": st.booleans(), "integer": st.integers(-2, 5), "null": st.none()}
    text = st.sampled_from(["x", "a-b", "${vars.x}", ""])
    return draw(right.get(schema.get("type", ""), text))


@st.composite
def an_object(draw: st.DrawFn, schema: dict[str, Any], root: dict[str, Any]) -> Any:
    fields = schema.get("properties")
    if fields is None:
        inner = schema.get("additionalProperties")
        value = tree(inner if isinstance(inner, dict) else {}, root)
        return draw(st.dictionaries(st.sampled_from("ab"), value, max_size=2))
    groups = [group["required"] for group in schema.get("oneOf", [])]
    names = set(schema.get("required", [])) | set(draw(st.sampled_from(groups)) if groups else ())
    names |= draw(st.sets(st.sampled_from([*fields, *(["surprise"] if draw(st.booleans()) else [])]), max_size=3))
    return {name: draw(tree(fields.get(name, {}), root)) for name in sorted(names)}


FILES = st.sampled_from(list(KINDS)).flatmap(lambda kind: st.tuples(st.just(kind), tree(SCHEMAS[kind], SCHEMAS[kind])))


@given(FILES)
@settings(max_examples=600, deadline=None)
def test_models_shapes_and_schemas_agree(file: tuple[str, Any]) -> None:
    kind, value = file
    accepted = {
        "model": model_accepts(kind, value),
        "shape": fits(node(value, AT), TABLE[f"file {kind}"], TABLE),
        "schema": schema_accepts(kind, value),
    }
    assert len(set(accepted.values())) == 1, accepted
    if isinstance(value, dict):
        assert (not check(node(value, AT), kind)) is accepted["model"]


NOT_IN_DEFAULTS = {
    "enabled": True,
    "service": "x",
    "chart": {"path": "x"},
    "version": "1.2.3",
    "releaseName": "x",
    "revision": "x",
    "variants": {},
    "vars": {},
}
HEAD = {"apiVersion": "cmp-plugin/v1alpha1"}


@pytest.mark.parametrize("kind", ["Fleet", "Profile", "Cluster"])
def test_what_defaults_may_hold(kind: str) -> None:
    """Every field of a service block but these."""
    block = set(TABLE["Instance"][1])
    assert block - set(TABLE["Defaults"][1]) == set(NOT_IN_DEFAULTS) - {"variants"}
    for name, value in NOT_IN_DEFAULTS.items():
        (error,) = check(node({**HEAD, "kind": kind, "defaults": {name: value}}, AT), kind)
        assert error.message == f'unknown key "{name}" in defaults'


def test_one_block_in_four_places() -> None:
    """The same fields in service.yaml, in a variant, and under `services:`."""
    extra = {"Service": {"apiVersion", "kind", "variants"}, "Variant": {"when"}, "Instance": {"service"}}
    fields = {name: set(TABLE[f"file {name}" if name == "Service" else name][1]) - own for name, own in extra.items()}
    assert fields["Service"] == fields["Variant"] == fields["Instance"]


def model_accepts(kind: str, value: Any) -> bool:
    try:
        KINDS[kind].model_validate(value)
    except ValidationError:
        return False
    return True


def schema_accepts(kind: str, value: Any) -> bool:
    try:
        VALIDATORS[kind](value)
    except fastjsonschema.JsonSchemaValueException:
        return False
    return True


@pytest.mark.parametrize("path", sorted(files()))
def test_generated_files_are_up_to_date(path: str) -> None:
    with open(os.path.join(CHECKOUT, path), encoding="utf-8") as handle:
        assert handle.read() == files()[path], "run make generated"
