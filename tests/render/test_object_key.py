"""When two objects are the same one for the API server, and which duplicates are found."""

from __future__ import annotations

from typing import Any

import pytest

from cmp_plugin.goyaml.load import load_manifests
from cmp_plugin.render.object_key import Key, duplicates, key_of, scopes_of

ZONES = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: zones.example.com}
spec: {group: example.com, scope: Cluster, names: {kind: Zone, plural: zones}}
---
apiVersion: apiextensions.k8s.io/v1beta1
kind: CustomResourceDefinition
metadata: {name: clusterthings.example.com}
spec: {group: example.com, scope: Namespaced, names: {kind: ClusterThing, plural: clusterthings}}
"""


def objects(text: str) -> list[dict[str, Any]]:
    return [one.value for one in load_manifests(text.encode())]


def thing(kind: str, **metadata: str) -> str:
    api, _, name = kind.rpartition("/")
    return f"{{apiVersion: {api}, kind: {name}, metadata: {{{', '.join(f'{k}: {v}' for k, v in metadata.items())}}}}}"


ROLE = "rbac.authorization.k8s.io/v1/ClusterRole"
SAME = {
    "no namespace is the service's": (
        thing("v1/ConfigMap", name="a"),
        thing("v1/ConfigMap", name="a", namespace="web"),
    ),
    "another version": (thing("apps/v1beta1/Deployment", name="a"), thing("apps/v1/Deployment", name="a")),
    "a group that Kubernetes gave up": (
        thing("extensions/v1beta1/Ingress", name="a"),
        thing("networking.k8s.io/v1/Ingress", name="a"),
    ),
    "the older Deployment": (thing("extensions/v1beta1/Deployment", name="a"), thing("apps/v1/Deployment", name="a")),
    "a namespace where there is none": (thing(ROLE, name="a"), thing(ROLE, name="a", namespace="elsewhere")),
    "two namespaces where there is none": (
        thing(ROLE, name="a", namespace="one"),
        thing(ROLE, name="a", namespace="two"),
    ),
    "a version that Kustomize does not know": (
        thing("flowcontrol.apiserver.k8s.io/v1/FlowSchema", name="a", namespace="one"),
        thing("flowcontrol.apiserver.k8s.io/v1beta1/FlowSchema", name="a", namespace="two"),
    ),
    "a kind that Kustomize does not know": (
        thing("storage.k8s.io/v1/VolumeAttributesClass", name="a", namespace="one"),
        thing("storage.k8s.io/v1/VolumeAttributesClass", name="a", namespace="two"),
    ),
    "a custom kind by its definition": (
        thing("example.com/v1/Zone", name="a", namespace="one"),
        thing("example.com/v2/Zone", name="a", namespace="two"),
    ),
}
DIFFERENT = {
    "another name": (thing("v1/ConfigMap", name="a"), thing("v1/ConfigMap", name="b")),
    "another kind": (thing("v1/ConfigMap", name="a"), thing("v1/Secret", name="a")),
    "another group": (thing(ROLE, name="a"), thing("example.com/v1/ClusterRole", name="a")),
    "another namespace": (
        thing("v1/ConfigMap", name="a", namespace="one"),
        thing("v1/ConfigMap", name="a", namespace="two"),
    ),
    "the namespace default, spelt out": (
        thing("v1/ConfigMap", name="a"),
        thing("v1/ConfigMap", name="a", namespace="default"),
    ),
    "a custom kind of which nothing is known": (
        thing("example.com/v1/Other", name="a", namespace="one"),
        thing("example.com/v1/Other", name="a", namespace="two"),
    ),
    "a name of another group's kind": (
        thing("example.org/v1/Zone", name="a", namespace="one"),
        thing("example.org/v1/Zone", name="a", namespace="two"),
    ),
}


@pytest.mark.parametrize(("first", "second"), SAME.values(), ids=SAME)
def test_the_same_object(first: str, second: str) -> None:
    scopes = scopes_of(objects(ZONES))
    keys = [key_of(value, "web", scopes) for text in (first, second) for value in objects(text)]
    assert keys[0] == keys[1]


@pytest.mark.parametrize(("first", "second"), DIFFERENT.values(), ids=DIFFERENT)
def test_two_objects(first: str, second: str) -> None:
    scopes = scopes_of(objects(ZONES))
    keys = [key_of(value, "web", scopes) for text in (first, second) for value in objects(text)]
    assert keys[0] != keys[1]


@pytest.mark.parametrize(
    ("kind", "namespace"),
    [
        ("cert-manager.io/v1/ClusterIssuer", ""),
        ("external-secrets.io/v1/ClusterSecretStore", ""),
        # Its definition says otherwise.
        ("example.com/v1/ClusterThing", "web"),
        # CloudNativePG's and Cluster API's.
        ("postgresql.cnpg.io/v1/Cluster", "web"),
        ("cluster.x-k8s.io/v1beta1/ClusterClass", "web"),
        ("addons.cluster.x-k8s.io/v1beta1/ClusterResourceSet", "web"),
        ("addons.cluster.x-k8s.io/v1beta1/ClusterResourceSetBinding", "web"),
        ("operators.coreos.com/v1alpha1/ClusterServiceVersion", "web"),
    ],
)
def test_a_custom_kind_that_sounds_like_one_without_namespace(kind: str, namespace: str) -> None:
    (value,) = objects(thing(kind, name="a"))
    assert key_of(value, "web", scopes_of(objects(ZONES))).namespace == namespace
    (value,) = objects(thing(kind, name="a", namespace="own"))
    assert key_of(value, "web", scopes_of(objects(ZONES))).namespace == "own"


def test_duplicates_name_the_first_owner_and_the_next() -> None:
    role, settings = objects(thing(ROLE, name="a")), objects(thing("v1/ConfigMap", name="a"))
    owned = [("one", value, "one") for value in (*role, *settings)]
    owned += [("two", value, "two") for value in (*role, *settings)]
    owned += [("three", value, "one") for value in (*role, *settings)]
    key = Key("rbac.authorization.k8s.io", "ClusterRole", "", "a")
    assert list(duplicates(owned, {})) == [
        (key, "one", "two"),
        (key, "one", "three"),
        (Key("", "ConfigMap", "one", "a"), "one", "three"),
    ]


def test_names_that_the_api_server_makes_up_are_never_the_same() -> None:
    (job,) = objects(thing("batch/v1/Job", generateName="run-"))
    assert key_of(job, "web", {}) == Key("batch", "Job", "web", "run-*")
    assert list(duplicates([("one", job, "web"), ("two", job, "web")], {})) == []


@pytest.mark.parametrize(
    "odd", ["{kind: CustomResourceDefinition}", "{kind: CustomResourceDefinition, spec: [a]}", "{kind: X, spec: {}}"]
)
def test_odd_definitions_say_nothing(odd: str) -> None:
    (value,) = objects(thing("example.com/v1/Zone", name="a"))
    assert key_of(value, "web", scopes_of(objects(odd))).namespace == "web"
