"""Helm's merge with `key+` and null, by table and by algebra."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmp_plugin.errors import CmpError, Location
from cmp_plugin.goyaml.load import Node, node, plain
from cmp_plugin.specs.merge import merge_fields, merge_values, prepared, split_appends

LOW, HIGH = Location("low.yaml", 1, 1), Location("high.yaml", 2, 3)


def as_values(*layers: Any) -> tuple[Any, list[tuple[tuple[str, ...], Any]]]:
    merged: Node | None = None
    for index, layer in enumerate(layers):
        merged = merge_values(merged, prepared(node(layer, Location(f"{index}.yaml", 1, 1))))
    assert merged is not None
    kept, appends = split_appends(merged)
    return plain(kept), [(path, plain(items)) for path, items in appends]


def as_fields(*layers: Any) -> Any:
    merged = Node({}, LOW)
    for index, layer in enumerate(layers):
        merged = merge_fields(merged, prepared(node(layer, Location(f"{index}.yaml", 1, 1))))
    return plain(merged)


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ([{"a": 1}, {"b": 2}], {"a": 1, "b": 2}),
        ([{"a": {"b": 1, "c": 2}}, {"a": {"c": 3}}], {"a": {"b": 1, "c": 3}}),
        ([{"a": {"b": 1}}, {"a": [1]}], {"a": [1]}),
        ([{"a": [1]}, {"a": {"b": 1}}], {"a": {"b": 1}}),
        ([{"a": {"b": 1}}, {"a": None}], {"a": None}),
        ([{"a": {"b": 1}}, {"a": None}, {"a": {"c": 2}}], {"a": {"c": 2}}),
        ([{"a": {"b": 1}}, {"a": {}}], {"a": {"b": 1}}),
        ([{"a": 1}, {"a": {"b": None}}], {"a": {"b": None}}),
        ([{"a": [1]}, {"a+": [2]}], {"a": [1, 2]}),
        ([{"a": [1]}, {"a+": [2]}, {"a+": [3]}], {"a": [1, 2, 3]}),
        ([{"a+": [1]}, {"a": [9]}], {"a": [9]}),
    ],
)
def test_values(layers: list[Any], expected: Any) -> None:
    assert as_values(*layers) == (expected, [])


@pytest.mark.parametrize(
    ("layers", "kept", "appends"),
    [
        ([{"a+": [1]}], {}, [(("a",), [1])]),
        ([{"a+": [1]}, {"a+": [2]}], {}, [(("a",), [1, 2])]),
        ([{"x": {"a": None}}, {"x": {"a+": [1]}}], {"x": {}}, [(("x", "a"), [1])]),
        ([{"x": None}, {"x": {"a+": [1]}}], {"x": {}}, [(("x", "a"), [1])]),
        ([{"x": {"a+": [1]}}, {"x": None}], {"x": None}, []),
    ],
)
def test_a_list_without_a_base_waits_for_the_chart(layers: list[Any], kept: Any, appends: Any) -> None:
    assert as_values(*layers) == (kept, appends)


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ([{"a": 1, "b": 1}, {"a": None}], {"b": 1}),
        ([{"a": {"b": 1, "c": 1}}, {"a": {"b": None}}], {"a": {"c": 1}}),
        ([{"a": {"b": None}}], {"a": {}}),
        ([{"a+": [1]}], {"a": [1]}),
        ([{"a": [1]}, {"a": None}, {"a+": [2]}], {"a": [2]}),
        ([{"a": [{"b": None}]}], {"a": [{"b": None}]}),
    ],
)
def test_fields(layers: list[Any], expected: Any) -> None:
    assert as_fields(*layers) == expected


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([{"a": 1, "a+": [1]}], '1.yaml:1:1: "a" and "a+" in one map'),
        ([{"a+": 1}], '1.yaml:1:1: "a+" must be a list to append'),
        ([{"a": {"b": 1}}, {"a+": [1]}], "appends to a list, but there is a map below it: 1.yaml"),
        ([{"a": [{"b+": [1]}]}], '"b+" inside a list has nothing to append to'),
    ],
)
def test_refused(layers: list[Any], message: str) -> None:
    for merge in (as_values, as_fields):
        with pytest.raises(CmpError) as refused:
            merge({}, *layers)
        assert message in str(refused.value)


def test_a_leaf_knows_what_it_overrode() -> None:
    low, high = node({"a": 1}, LOW), node({"a": 2}, HIGH)
    leaf = merge_values(low, high).entries()["a"]
    assert (leaf.at, [over.at for over in leaf.over]) == (HIGH, [LOW])


KEYS = st.sampled_from("abc")
SCALARS = st.one_of(st.integers(-3, 3), st.booleans(), st.text("xy", max_size=2))
LISTS = st.lists(SCALARS, max_size=2)
TREES = st.recursive(
    st.one_of(SCALARS, LISTS, st.none()), lambda inner: st.dictionaries(KEYS, inner, max_size=3), max_leaves=8
)
MAPS = st.dictionaries(KEYS, TREES, max_size=3)


@given(MAPS, MAPS)
def test_the_higher_layer_wins_and_nothing_else_is_lost(low: dict[str, Any], high: dict[str, Any]) -> None:
    merged, _ = as_values(low, high)
    assert set(merged) == set(low) | set(high)
    for key in merged:
        if key not in high:
            assert merged[key] == low[key]
        elif not (isinstance(high[key], dict) and isinstance(low.get(key), dict)):
            assert merged[key] == high[key]


@given(MAPS)
def test_an_empty_layer_changes_nothing(tree: dict[str, Any]) -> None:
    assert as_values(tree, {}) == as_values({}, tree) == as_values(tree)


@given(MAPS)
def test_a_layer_twice_is_a_layer_once(tree: dict[str, Any]) -> None:
    assert as_values(tree, tree) == as_values(tree)
    assert as_fields(tree, tree) == as_fields(tree)


@given(MAPS, MAPS, MAPS)
def test_merging_never_changes_its_inputs(a: dict[str, Any], b: dict[str, Any], c: dict[str, Any]) -> None:
    nodes = [node(tree, LOW) for tree in (a, b, c)]
    merge_values(merge_values(nodes[0], nodes[1]), nodes[2])
    assert [plain(each) for each in nodes] == [a, b, c]


@given(st.lists(LISTS, max_size=4))
def test_appends_add_up_in_order(parts: list[list[Any]]) -> None:
    merged, _ = as_values({"a": []}, *({"a+": part} for part in parts))
    assert merged["a"] == [item for part in parts for item in part]


@given(MAPS)
def test_fields_keep_no_null_outside_lists(tree: dict[str, Any]) -> None:
    def nulls(value: Any) -> bool:
        return value is None or (isinstance(value, dict) and any(nulls(each) for each in value.values()))

    assert not nulls(as_fields(tree))
