"""Rendered objects against Kubernetes' schemas and CRDs: what is refused, what passes, what is not known."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from program import CHECKOUT

from cmp_plugin.commands.validate import kubernetes
from cmp_plugin.commands.validate.crds import served, strict
from cmp_plugin.commands.validate.json_schema import compiled
from cmp_plugin.commands.validate.kubernetes import ClusterSchemas, Schemas, Unknown, available
from cmp_plugin.commands.validate.objects import ObjectChecks
from cmp_plugin.errors import Location
from cmp_plugin.fleet.cluster import Facts
from cmp_plugin.fleet.layers import Merged
from cmp_plugin.fleet.plan import Planned
from cmp_plugin.fleet.request import Request
from cmp_plugin.fleet.resolve import Resolved
from cmp_plugin.fleet.settings import Settings
from cmp_plugin.goyaml.load import Node, load_manifests
from cmp_plugin.render.manifest import Manifest
from cmp_plugin.system.files import FileTree
from cmp_plugin.tools.versions import minor
from services import patch, service

REAL = sorted(Path(CHECKOUT, "..", "shared", "real").glob("*/manifests.yaml.gz"))


@pytest.fixture(scope="module")
def builtin() -> Schemas:
    return Schemas("1.34", available()["1.34"])


def refused(builtin: Schemas, text: str, *crds: str) -> list[str] | str:
    """The last object of `text` in a cluster that has all of them."""
    cluster = ClusterSchemas(builtin, {})
    objects = [one.value for one in load_manifests("\n---\n".join([*crds, text]).encode())]
    for value in objects:
        cluster.add(value)
    found = cluster.refusals(objects[-1])
    return found.kind if isinstance(found, Unknown) else sorted(f"{one.where}: {one.message}" for one in found)


def test_the_versions_that_a_fleet_can_have_today() -> None:
    assert {"1.34", "1.35", "1.36", "1.37"} <= set(available())
    assert [minor(text) for text in ("1.34", "v1.34.2", "1.34.1+k3s1", "v1.9.0-gke.1")] == [
        "1.34",
        "1.34",
        "1.34",
        "1.9",
    ]


OBJECTS = [
    ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, creationTimestamp: null}\ndata: {a: b}", []),
    ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: 1}", ["data.a: this is not of type string"]),
    ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndta: {a: b}", ["dta: no such key"]),
    ("apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {ports: [{}]}", ["spec.ports[0].port: it is required"]),
    ("apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {ports: [{port: 1, targetPort: http}]}", []),
    (
        "apiVersion: batch/v1beta1\nkind: CronJob\nmetadata: {name: x}",
        [": Kubernetes 1.34 has no CronJob of batch/v1beta1; there is v1"],
    ),
    ("apiVersion: apps/v1\nkind: Deplyment\nmetadata: {name: x}", [": Kubernetes 1.34 has no Deplyment of apps/v1"]),
    ("apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: x}\na: b", "example.com/v1 Thing"),
]


@pytest.mark.parametrize(("text", "expected"), OBJECTS)
def test_built_in_kinds(text: str, expected: object, builtin: Schemas) -> None:
    assert refused(builtin, text) == expected


CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Thing, plural: things}
  versions:
    - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: {spec: %s}}}}
    - {name: v0, served: false, storage: false, schema: {openAPIV3Schema: {type: object}}}
"""
SPEC = """{type: object, required: [size, color], properties: {
  size: {type: integer, maximum: 9, exclusiveMaximum: true}, color: {type: string, default: red, enum: [red, blue]},
  port: {x-kubernetes-int-or-string: true}, note: {type: string, nullable: true, enum: [a]},
  free: {type: object, x-kubernetes-preserve-unknown-fields: true}, none: {type: object},
  map: {type: object, additionalProperties: {type: boolean}}, any: {type: object, additionalProperties: true},
  list: {type: array, items: {type: object, properties: {a: {type: string}}}},
  template: {type: object, x-kubernetes-embedded-resource: true, properties: {spec: {type: object}}},
  level: {type: string, pattern: "^(?i)(low|high)$"}, one: {type: object, properties: {p: {type: string}, q: {type: string}},
    oneOf: [{required: [p]}, {required: [q]}]}}}""".replace("\n", " ")

SPECS = [
    ("{size: 3}", []),
    ("{size: 3, color: blue, port: http, note: null, free: {a: [1]}, map: {a: true}, any: {x: {z: 1}}}", []),
    ("{size: 3, template: {apiVersion: v1, kind: Pod, metadata: {name: x}, spec: {}}, level: HIGH, one: {p: a}}", []),
    ("{size: 3, list: [{a: b}], one: null, port: 80}", []),
    ("{}", ["spec.size: it is required"]),
    ('{size: "3"}', ["spec.size: this is not of type integer"]),
    ("{size: 9}", ["spec.size: this is greater than or equal to the maximum of 9"]),
    ("{size: 3, color: green}", ["spec.color: this is not one of 'red' or 'blue'"]),
    ("{size: 3, colour: red}", ["spec.colour: no such key"]),
    ("{size: 3, none: {a: 1}}", ["spec.none.a: no such key"]),
    ("{size: 3, map: {a: 1}}", ["spec.map.a: this is not of type boolean"]),
    ("{size: 3, list: [{b: 1}]}", ["spec.list[0].b: no such key"]),
    ("{size: 3, port: [1]}", ["spec.port: this is not of type integer or string"]),
    ("{size: 3, template: {speck: {}}}", ["spec.template.speck: no such key"]),
]


