"""`schema --service` and `schema --out`: what an editor gets fits our files, and refuses a slip where a chart does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from editor import fitting
from fleets import write
from program import CHECKOUT, run

SCHEMA = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "required": ["domain"],
    "additionalProperties": False,
    "properties": {
        "domain": {"type": "string"},
        "replicas": {"$ref": "#/definitions/count"},
        "image": {
            "type": "object",
            "required": ["tag"],
            "properties": {"tag": {"type": "string"}},
            "additionalProperties": False,
        },
        "args": {"type": "array", "items": {"type": "string"}},
        "size": {"oneOf": [{"type": "integer"}, {"enum": ["small"]}]},
        "global": {},
    },
    "definitions": {"count": {"type": "integer", "minimum": 1, "exclusiveMinimum": 0}},
}
VALUES = """\
# -- How many pods
# there are.
replicas: 1
image:
  # Which one.
  tag: "1"
args: [a]
"""
FILES = {
    "services/web/service.yaml": "namespace: web\nchart: {path: chart}\nvalues: {domain: a}\n",
    "services/web/chart/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
    "services/web/chart/values.yaml": VALUES,
    "services/web/chart/values.schema.json": json.dumps(SCHEMA),
    "services/plain/service.yaml": "namespace: plain\nchart: {path: chart}\n",
    "services/plain/chart/Chart.yaml": "apiVersion: v2\nname: plain\nversion: 1.0.0\n",
    "services/plain/chart/values.yaml": VALUES,
    "services/bare/service.yaml": "resources: [x.yaml]\n",
    "services/bare/x.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n",
    "clusters/one/cluster.yaml": 'kubernetes: {version: "1.34"}\nservices: {web: , plain: , bare: , web-two: {service: web}}\n',
}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("fleet"), FILES)


@pytest.fixture(scope="module")
def of_service(fleet: Path, clean_env: dict[str, str]) -> Any:
    return schema(fleet, clean_env, "--service", "web")


@pytest.fixture(scope="module")
def of_cluster(fleet: Path, clean_env: dict[str, str]) -> Any:
    return schema(fleet, clean_env, "cluster", "--service", "web", "--service", "plain")


def schema(fleet: Path, env: dict[str, str], *words: str) -> Any:
    done = run(["schema", *words], str(fleet), env)
    assert (done.code, done.stderr) == (0, b"")
    return json.loads(done.stdout)


def errors(found: Any, kind: str, **fields: Any) -> int:
    """How much an editor would underline in such a file."""
    assert jsonschema_rs.meta.is_valid(found)
    validator = jsonschema_rs.Draft202012Validator(found)
    return len(list(validator.iter_errors({"apiVersion": "cmp-plugin/v1alpha1", "kind": kind, **fields})))


ACCEPTED: list[Any] = [
    {},
    None,
    {"replicas": 2},
    {"replicas": None, "image": None},
    {"replicas": "${vars.replicas}", "image": {"tag": "${cluster.name}-1"}},
    {"args+": ["b"], "args": None},
    {"size": 3},
    {"size": "small"},
    {"global": {"any": "thing"}},
]
REFUSED: list[Any] = [
    {"replcas": 2},
    {"replicas": "two"},
    {"replicas": 0},
    {"image": {"tga": "1"}},
    {"args": "a"},
    {"args": [1]},
    {"size": "large"},
    [],
]


@pytest.mark.parametrize(("values", "wrong"), [(v, 0) for v in ACCEPTED] + [(v, 1) for v in REFUSED])
def test_values_in_every_place(values: Any, wrong: int, of_service: Any, of_cluster: Any) -> None:
    block = {"values": values}
    assert errors(of_service, "Service", **block) == wrong
    assert errors(of_service, "Service", variants={"a": {"when": {"b": "c"}, **block}}) == wrong
    for key, more in (("web", {}), ("web-two", {}), ("new", {"service": "web"})):
        assert bool(errors(of_cluster, "Cluster", services={key: {**more, **block}})) == bool(wrong)
    assert bool(errors(of_cluster, "Cluster", provision={"service": "web", **block})) == bool(wrong)


def test_what_a_chart_does_not_refuse_is_only_completed(fleet: Path, clean_env: dict[str, str]) -> None:
    found = schema(fleet, clean_env, "--service", "services/plain")
    assert errors(found, "Service", values={"anything": {"goes": 1}, "replicas": "two"}) == 0
    properties = found["$defs"]["values.plain"]["allOf"][0]["properties"]
    assert properties["replicas"] == {"description": "How many pods\nthere are.", "default": 1}
    assert properties["image"]["properties"]["tag"] == {"description": "Which one.", "default": "1"}


def test_other_fields_are_as_ever(fleet: Path, clean_env: dict[str, str]) -> None:
    found = schema(fleet, clean_env, "profile", "--service", "web")
    assert errors(found, "Profile", services={"web": {"valeus": {}}}) == 1
    assert errors(found, "Profile", servces={}) == 1


def test_all_that_an_editor_can_use(fleet: Path, tmp_path: Path, clean_env: dict[str, str]) -> None:
    done = run(["schema", "--out", str(tmp_path / "out")], str(fleet), clean_env)
    assert (done.code, done.stdout) == (0, b"")
    assert done.stderr == b"3 services, the values of 2 known\n"
    written = sorted(str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.json"))
    assert written == [
        *("cluster.json", "fleet.json", "profile.json", "service.json"),
        *("services/bare.json", "services/plain.json", "services/web.json"),
    ]
    assert errors(json.loads((tmp_path / "out/services/bare.json").read_text()), "Service", values={"a": 1}) == 0
    assert (
        errors(
            json.loads((tmp_path / "out/cluster.json").read_text()), "Cluster", services={"web": {"values": {"a": 1}}}
        )
        == 1
    )


USAGE = [
    (["fleet", "--service", "web"], 2, "fleet.yaml has no values of one service"),
    (
        ["--service", "web", "--service", "plain"],
        2,
        "a service.yaml is about one service: name one, or `schema cluster`",
    ),
    (["cluster", "--out", "x"], 2, "--out writes the schemas of all kinds and services"),
    (["--service", "wep"], 1, 'there is no service "wep" (did you mean "web"?)'),
    (["--service", "bare"], 1, "there are no values to tell of bare: no cluster has it with a chart"),
]


@pytest.mark.parametrize(("words", "code", "said"), USAGE)
def test_usage(words: list[str], code: int, said: str, fleet: Path, clean_env: dict[str, str]) -> None:
    done = run(["schema", *words], str(fleet), clean_env)
    assert (done.code, done.stdout) == (code, b"")
    assert said in done.stderr.decode()


def test_the_reference_fleet_fits(tmp_path: Path, clean_env: dict[str, str]) -> None:
    """With the charts that lie in it; tests/real_charts has the others too."""
    done = run(["schema", "--out", str(tmp_path)], CHECKOUT, clean_env)
    assert done.code == 0
    assert fitting(Path(CHECKOUT), tmp_path) > 20
