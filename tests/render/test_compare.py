"""Two renders compared: objects by identity, fields by path, items by their merge keys, no secrets."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from test_chart import Fleet, service

from cmp_plugin.render.compare import ABSENT, Field, compared, compared_values, randomness
from cmp_plugin.tools.discovery import Tool

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app.kubernetes.io/name: web}}
spec:
  replicas: 1
  template:
    spec:
      containers:
        - name: app
          image: app:1
          args: [--a, --b, --c]
          ports: [{containerPort: 80}, {containerPort: 443, name: https}]
          env: [{name: A, value: "1"}, {name: B, value: "2"}]
          volumeMounts: [{name: data, mountPath: /data}]
        - {name: sidecar, image: "sidecar:1"}
      tolerations: [{key: a, operator: Exists}, {key: b, operator: Exists}]
"""


def deployment() -> dict[str, Any]:
    value: dict[str, Any] = yaml.safe_load(DEPLOYMENT)
    return value


def pod(value: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = value["spec"]["template"]["spec"]
    return spec


def told(fields: list[Field]) -> list[tuple[object, ...]]:
    return [(field.path, field.before, field.after) for field in fields]


def changed(change: Any) -> list[tuple[object, ...]]:
    """The fields that differ after `change` had its way with the Deployment."""
    before, after = deployment(), deployment()
    change(after)
    return told(compared_values(before, after))


CONTAINERS = "spec.template.spec.containers"
CASES = [
    (lambda v: v["spec"].update(replicas=2), [("spec.replicas", 1, 2)]),
    (lambda v: v["spec"].update(replicas="1"), [("spec.replicas", 1, "1")]),
    (lambda v: v["spec"].update(replicas=True), [("spec.replicas", 1, True)]),
    (lambda v: v["spec"].update(paused=None), [("spec.paused", ABSENT, None)]),
    (lambda v: v["spec"].pop("replicas"), [("spec.replicas", 1, ABSENT)]),
    (
        lambda v: v["metadata"]["labels"].update({"app.kubernetes.io/name": "x"}),
        [('metadata.labels["app.kubernetes.io/name"]', "web", "x")],
    ),
    (
        lambda v: pod(v)["containers"].insert(0, pod(v)["containers"].pop()),
        [(f"{CONTAINERS}[order]", ["app", "sidecar"], ["sidecar", "app"])],
    ),
    (
        lambda v: pod(v)["containers"].insert(0, {"name": "new"}),
        [(f"{CONTAINERS}[new]", ABSENT, {"name": "new"})],
    ),
    (
        lambda v: pod(v)["containers"][0]["env"].pop(0),
        [(f"{CONTAINERS}[app].env[A]", {"name": "A", "value": "1"}, ABSENT)],
    ),
    (
        lambda v: pod(v)["containers"][0]["ports"].insert(0, {"containerPort": 53, "protocol": "UDP"}),
        [(f"{CONTAINERS}[app].ports[53/UDP]", ABSENT, {"containerPort": 53, "protocol": "UDP"})],
    ),
    (
        lambda v: pod(v)["containers"][0]["ports"][0].update(protocol="TCP"),
        [(f"{CONTAINERS}[app].ports[80/TCP].protocol", ABSENT, "TCP")],
    ),
    (
        lambda v: pod(v)["containers"][0]["volumeMounts"][0].update(readOnly=True),
        [(f"{CONTAINERS}[app].volumeMounts[/data].readOnly", ABSENT, True)],
    ),
    (
        lambda v: pod(v)["containers"][0]["args"].insert(1, "--new"),
        [(f"{CONTAINERS}[app].args[1]", ABSENT, "--new")],
    ),
    (
        lambda v: pod(v)["containers"][0].update(args=["--a", "--x", "--c", "--d"]),
        [(f"{CONTAINERS}[app].args[1]", "--b", "--x"), (f"{CONTAINERS}[app].args[3]", ABSENT, "--d")],
    ),
    (
        lambda v: pod(v)["tolerations"].pop(0),
        [("spec.template.spec.tolerations[a]", {"key": "a", "operator": "Exists"}, ABSENT)],
    ),
]


@pytest.mark.parametrize(("change", "expected"), CASES)
def test_fields(change: Any, expected: list[tuple[object, ...]]) -> None:
    assert changed(change) == expected


@pytest.mark.parametrize(
    ("field", "before", "after", "paths"),
    [
        # Two rules of one name: no name is theirs alone, so the sequence decides.
        ("rules", [{"alert": "A", "for": 1}, {"alert": "A", "for": 2}], [{"alert": "A", "for": 2}], ["rules[0]"]),
        (
            "rules",
            [{"alert": "A"}, {"record": "r", "expr": 1}],
            [{"alert": "A"}, {"record": "r", "expr": 2}],
            ["rules[r].expr"],
        ),
        ("versions", [{"name": "v1"}, {"name": "v2"}], [{"name": "v2"}], ["versions[v1]"]),
        ("ports", [{"port": 80, "targetPort": 1}], [{"port": 80, "targetPort": 2}], ["ports[80/TCP].targetPort"]),
        (
            "subjects",
            [{"kind": "User", "name": "a"}],
            [{"kind": "Group", "name": "a"}],
            ["subjects[User/a]", "subjects[Group/a]"],
        ),
        (
            "volumeClaimTemplates",
            [{"metadata": {"name": "d"}, "spec": 1}],
            [{"metadata": {"name": "d"}, "spec": 2}],
            ["volumeClaimTemplates[d].spec"],
        ),
        (
            "destinations",
            [{"name": "a", "namespace": "x"}],
            [{"server": "b", "namespace": "x"}, {"name": "a", "namespace": "x"}],
            ["destinations[b/x]"],
        ),
        ("mixed", [{"name": "a"}, 1], [{"name": "a"}, 2], ["mixed[1]"]),
        ("nested", [[1, 2]], [[1, 3]], ["nested[0][1]"]),
    ],
)
def test_items(field: str, before: list[Any], after: list[Any], paths: list[str]) -> None:
    assert [found.path for found in compared_values({field: before}, {field: after})] == paths


def named(kind: str, name: str, namespace: str = "", api: str = "v1", **fields: Any) -> dict[str, Any]:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **fields}