@pytest.mark.parametrize(("spec", "expected"), SPECS)
def test_custom_resources(spec: str, expected: list[str], builtin: Schemas) -> None:
    text = f"apiVersion: example.com/v1\nkind: Thing\nmetadata: {{name: x}}\nspec: {spec}"
    assert refused(builtin, text, CRD % SPEC) == expected


def test_metadata_of_custom_resources_is_checked(builtin: Schemas) -> None:
    text = (
        "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: x, lables: {}, annotations: {a: 1}}\nspec: {size: 1}"
    )
    assert refused(builtin, text, CRD % SPEC) == [
        "metadata.annotations.a: this is not of type string",
        "metadata.lables: no such key",
    ]


def test_a_version_that_is_not_served_is_unknown(builtin: Schemas) -> None:
    assert (
        refused(builtin, "apiVersion: example.com/v0\nkind: Thing\nmetadata: {name: x}", CRD % SPEC)
        == "example.com/v0 Thing"
    )


def test_a_crd_whose_schema_is_none_checks_nothing(builtin: Schemas) -> None:
    wrong = CRD % "{type: nothing}"
    assert (
        refused(builtin, "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: x}", wrong)
        == "example.com/v1 Thing"
    )


@pytest.mark.skipif(not REAL, reason="the real charts' output is not beside the checkout")
@pytest.mark.parametrize("version", ["1.34", "1.35", "1.36", "1.37"])
def test_nothing_is_wrong_with_what_real_charts_print(version: str) -> None:
    cluster = ClusterSchemas(Schemas(version, available()[version]), {})
    objects = [one.value for path in REAL for one in load_manifests(gzip.decompress(path.read_bytes()))]
    for value in objects:
        cluster.add(value)
    outcomes = [(value["kind"], value["metadata"]["name"], cluster.refusals(value)) for value in objects]
    assert len(outcomes) > 600
    assert [outcome for outcome in outcomes if outcome[2]] == []


@pytest.mark.skipif(not REAL, reason="the real charts' output is not beside the checkout")
def test_every_real_crd_can_be_compiled() -> None:
    versions = [
        one
        for path in REAL
        for document in load_manifests(gzip.decompress(path.read_bytes()))
        if document.value["kind"] == "CustomResourceDefinition"
        for one in served(document.value)
    ]
    assert len(versions) > 100
    for one in versions:
        compiled(strict(one.schema), jsonschema_rs.Draft4Validator)


def planned(version: str = "1.34", **fields: Any) -> Planned:
    made = service(kube_version=version, **fields)
    at = Location("clusters/one/cluster.yaml")
    empty = Node({}, at)
    facts = Facts("one", {}, {}, {}, version, (), at)
    request = Request(facts, "web", "web", (), (), empty, FileTree("/", ()), Settings())
    merged = Merged(empty, empty, (), {}, {}, frozenset())
    return Planned("one", request, Resolved(made, (), empty, "", merged, empty), 0)


DEPLOYMENT = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web"},
    "spec": {"replicas": "two", "selector": {}, "template": {"spec": {"containers": [{"name": "a", "imag": "x"}]}}},
}


def test_where_a_field_comes_from() -> None:
    patches = (
        patch("spec: {replicas: two}", called="low", kind="Deployment"),
        patch(
            "spec: {template: {spec: {containers: [{name: b}, {name: a, imag: x}]}}}", called="merge", kind="Deployment"
        ),
        patch("spec: {replicas: two}", called="other", kind="Service"),
        patch("[{op: replace, path: /spec/replicas, value: two}]", called="operation", kind="Deploy.*"),
    )
    done = [(planned(patches=patches), [Manifest(DEPLOYMENT, "chart template web/x.yaml")])]
    assert [str(error) for error in ObjectChecks().of_cluster(done)] == [
        (
            "services/web/patch.yaml:1:22: one/web: Deployment/web spec.replicas: this is not of type integer"
            ' (from patch "operation")'
        ),
        (
            "services/web/patch.yaml:1:60: one/web: Deployment/web spec.template.spec.containers[0].imag: there is no such field"
            ' (from patch "merge")'
        ),
    ]
    plain = list(ObjectChecks().of_cluster([(planned(), [Manifest(DEPLOYMENT, "chart template web/x.yaml")])]))
    assert {str(error).partition("(")[2] for error in plain} == {"from chart template web/x.yaml)"}


def test_objects_inside_of_a_list_are_checked() -> None:
    inside = {"apiVersion": "v1", "kind": "List", "items": [DEPLOYMENT]}
    assert len(list(ObjectChecks().of_cluster([(planned(), [Manifest(inside, "x")])]))) == 2


def test_what_is_not_checked_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    done = [Manifest(DEPLOYMENT, "x")]
    checks = ObjectChecks()
    assert list(checks.of_cluster([(planned("1.99"), done)])) == []
    (said,) = checks.unchecked
    assert said.startswith("objects for Kubernetes 1.99 were not compared with schemas, there are those of 1.")
    assert list(checks.of_cluster([(planned(""), done)])) == []
    monkeypatch.setattr(kubernetes, "PACKAGE", "a_package_that_is_not_there")
    without = ObjectChecks()
    assert list(without.of_cluster([(planned(), done)])) == []
    assert list(without.unchecked) == [
        "objects were not compared with Kubernetes' schemas: pip install 'cmp-plugin[kubernetes]' brings them"
    ]
