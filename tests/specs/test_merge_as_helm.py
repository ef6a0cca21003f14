"""Our merge of values against Helm's own: `-f a -f b -f c` on generated trees, both majors."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cmp_plugin.errors import Location
from cmp_plugin.goyaml.load import dump_values, node, plain
from cmp_plugin.specs.merge import merge_values
from cmp_plugin.system.process import Deadline, clean_environment, run

CHART = "apiVersion: v2\nname: c\nversion: 1.0.0\n"
PRINT = "values: {{ toJson .Values }}\n"
LAYERS = 3

# Few keys, so that layers meet; every kind of value, so that they meet in every way.
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, 1, -7, 0.5, "", "x", "null", "é😀", [], {}]),
    st.lists(st.sampled_from([None, 1, "x", {"a": None}, [2]]), max_size=2),
)
KEYS = st.sampled_from(["a", "b", "c.d", "1", "global"])
TREES = st.recursive(LEAVES, lambda inner: st.dictionaries(KEYS, inner, max_size=3), max_leaves=8)
# One process of helm for many cases: each has a key of its own at the top.
CASES = st.lists(st.tuples(*[TREES] * (LAYERS + 1)), min_size=30, max_size=60)
SLOW = settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(params=["4.3.1", "3.22.0"])
def helm(request: pytest.FixtureRequest, helm4: str, helm3: str) -> str:
    return helm4 if request.param == "4.3.1" else helm3


def helms_values(helm: str, root: Path, defaults: Any, layers: list[bytes]) -> Any:
    """What a chart with these defaults sees when helm is given one `-f` per layer."""
    chart = root / "chart"
    (chart / "templates").mkdir(parents=True, exist_ok=True)
    (chart / "Chart.yaml").write_text(CHART)
    (chart / "templates" / "v.yaml").write_text(PRINT)
    (chart / "values.yaml").write_bytes(dump_values(defaults))
    argv = [helm, "template", "x", str(chart)]
    for number, layer in enumerate(layers):
        (root / f"{number}.json").write_bytes(layer)
        argv += ["-f", str(root / f"{number}.json")]
    done = run(argv, cwd=str(root), env=clean_environment(str(root)), deadline=Deadline(60))
    assert done.code == 0, done.stderr
    return json.loads(done.stdout.decode().partition("values: ")[2])


def merged(layers: list[dict[str, Any]]) -> Any:
    """The same by us."""
    at = Location("x.yaml")
    return plain(functools.reduce(merge_values, (node(layer, at) for layer in layers)))


def of_all(cases: list[tuple[Any, ...]], number: int) -> dict[str, Any]:
    return {f"case{index}": case[number] for index, case in enumerate(cases)}


@SLOW
@given(cases=CASES)
def test_without_defaults_the_merge_is_helms(helm: str, tmp_path: Path, cases: list[tuple[Any, ...]]) -> None:
    layers = [of_all(cases, number) for number in range(LAYERS)]
    seen = helms_values(helm, tmp_path, {}, [dump_values(layer) for layer in layers])
    assert seen == merged(layers)


@SLOW
@given(cases=CASES)
def test_one_merged_file_is_to_helm_what_its_layers_are(
    helm: str, tmp_path: Path, cases: list[tuple[Any, ...]]
) -> None:
    """With the chart's own defaults, maps and nulls among them, below."""
    layers = [of_all(cases, number) for number in range(LAYERS)]
    defaults = of_all(cases, LAYERS)
    given_layers = helms_values(helm, tmp_path, defaults, [dump_values(layer) for layer in layers])
    given_one = helms_values(helm, tmp_path, defaults, [dump_values(merged(layers))])
    assert given_one == given_layers


WORDS = [
    # default, layers, what the chart sees (Helm 4)
    ({"a": 1}, [{"a": None}], {}),
    ({"a": 1}, [{"a": None}, {"a": 2}], {"a": 2}),
    ({"a": {"b": 1, "c": 2}}, [{"a": None}, {"a": {"c": 3}}], {"a": {"b": 1, "c": 3}}),
    ({"a": {"b": 1, "c": 2}}, [{"a": {"b": None}}], {"a": {"c": 2}}),
    ({"a": [1, 2]}, [{"a": [3]}], {"a": [3]}),
    ({"a": {"b": 1}}, [{"a": "text"}], {"a": "text"}),
    ({"a": "text"}, [{"a": {"b": 1}}], {"a": {"b": 1}}),
    ({}, [{"a": {"b": 1}}, {"a": "text"}, {"a": {"c": 2}}], {"a": {"c": 2}}),
    ({}, [{"a": {"b": 1}}, {"a": {}}], {"a": {"b": 1}}),
    ({}, [{"a": None}], {"a": None}),
    ({}, [{"a": {"b": 1}}, {"a": {"b": None}}], {"a": {"b": None}}),
    ({}, [{"a": [{"b": 1}]}, {"a": [{"c": None}]}], {"a": [{"c": None}]}),
]


@pytest.mark.parametrize(("defaults", "layers", "seen"), WORDS)
def test_the_rules_in_examples(
    helm: str, tmp_path: Path, defaults: Any, layers: list[dict[str, Any]], seen: Any
) -> None:
    data = [dump_values(layer) for layer in layers]
    assert helms_values(helm, tmp_path, defaults, data) == seen
    assert helms_values(helm, tmp_path, defaults, [dump_values(merged(layers))]) == seen