def summary(*arguments: Any) -> list[tuple[str, str]]:
    return [(str(change.key), change.change) for change in compared(*arguments)]


def test_objects() -> None:
    before = [named("ConfigMap", "a"), named("ConfigMap", "b", data={"x": "1"}), named("Namespace", "n")]
    after = [named("ConfigMap", "c"), named("ConfigMap", "b", data={"x": "2"}), named("Namespace", "n")]
    assert summary(before, after, ("web", "web")) == [
        ("ConfigMap web/a", "removed"),
        ("ConfigMap web/b", "changed"),
        ("ConfigMap web/c", "added"),
    ]
    assert summary(before, before[::-1]) == []


def test_namespace_that_is_spelt_out_is_the_same_object() -> None:
    changes = compared([named("ConfigMap", "a")], [named("ConfigMap", "a", "web")], ("web", "web"))
    assert told(list(changes[0].fields)) == [("metadata.namespace", ABSENT, "web")]


def test_service_that_moves() -> None:
    objects = [
        named("ConfigMap", "a"),
        named("ConfigMap", "b", "fixed"),
        named("ClusterIssuer", "c", api="cert-manager.io/v1"),
    ]
    crd = named(
        "CustomResourceDefinition",
        "x",
        api="apiextensions.k8s.io/v1",
        spec={"group": "g", "names": {"kind": "Zone"}, "scope": "Cluster"},
    )
    objects += [crd, named("Zone", "z", api="g/v1")]
    found = summary(objects, objects, ("old", "new"))
    assert found == [("ConfigMap new/a", "added"), ("ConfigMap old/a", "removed")]


def test_new_version_is_the_same_object() -> None:
    changes = compared([named("X", "a", api="g/v1beta1")], [named("X", "a", api="g/v1")])
    assert told(list(changes[0].fields)) == [("apiVersion", "g/v1beta1", "g/v1")]
    assert len(compared([named("X", "a", api="g/v1")], [named("X", "a", api="h/v1")])) == 2


