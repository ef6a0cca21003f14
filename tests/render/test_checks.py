"""What Argo CD would choke on is an error that names the object's source, and nothing of its content."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cmp_plugin.errors import CmpError
from cmp_plugin.fleet.service import ResolvedService
from cmp_plugin.render.checks import check
from cmp_plugin.render.manifest import Manifest
from services import Transform, patch, service

SERVICE = "services/web/service.yaml: one/web: "


def refusal(*values: dict[str, Any], made: ResolvedService | None = None) -> str:
    with pytest.raises(CmpError) as caught:
        check(made or service(), [Manifest(value, f"source {n}") for n, value in enumerate(values)])
    return str(caught.value)


def thing(**fields: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, **fields}


def named(**metadata: Any) -> dict[str, Any]:
    return thing(metadata={"name": "a", **metadata})


FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "no apiVersion": ({"kind": "X", "metadata": {"name": "a"}}, "X/a of source 0: apiVersion is missing"),
    "apiVersion": (thing(apiVersion=1), "ConfigMap/a of source 0: apiVersion must be a string"),
    "no kind": ({"apiVersion": "v1", "metadata": {"name": "a"}}, "object without kind/a of source 0: kind is missing"),
    "no metadata": (thing(metadata=None), "ConfigMap/? of source 0: metadata is missing"),
    "metadata": (thing(metadata=["x"]), "ConfigMap/? of source 0: metadata must be a string"),
    "no name": (thing(metadata={}), "ConfigMap/? of source 0: metadata.name is missing"),
    "name": (thing(metadata={"name": 5}), "ConfigMap/? of source 0: metadata.name must be a string"),
    "namespace": (named(namespace=5), "ConfigMap/a of source 0: metadata.namespace must be a string"),
    "labels": (named(labels=["a"]), "ConfigMap/a of source 0: metadata.labels must be a mapping"),
    "label": (named(labels={"a": 5}), "ConfigMap/a of source 0: metadata.labels.a must be a string"),
    "annotation": (named(annotations={"a": {}}), "ConfigMap/a of source 0: metadata.annotations.a must be a string"),
    "a command": (
        named(annotations={"internal.config.kubernetes.io/needsHashSuffix": "enabled"}),
        "ConfigMap/a of source 0: metadata.annotations.internal.config.kubernetes.io/needsHashSuffix is Kustomize's own",
    ),
    "list": (
        {"apiVersion": "v1", "kind": "List", "metadata": {}, "items": "x"},
        "List/? of source 0: a list needs `items` that are objects",
    ),
}


@pytest.mark.parametrize(("value", "error"), FAULTS.values(), ids=FAULTS)
def test_misshapen_objects(value: dict[str, Any], error: str) -> None:
    assert refusal(value) == SERVICE + error


def test_what_is_accepted() -> None:
    check(
        service(),
        [
            Manifest(named(namespace=None, labels=None, annotations={"a": "b"}), ""),
            Manifest(thing(metadata={"generateName": "a-"}), ""),
            Manifest(thing(metadata={"generateName": "a-"}), ""),
            Manifest({**thing(kind="Role"), "apiVersion": "rbac.authorization.k8s.io/v1"}, ""),
            Manifest({**thing(kind="Role"), "apiVersion": "example.com/v1"}, ""),
            Manifest(named(namespace="other"), ""),
            Manifest({"apiVersion": "example.com/v1", "kind": "AllowList", "metadata": {"name": "x"}}, ""),
        ],
    )


def test_no_objects() -> None:
    assert refusal() == (
        SERVICE
        + "the service renders to no objects (Argo CD would delete everything; write `allow: [empty]` if that is meant)"
    )
    check(service(allow=frozenset(["empty"])), [])


def test_two_objects_with_one_identity() -> None:
    """The API version does not tell objects apart, and no namespace is the service's."""
    older = {**thing(kind="Deployment", metadata={"name": "a", "namespace": "web"}), "apiVersion": "apps/v1beta1"}
    newer = {**thing(kind="Deployment"), "apiVersion": "apps/v1"}
    assert refusal(older, newer) == SERVICE + "Deployment/a in namespace web is there twice: from source 0 and source 1"
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole"}
    pair = ({**role, "metadata": {"name": "a"}}, {**role, "metadata": {"name": "a", "namespace": "web"}})
    assert refusal(*pair) == SERVICE + "ClusterRole/a is there twice: from source 0 and source 1"


def test_all_errors_come_together() -> None:
    assert refusal(thing(), thing(), thing(kind=None)).splitlines() == [
        SERVICE + "ConfigMap/a in namespace web is there twice: from source 0 and source 1",
        SERVICE + "object without kind/a of source 2: kind is missing",
    ]


SETTINGS = "# Source: web/templates/a.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
FILES = {
    "web/a.yaml": SETTINGS,
    "web/twice.yaml": f"{SETTINGS}---\n{SETTINGS}",
    "web/more/kustomization.yaml": "resources: [a.yaml]\n",
    "web/more/a.yaml": SETTINGS.replace("{name: a}", "{name: a, namespace: default}"),
}
MORE, A, TWICE = "/services/web/more", "/services/web/a.yaml", "/services/web/twice.yaml"
DOUBLED = {
    "two templates": ([], {}, "chart template web/templates/a.yaml and chart template web/templates/b.yaml"),
    "a template and a file": ([A], {}, "chart template web/templates/a.yaml and resource services/web/a.yaml"),
    "both seen by Kustomize": (
        [A],
        {"kustomize": {"commonAnnotations": {"a": "b"}}},
        "chart template web/templates/a.yaml and resource services/web/a.yaml",
    ),
    "a file and a directory": ([A, MORE], {}, "resource services/web/a.yaml and resource services/web/more"),
    "one file": ([TWICE], {}, "resource services/web/twice.yaml, twice"),
}


@pytest.mark.parametrize(("resources", "fields", "sources"), DOUBLED.values(), ids=DOUBLED)
def test_both_sources_are_named(
    kustomize: str, tmp_path: Path, resources: list[str], fields: dict[str, Any], sources: str
) -> None:
    printed = SETTINGS
    if not resources:
        printed += "---\n" + SETTINGS.replace("a.yaml", "b.yaml")
    if "chart" not in sources:
        printed = ""
    made = service(resources=resources, patches=(patch("data: {a: b}", kind="ConfigMap", optional=True),), **fields)
    error = Transform(kustomize, tmp_path).error(made, printed, FILES)
    assert error.startswith(SERVICE + "ConfigMap/a ") and error.endswith(f"is there twice: from {sources}")


def test_nothing_of_a_secret_is_said(kustomize: str, tmp_path: Path) -> None:
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: 5}\nstringData: {a: hunter2}\n"
    error = Transform(kustomize, tmp_path).error(service(), secret)
    assert error == SERVICE + "Secret/? of the chart: metadata.name must be a string"
