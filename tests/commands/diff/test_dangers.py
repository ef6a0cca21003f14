"""What of a change is called dangerous: Kubernetes' immutable fields, what is deleted, versions dropped."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml

from cmp_plugin.commands.diff.dangers import LOOK, LOSS, REFUSED, dangers
from cmp_plugin.render.compare import compared


def said(before: str, after: str) -> list[tuple[int, str]]:
    """Ranks and sentences for one object as YAML, before and after; an empty text is no object."""
    old, new = ([yaml.safe_load(text)] if text else [] for text in (before, after))
    (change,) = compared(old, new)
    return [(danger.rank, danger.text) for danger in dangers(change)]


def named(kind: str, api: str = "v1", rest: str = "") -> str:
    return f"{{apiVersion: {api}, kind: {kind}, metadata: {{name: x{rest}}}}}"


@pytest.mark.parametrize(
    ("api", "kind", "rank"),
    [
        ("v1", "Namespace", LOSS),
        ("v1", "PersistentVolumeClaim", LOSS),
        ("v1", "PersistentVolume", LOSS),
        ("apiextensions.k8s.io/v1", "CustomResourceDefinition", LOSS),
        ("apps/v1", "StatefulSet", LOSS),
        ("v1", "ConfigMap", REFUSED),
        ("other.io/v1", "Namespace", REFUSED),
    ],
)
def test_deletions(api: str, kind: str, rank: int) -> None:
    assert [found[0] for found in said(named(kind, api), "")] == [rank]
    assert said("", named(kind, api)) == []


@pytest.mark.parametrize(
    "annotation", ["argocd.argoproj.io/sync-options: 'Delete=false, Prune=false'", "helm.sh/resource-policy: keep"]
)
def test_what_is_kept_is_not_deleted(annotation: str) -> None:
    rest = f", annotations: {{{annotation}}}"
    assert said(named("Namespace", rest=rest), "") == [
        (LOOK, "is no longer rendered; its annotation keeps it in the cluster")
    ]


REFUSES = "Kubernetes refuses it, delete the object first"
BASE: dict[str, Any] = {
    "Deployment": ("apps/v1", {"spec": {"selector": {"matchLabels": {"a": "b"}}, "replicas": 1}}),
    "StatefulSet": (
        "apps/v1",
        {
            "spec": {
                "serviceName": "a",
                "replicas": 1,
                "template": {"a": 1},
                "volumeClaimTemplates": [{"metadata": {"name": "d"}, "spec": {"a": 1}}],
            }
        },
    ),
    "Job": ("batch/v1", {"spec": {"template": {"spec": {"a": 1}}, "ttlSecondsAfterFinished": 1}}),
    "PersistentVolumeClaim": (
        "v1",
        {"spec": {"storageClassName": "a", "resources": {"requests": {"storage": "10Gi"}}}},
    ),
    "StorageClass": (
        "storage.k8s.io/v1",
        {"provisioner": "a", "parameters": {"type": "ssd"}, "allowVolumeExpansion": False},
    ),
    "RoleBinding": ("rbac.authorization.k8s.io/v1", {"roleRef": {"name": "a"}, "subjects": []}),
    "Service": ("v1", {"spec": {"type": "ClusterIP", "clusterIP": "10.0.0.1"}}),
    "Secret": ("v1", {"type": "Opaque", "data": {"a": "YQ=="}}),
    "ConfigMap": ("v1", {"immutable": True, "data": {"a": "b"}}),
}


def changed(kind: str, path: str, value: Any) -> list[tuple[int, str]]:
    api, fields = BASE[kind]
    before = {"apiVersion": api, "kind": kind, "metadata": {"name": "x"}, **copy.deepcopy(fields)}
    after = copy.deepcopy(before)
    *steps, last = path.split(".")
    place: Any = after
    for step in steps:
        place = place[int(step) if step.isdigit() else step]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return said(yaml.safe_dump(before), yaml.safe_dump(after))


@pytest.mark.parametrize(
    ("kind", "path", "value", "field"),
    [
        ("Deployment", "spec.selector.matchLabels.a", "c", "spec.selector"),
        ("StatefulSet", "spec.serviceName", "b", "spec.serviceName"),
        ("StatefulSet", "spec.volumeClaimTemplates.0.spec.a", 2, "spec.volumeClaimTemplates"),
        ("StatefulSet", "spec.selector", {}, "spec.selector"),
        ("Job", "spec.template.spec.a", 2, "spec.template"),
        ("PersistentVolumeClaim", "spec.storageClassName", "b", "spec.storageClassName"),
        ("StorageClass", "parameters.type", "hdd", "parameters"),
        ("RoleBinding", "roleRef.name", "b", "roleRef"),
        ("Service", "spec.clusterIP", "10.0.0.2", "spec.clusterIP"),
        ("Secret", "type", "kubernetes.io/tls", "type"),
        ("ConfigMap", "data.a", "c", "data.a"),
    ],
)
def test_immutable_fields(kind: str, path: str, value: Any, field: str) -> None:
    assert changed(kind, path, value) == [(REFUSED, f"cannot change {field}: {REFUSES}")]


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("Deployment", "spec.replicas", 2),
        ("StatefulSet", "spec.replicas", 2),
        ("StatefulSet", "spec.template.a", 2),
        ("Job", "spec.ttlSecondsAfterFinished", 2),
        ("PersistentVolumeClaim", "spec.resources.requests.storage", "20Gi"),
        ("PersistentVolumeClaim", "spec.resources.requests.storage", "1Ti"),
        ("StorageClass", "allowVolumeExpansion", True),
        ("RoleBinding", "subjects", [{"name": "a"}]),
        ("Service", "spec.clusterIP", None),
        ("Secret", "data.a", "Yg=="),
    ],
)
def test_fields_that_may_change(kind: str, path: str, value: Any) -> None:
    assert changed(kind, path, value) == []


def test_volume_that_shrinks() -> None:
    shrunk = changed("PersistentVolumeClaim", "spec.resources.requests.storage", "9000Mi")
    assert shrunk == [(REFUSED, "cannot shrink: Kubernetes refuses it")]


def test_scaled_to_nothing() -> None:
    assert changed("StatefulSet", "spec.replicas", 0) == [(LOOK, "is scaled to nothing")]


def test_type_of_a_service() -> None:
    assert changed("Service", "spec.type", "LoadBalancer") == [
        (LOOK, "becomes another type: ClusterIP -> LoadBalancer")
    ]


def test_hooks_are_made_anew() -> None:
    text = "{apiVersion: batch/v1, kind: Job, metadata: {name: x, annotations: {%s}}, spec: {template: %d}}"
    for annotation in ("helm.sh/hook: pre-install", "argocd.argoproj.io/hook: Sync"):
        assert said(text % (annotation, 1), text % (annotation, 2)) == []
    replaced = "argocd.argoproj.io/sync-options: 'Force=true,Replace=true'"
    assert said(text % (replaced, 1), text % (replaced, 2)) == [
        (LOOK, "is deleted and made anew, as spec.template changes")
    ]


CRD = "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: x}, spec: {scope: %s, versions: [%s]}}"
V1 = "{name: v1, served: %s, storage: %s}"
V2 = "{name: v2, served: %s, storage: %s}"


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (
            CRD % ("Namespaced", V1 % ("true", "true")),
            CRD % ("Cluster", V1 % ("true", "true")),
            [(REFUSED, f"cannot change spec.scope: {REFUSES}")],
        ),
        (
            CRD % ("Cluster", f"{V1 % ('true', 'true')}, {V2 % ('true', 'false')}"),
            CRD % ("Cluster", V1 % ("true", "true")),
            [(LOSS, "no longer has version v2")],
        ),
        (
            CRD % ("Cluster", f"{V1 % ('true', 'true')}, {V2 % ('true', 'false')}"),
            CRD % ("Cluster", f"{V1 % ('false', 'false')}, {V2 % ('true', 'true')}"),
            [(LOSS, "no longer serves version v1"), (LOOK, "stores its objects as v2 from now on")],
        ),
        (
            CRD % ("Cluster", V1 % ("true", "true")),
            CRD % ("Cluster", f"{V1 % ('true', 'true')}, {V2 % ('true', 'false')}"),
            [],
        ),
    ],
)
def test_definitions(before: str, after: str, expected: list[tuple[int, str]]) -> None:
    assert said(before, after) == expected


@pytest.mark.parametrize(
    ("before", "after", "rank"),
    [
        ("spec: {destination: {name: a}}", "spec: {destination: {name: b}}", REFUSED),
        ("spec: {destination: {server: a}}", "spec: {destination: {name: b}}", REFUSED),
        ("spec: {project: a}", "spec: {project: b}", LOOK),
    ],
)
def test_applications(before: str, after: str, rank: int) -> None:
    head = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: x}\n"
    assert {found[0] for found in said(head + before, head + after)} == {rank}