def test_objects_without_a_name() -> None:
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"generateName": "run-"}, "spec": {"a": 1}}
    other = {**job, "spec": {"a": 2}}
    assert summary([job, job], [job, other], ("web", "web")) == [("Job web/run-*#2", "changed")]


SECRETS = ("c2VjcmV0", "c2VjcmV0Mg==", "s3cret", "s3cret2")


def secret(number: int) -> dict[str, Any]:
    annotation = {"kubectl.kubernetes.io/last-applied-configuration": SECRETS[number]}
    return {
        **named("Secret", "s", data={"key": SECRETS[number]}, stringData={"plain": SECRETS[number + 2]}),
        "metadata": {"name": "s", "annotations": annotation},
    }


def test_secrets_are_not_seen() -> None:
    last = 'metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"]'
    holder = named("Object", "o", spec={"manifest": secret(0)}), named("Object", "o", spec={"manifest": secret(1)})
    cases = {
        "": ([secret(0)], [secret(1)]),
        "spec.manifest.": ([holder[0]], [holder[1]]),
    }
    for prefix, (before, after) in cases.items():
        (change,) = compared(before, after)
        assert all(field.hidden for field in change.fields)
        assert [field.path for field in change.fields] == [
            f"{prefix}{path}" for path in ("data.key", last, "stringData.plain")
        ]
        assert not any(text in repr(change.fields) for text in SECRETS)


def test_sums_of_what_may_be_a_secret_are_not_seen() -> None:
    before, after = ({"metadata": {"annotations": {"checksum/secret": text}}} for text in ("aaaa", "bbbb"))
    (field,) = compared_values(before, after)
    assert field == Field(("metadata", "annotations", "checksum/secret"), "changed", ABSENT, ABSENT, True)
    assert "aaaa" not in repr(compared_values(before, {}))


def test_secrets_in_what_is_new_are_not_seen() -> None:
    before: dict[str, Any] = {"spec": {}}
    after = {"spec": {"list": [1, {"x": secret(0)}]}}
    fields = compared_values(before, after)
    assert [field.path for field in fields] == ["spec.list"]
    assert not any(text in repr(fields) for text in SECRETS)


@pytest.mark.parametrize("odd", [None, "text", ["a"], {}])
def test_odd_secrets(odd: object) -> None:
    fields = compared_values({"kind": "Secret", "data": odd}, {"kind": "Secret", "data": {"a": "b"}})
    assert fields and all(field.hidden for field in fields)
    assert compared_values({"kind": "Secret", "data": odd}, {"kind": "Secret", "data": copy.copy(odd)}) == []
    assert len(compared_values({"kind": "Secret", "data": odd}, {"kind": "Secret"})) == 1


def test_deep_and_long_values_end() -> None:
    deep: Any = 1
    other: Any = 2
    # More levels than any render has: what is read from YAML has a hundred at most.
    for _ in range(120):
        deep, other = {"a": [deep]}, {"a": [other]}
    assert len(compared_values(deep, other)) == 1
    long = [{"n": [number]} for number in range(3000)]
    assert [field.path for field in compared_values({"x": long}, {"x": [*long[:-1], 1]})] == ["x"]


SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-2, 2), st.floats(-1, 1), st.sampled_from(["a", "b", "v1"]))
NAMES = st.sampled_from(["name", "kind", "port", "data", "apiVersion", "x.y"])
VALUES = st.recursive(
    SCALARS,
    lambda below: st.one_of(
        st.lists(below, max_size=4),
        st.dictionaries(NAMES, below, max_size=4),
        st.lists(st.fixed_dictionaries({"name": st.sampled_from("abc"), "value": below}), max_size=3),
    ),
    max_leaves=12,
)


