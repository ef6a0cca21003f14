"""`${...}` in specs: what is replaced, what is left alone, what is an error."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmp_plugin.errors import CmpError, Location
from cmp_plugin.goyaml.load import node, plain
from cmp_plugin.specs.interpolate import Scope, escaped, interpolated, references

AT = Location("clusters/a/cluster.yaml", 3, 7)
FACTS = {"cluster.name": "gke.prod", "cluster.labels.app.example.com/tier": "gold", "service.name": "web"}
VARS: dict[str, Any] = {
    "domain": "example.com",
    "host": "www.${vars.domain}",
    "replicas": 3,
    "on": True,
    "list": ["${cluster.name}", 1],
    "a.b": "dotted",
    "empty": None,
    "ping": "${vars.pong}",
    "pong": "${vars.ping}",
    "literal": "$${vars.domain}",
    "me": "${service.name}",
}
SCOPE = Scope(FACTS, {key: node(value, AT) for key, value in VARS.items()}, {"cluster.destination.server": "none"})


def result(value: Any) -> Any:
    return plain(interpolated(node(value, AT), SCOPE))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${cluster.name}", "gke.prod"),
        ("x-${cluster.name}-${service.name}", "x-gke.prod-web"),
        ("${cluster.labels.app.example.com/tier}", "gold"),
        ("${vars.host}", "www.example.com"),
        ("${vars.replicas}", 3),
        ("n=${vars.replicas}", "n=3"),
        ("${vars.on}", True),
        ("is ${vars.on}", "is true"),
        ("${vars.list}", ["gke.prod", 1]),
        ("${vars.a.b}", "dotted"),
        ("${vars.empty}", None),
        ("$${vars.domain}", "${vars.domain}"),
        ("a $${cluster.name} b ${cluster.name}", "a ${cluster.name} b gke.prod"),
        ("$$${cluster.name}", "$${cluster.name}"),
        ("${vars.literal}", "${vars.domain}"),
        (
            "${HOME} ${cluster} {{ .Values.x }} $(DOMAIN) $$ $${HOME}",
            "${HOME} ${cluster} {{ .Values.x }} $(DOMAIN) $$ $${HOME}",
        ),
        ("${cluster.name", "${cluster.name"),
    ],
)
def test_strings(text: str, expected: Any) -> None:
    assert result(text) == expected


def test_keys_are_left_alone() -> None:
    assert result({"${cluster.name}": "${cluster.name}"}) == {"${cluster.name}": "gke.prod"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${vars.domian}", '${vars.domian} is not known here (did you mean "vars.domain"?)'),
        ("${cluster.nam}", '${cluster.nam} is not known here (did you mean "cluster.name"?)'),
        ("${service.namespace}", "${service.namespace} is not known here"),
        ("${cluster.destination.server}", "${cluster.destination.server} has no value: none"),
        ("${vars.ping}", "vars refer to each other in a cycle: vars.ping -> vars.pong -> vars.ping"),
        ("x${vars.list}", "${vars.list} is a map or list and cannot be part of a string"),
        ("${vars.me}", "a var may refer to cluster.* and other vars, not to ${service.name}"),
        ("x${vars.empty}", "${vars.empty} is empty and cannot be part of a string"),
    ],
)
def test_errors_name_the_reference_and_its_place(text: str, message: str) -> None:
    with pytest.raises(CmpError) as refused:
        result({"deep": [text]})
    assert message in str(refused.value)
    assert str(refused.value).startswith("clusters/a/cluster.yaml:3:7: ")


def test_every_error_is_reported() -> None:
    with pytest.raises(CmpError) as refused:
        result(["${vars.x1}", "${vars.x2}"])
    assert str(refused.value).count("\n") == 1


def test_a_bomb_of_vars_is_refused() -> None:
    bomb = {f"v{i}": node(f"${{vars.v{i + 1}}}${{vars.v{i + 1}}}", AT) for i in range(40)}
    scope = Scope({}, {**bomb, "v40": node("x" * 100, AT)})
    with pytest.raises(CmpError) as refused:
        interpolated(node("${vars.v0}", AT), scope)
    assert "grows" in str(refused.value)


@given(st.text("${}.avrsclute n", max_size=30).filter(lambda text: not references(text) and "$${" not in text))
def test_text_without_references_is_untouched(text: str) -> None:
    assert result(text) == text


@given(st.lists(st.text("${}.avrs", max_size=12) | st.sampled_from(["${vars.domain}", "$${vars.x}"]), max_size=4))
def test_escaping_is_the_other_way_round(parts: list[str]) -> None:
    text = "".join(parts)
    assert plain(interpolated(escaped(node({"a": [text]}, AT)), SCOPE)) == {"a": [text]}


@given(st.text(max_size=20))
def test_an_escaped_reference_is_its_own_text(name: str) -> None:
    name = name.replace("}", "")
    assert result(f"$${{vars.{name}}}") == f"${{vars.{name}}}"
