"""What clusters have alike goes to the service, and what is written means what was meant."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmp_plugin.commands.importing.conversion import common, dns_name, literal, refer, without
from cmp_plugin.commands.importing.lifting import inline
from cmp_plugin.commands.importing.naming import without_word, words
from cmp_plugin.errors import Location
from cmp_plugin.goyaml.load import dump_json, dump_yaml, load, node, plain
from cmp_plugin.specs.interpolate import Scope, interpolated
from cmp_plugin.specs.merge import merge_values
from cmp_plugin.specs.rules import NAME

AT = Location("x.yaml")
KEYS = st.sampled_from(["a", "b", "c"])
TEXTS = st.sampled_from(
    ["", "x", "on", "1.10", "${cluster.name}", "$${vars.a}", "${HOME}", "a: b", "two\nlines\n", "0x1f", "~"]
)
LEAVES = st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from([1.0, 0.1, 2.5]) | TEXTS
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=8
)
MAPS = st.dictionaries(KEYS, VALUES, max_size=3)


def merged(low: Any, high: Any) -> Any:
    return plain(merge_values(node(low, AT), node(high, AT)))


@given(st.lists(MAPS, min_size=1, max_size=4))
def test_taken_apart_and_merged_again(maps: list[dict[str, Any]]) -> None:
    """Bytes are compared: 1 is neither true nor 1.0."""
    shared = common(maps)
    for one in maps:
        assert dump_json(merged(shared, without(one, shared))) == dump_json(one)


@given(st.lists(MAPS, min_size=2, max_size=4))
def test_all_that_is_alike_is_taken(maps: list[dict[str, Any]]) -> None:
    """What is left has nothing in common any more."""
    shared = common(maps)
    assert common([without(one, shared) for one in maps]) == {}


@pytest.mark.parametrize(
    ("texts", "made"),
    [
        (["web.a.example.com", "web.b.example.com"], "web.${cluster.name}.example.com"),
        (["a", "b"], "${cluster.name}"),
        (["a-a", "b-b"], "${cluster.name}-${cluster.name}"),
        (["xa", "xb"], None),
        (["a1", "b1"], None),
        (["a", "c"], None),
        (["same", "same"], None),
    ],
)
def test_texts_that_hold_the_cluster_s_name(texts: list[str], made: str | None) -> None:
    maps: list[dict[str, Any]] = [{"x": {"y": text}, "z": number} for number, text in enumerate(texts)]
    refer(["a", "b"], maps)
    assert [one["x"]["y"] for one in maps] == ([made, made] if made else texts)
    assert [one["z"] for one in maps] == [0, 1]


@given(MAPS)
def test_a_spec_gives_back_what_was_written(value: dict[str, Any]) -> None:
    """Through the writer, the strict reader and interpolation; an integral number loses its point."""
    text = dump_yaml({"values": literal(value)}, ordered=True)
    read = load(text.encode(), "x.yaml")
    assert plain(interpolated(read, Scope({"cluster.name": "wrong"}, {})))["values"] == value


@given(MAPS)
def test_an_inline_patch_is_the_same_patch(value: dict[str, Any]) -> None:
    found = inline(dump_yaml(value).encode())
    assert found is None or found == value


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a: 1\n", True),
        ("# why\na: 1\n", False),
        ("a: on\n", False),
        ("a: 1.10\n", False),
        ("a: ${cluster.name}\n", False),
        ("a: 1\n---\nb: 2\n", False),
        ("".join(f"k{i}: 1\n" for i in range(31)), False),
        ("a: [\n", False),
        ("", False),
    ],
)
def test_which_patches_stand_in_a_spec(text: str, kept: bool) -> None:
    assert (inline(text.encode()) is not None) is kept


@given(st.text(max_size=20))
def test_names_are_names(text: str) -> None:
    found = dns_name(text)
    assert not found or NAME.fullmatch(found)


@pytest.mark.parametrize(
    ("text", "name"), [("Prod_EU", "prod-eu"), ("gke.prod", "gke.prod"), ("-a.-b-", "a-b"), ("__", "")]
)
def test_names(text: str, name: str) -> None:
    assert dns_name(text) == name


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ({"a": ["web-dev", "cache-dev"], "b": ["web-prod", "cache-prod", "other"]}, {"a": "dev", "b": "prod"}),
        ({"a": ["dev-web", "dev-cache"], "b": ["prod-eu-web", "prod-eu-cache"]}, {"a": "dev", "b": "prod-eu"}),
        ({"a": ["istio-base", "istio-cni"]}, {}),
        ({"a": ["istio-base", "istio-cni"], "b": ["web", "cache"]}, {}),
        ({"a": ["web", "cache"], "b": ["web", "cache"]}, {}),
        ({"a": ["web-x"], "b": ["web-x"]}, {}),
        ({}, {}),
    ],
)
def test_what_a_cluster_is_called(names: dict[str, list[str]], found: dict[str, str]) -> None:
    assert words(names) == found


@pytest.mark.parametrize(
    ("name", "known", "left"),
    [
        ("web-prod", ["prod"], "web"),
        ("prod-web", ["", "prod"], "web"),
        ("prod", ["prod"], "prod"),
        ("web", ["prod"], "web"),
    ],
)
def test_without_its_word(name: str, known: list[str], left: str) -> None:
    assert without_word(name, known) == left