def written(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


@given(VALUES, VALUES)
def test_nothing_is_told_exactly_when_nothing_differs(before: Any, after: Any) -> None:
    assert (not compared_values(before, after)) == (written(before) == written(after))
    assert not compared_values(before, copy.deepcopy(before))


@given(VALUES, VALUES)
def test_what_is_told_is_there(before: Any, after: Any) -> None:
    """Read by anybody: each value told stands in its side, and no path is told twice the same way."""
    fields = compared_values(before, after)
    for field in fields:
        assert field.before is not ABSENT or field.after is not ABSENT
        for told_value, side in ((field.before, before), (field.after, after)):
            if told_value is not ABSENT and field.steps[-1:] != ("[order]",):
                assert written(told_value) in written(side)
    assert len({(field.steps, field.change) for field in fields}) == len(fields)


@given(VALUES, VALUES)
def test_the_way_back_tells_the_same_paths(before: Any, after: Any) -> None:
    forth, back = compared_values(before, after), compared_values(after, before)
    assert bool(forth) == bool(back)


def thing(name: str, kind: str = "Secret", /, **fields: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}, **fields}


def nameless(prefix: str, **fields: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Job", "metadata": {"generateName": prefix}, **fields}


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ([], [], []),
        ([thing("a", x=1)], [thing("a", x=1)], []),
        ([thing("a"), thing("b")], [thing("b"), thing("a")], []),
        ([thing("a", x=1)], [thing("a", x=2)], ["Secret/a x"]),
        ([thing("a", x=1)], [thing("a", x=True)], ["Secret/a x"]),
        ([thing("a", x=1)], [thing("a", x="1")], ["Secret/a x"]),
        ([thing("a", x=None)], [thing("a")], ["Secret/a x"]),
        ([thing("a")], [thing("a", y={"z": 1})], ["Secret/a y"]),
        ([thing("a", d={"p": 1, "q": 2, "r": 3})], [thing("a", d={"p": 9, "q": 2, "r": 9})], ["Secret/a d.p", "Secret/a d.r"]),
        ([thing("a", l=[{"v": 1}, {"v": 2}])], [thing("a", l=[{"v": 1}, {"v": 3}])], ["Secret/a l[1].v"]),
        ([thing("a", l=[1])], [thing("a", l=[1, 2])], ["Secret/a l[1]"]),
        ([thing("a", l=[1])], [thing("a", l={"0": 1})], ["Secret/a l"]),
        ([thing("a", **dict[str, Any]({"x/y~z": 1}))], [thing("a", **dict[str, Any]({"x/y~z": 2}))], ['Secret/a ["x/y~z"]']),
        ([thing("a"), thing("b")], [thing("a")], ["Secret/b (not in both)"]),
        ([thing("a")], [thing("a"), thing("b")], ["Secret/b (not in both)"]),
        ([thing("a", "Job")], [thing("a", "CronJob")], ["Job/a (not in both)", "CronJob/a (not in both)"]),
        ([thing("j-x", "Job", v=1)], [thing("j-y", "Job", v=1)], ["Job (its name differs) metadata.name"]),
        ([nameless("a-", v=1), nameless("a-", v=2)], [nameless("a-", v=1), nameless("a-", v=3)], ["Job/a-*#2 v"]),
    ],
)  # fmt: skip
def test_randomness(first: list[dict[str, Any]], second: list[dict[str, Any]], expected: list[str]) -> None:
    assert randomness(first, second) == expected


RANDOM = """apiVersion: v1
kind: Secret
metadata: {name: web, labels: {fixed: a}}
stringData:
  password: {{ randAlphaNum 20 }}
  ca: {{ (genCA "x" 1).Cert | b64enc }}
  same: x
---
apiVersion: batch/v1
kind: Job
metadata: {name: job-{{ randAlphaNum 8 | lower }}, annotations: {now: "{{ now | unixEpoch }}{{ randNumeric 9 }}"}}
"""


def test_a_chart_that_differs_from_run_to_run(tmp_path: Path, helm4: str) -> None:
    fleet = Fleet(tmp_path, Tool(helm4, "4.3.1"))
    fleet.write({"templates/x.yaml": RANDOM})
    first, second = ([one.value for one in fleet.render(service())] for _ in range(2))
    assert sorted(randomness(first, second)) == [
        "Job (its name differs) metadata.annotations.now",
        "Job (its name differs) metadata.name",
        "Secret/web stringData.ca",
        "Secret/web stringData.password",
    ]
