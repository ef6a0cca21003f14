"""What a target selects, which images change and what a namespace is: as the real Kustomize has it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cmp_plugin.errors import InputError
from cmp_plugin.goyaml.load import load_manifests, node
from cmp_plugin.render.kustomize.images import hits, matcher, references
from cmp_plugin.render.kustomize.label_selector import parse
from cmp_plugin.render.kustomize.patches import Candidate
from cmp_plugin.render.kustomize.selectors import read_selector
from cmp_plugin.render.manifest import CLUSTER_SCOPED, Manifest, described
from services import AT, image

MARK = "marked"
NAMES = ["web", "web-1", "WEB", "a.b", "axb", "prometheus-operator"]
LABELS = {"app": ["web", "api", ""], "tier": ["1", "10", "x"], "a.example/b": ["c"]}


def thing(api: str, kind: str, name: str, namespace: str = "", **labels: str) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name}
    if namespace:
        metadata["namespace"] = namespace
    if labels:
        metadata["labels"] = labels
        metadata["annotations"] = {key: value.upper() for key, value in labels.items()}
    return {"apiVersion": api, "kind": kind, "metadata": metadata}


OBJECTS = [
    thing("v1", "ConfigMap", "web"),
    thing("v1", "ConfigMap", "web-1", "default", app="web"),
    thing("v1", "ConfigMap", "web", "monitoring", app="api", tier="1"),
    thing("v1", "Namespace", "web"),
    thing("v1", "Node", "WEB", "monitoring"),
    thing("apps/v1", "Deployment", "a.b", tier="10"),
    thing("apps/v1beta1", "Deployment", "axb", tier="x"),
    thing("rbac.authorization.k8s.io/v1", "ClusterRole", "prometheus-operator", app=""),
    thing("example.com/v1", "ClusterThing", "web", **{"a.example/b": "c"}),
    thing("a/b/c", "Odd", "axb"),
]


def built(
    kustomize: str, place: Path, kustomization: dict[str, Any], objects: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    place.mkdir(exist_ok=True)
    (place / "objects.yaml").write_text("\n---\n".join(json.dumps(one) for one in objects))
    (place / "kustomization.yaml").write_text(json.dumps({"resources": ["objects.yaml"], **kustomization}))
    done = subprocess.run([kustomize, "build", str(place)], capture_output=True, timeout=60, check=False)
    if done.returncode:
        raise ValueError(done.stderr.decode())
    return [one.value for one in load_manifests(done.stdout)]


def marked_by_kustomize(kustomize: str, place: Path, target: dict[str, str]) -> list[str]:
    body = {"kind": "X", "metadata": {"name": "x", "annotations": {MARK: "x"}}}
    patches = {"patches": [{"target": target, "patch": json.dumps(body)}]}
    printed = built(kustomize, place, patches, OBJECTS)
    return sorted(key(one) for one in printed if MARK in one["metadata"].get("annotations", {}))


def key(value: dict[str, Any]) -> str:
    return f"{value['apiVersion']} {described(value)} {value['metadata'].get('namespace')}"


def marked_by_us(target: dict[str, str]) -> list[str]:
    selector = read_selector(node(target, AT))
    candidates = [Candidate(Manifest(value, "")) for value in OBJECTS]
    return sorted(
        key(one.value)
        for one in candidates
        if selector.selects_identity(one.current, one.original)
        and selector.selects_metadata(one.labels, one.annotations)
    )


patterns = st.one_of(
    st.sampled_from(
        [*NAMES, "web.*", "web|axb", "a.b", "a\\.b", "^web$", "(?i)web", ".*", "w[a-z]{2}", "", "W?EB", "we"]
    ),
    st.lists(
        st.sampled_from(["w", "e", "b", ".", "*", "+", "(", ")", "|", "-", "[a-z]", "\\d", "$", "^"]), max_size=6
    ).map("".join),
)
kinds = st.sampled_from(["ConfigMap", "Config.*", "Deployment|Node", "Cluster.*", "", "configmap", ".*Map"])
namespaces = st.sampled_from(["default", "monitoring", "", "mon.*", "_non_namespaceable_", "nothing"])
groups = st.sampled_from(["", "apps", "apps|example.com", ".*\\.com", "a"])
versions = st.sampled_from(["", "v1", "v1.*", "v1beta1", "b/c"])
words = st.sampled_from(["app", "tier", "a.example/b", "web", "api", "x", "1", "5", "in", "notin"])
selectors = st.one_of(
    st.sampled_from(
        [
            "app",
            "!app",
            "app=web",
            "app==api",
            "app!=web",
            "app=",
            "tier>1",
            "tier<5",
            "tier > 1,app",
            "",
            " app , tier ",
        ]
    ),
    st.sampled_from(
        [
            "app in (web, api)",
            "app notin (web)",
            "app in ()",
            "app in (,web)",
            "in in (a)",
            "app in (web",
            "app,",
            "a b",
        ]
    ),
    st.lists(st.one_of(words, st.sampled_from(["=", "==", "!=", "!", ",", "(", ")", "<", ">", " "])), max_size=7).map(
        "".join
    ),
)
targets = st.fixed_dictionaries(
    {},
    optional={
        "name": patterns,
        "kind": kinds,
        "namespace": namespaces,
        "group": groups,
        "version": versions,
        "labelSelector": selectors,
        "annotationSelector": selectors,
    },
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(target=targets)
def test_targets(kustomize: str, tmp_path: Path, target: dict[str, str]) -> None:
    """Kustomize reads a label selector only when it comes to one; we refuse a malformed one always."""
    try:
        ours = marked_by_us(target)
    except InputError:
        ours = []
    try:
        assert ours == marked_by_kustomize(kustomize, tmp_path, target)
    except ValueError as error:
        assert "regexp" in str(error) or "unable to find patch target" in str(error)


@pytest.mark.parametrize("expression", ["(a+)+$", "(a|a)*b", "(.*)*x"])
def test_no_expression_takes_long(expression: str) -> None:
    selector = read_selector(node({"name": expression}, AT))
    assert selector.name is not None and not selector.name("a" * 5000 + "c")


def test_a_selector_is_read_whole() -> None:
    assert [one.operator for one in parse("a,!b,c in (d,e),f notin (g),h>1,i!=j")] == [
        "exists",
        "!",
        "in",
        "notin",
        ">",
        "notin",
    ]


def test_cluster_scoped_kinds(kustomize: str, tmp_path: Path) -> None:
    """Two objects that differ only in their namespace are one, if the kind has none."""
    for group, version, kind in [*sorted(CLUSTER_SCOPED), ("apps", "v1", "Deployment"), ("", "v1", "Thing")]:
        api = f"{group}/{version}" if group else version
        pair = [thing(api, kind, "x", "a"), thing(api, kind, "x", "b")]
        if (group, version, kind) in CLUSTER_SCOPED:
            with pytest.raises(ValueError, match="already registered id"):
                built(kustomize, tmp_path, {}, pair)
        else:
            assert len(built(kustomize, tmp_path, {}, pair)) == 2


def pod(*images: str) -> dict[str, Any]:
    return {"containers": [{"name": f"c{n}", "image": text} for n, text in enumerate(images)]}


def workload(kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {**thing("example.com/v1", kind, kind.lower()), "spec": spec}


IMAGES = [
    "web",
    "web:1",
    "web:1@sha256:ab",
    "web@sha256:ab",
    "reg.example:5000/web",
    "reg.example:5000/a/web:1",
    "web:{tag}",
    "/web:1",
    "",
]
IMAGE_OBJECTS = [
    workload("Pod", {**pod(*IMAGES), "initContainers": [{"name": "i", "image": "init:1"}]}),
    workload("Deployment", {"template": {"spec": {**pod("web:2"), "volumes": [{"image": {"reference": "volume:1"}}]}}}),
    workload(
        "CronJob", {"jobTemplate": {"spec": {"template": {"spec": {"volumes": [{"image": {"reference": "cron:1"}}]}}}}}
    ),
    workload("Thing", {"deep": [{"er": {"containers": [{"image": "deep:1"}, {"noimage": 1}]}}], "image": "no:1"}),
    {**thing("apiextensions.k8s.io/v1", "CustomResourceDefinition", "c"), "spec": pod("web:1")},
]
image_names = st.one_of(
    st.sampled_from(
        [
            "web",
            "init",
            "volume",
            "cron",
            "deep",
            "no",
            "reg.example:5000/web",
            ".*",
            "reg.*web",
            "/web",
            "w(e|x)b",
            "web:1",
            "nothing",
        ]
    ),
    st.lists(st.sampled_from(["w", "e", "b", ".", "*", "/", "|", "(", ")"]), min_size=1, max_size=5).map("".join),
)
replacements = st.builds(
    image,
    image_names,
    new_name=st.sampled_from(["", "mirror.example/x", "web"]),
    new_tag=st.sampled_from(["", "9"]),
    digest=st.sampled_from(["", "sha256:cd"]),
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(images=st.lists(replacements, min_size=1, max_size=3, unique_by=lambda one: one.name))
def test_images(kustomize: str, tmp_path: Path, images: list[Any]) -> None:
    try:
        wanted = [(one, matcher(one)) for one in images]
    except InputError:
        return
    ours = [references(value) for value in IMAGE_OBJECTS]
    for found in ours:
        hits(found, wanted)
    fields = [
        {"name": one.name, "newName": one.new_name, "newTag": one.new_tag, "digest": one.digest} for one in images
    ]
    given = [{k: v for k, v in one.items() if v} for one in fields]
    printed = {key(one): one for one in built(kustomize, tmp_path, {"images": given}, IMAGE_OBJECTS)}
    assert ours == [references(printed[key(value)]) for value in IMAGE_OBJECTS]
