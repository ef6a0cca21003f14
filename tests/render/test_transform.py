"""One kustomization of chart output, resources, fragment, images, metadata and patches.

Wherever Kustomize is given less than everything, `same` compares with a build of everything.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from services import Transform, image, patch, service

WEB = """\
# Source: web/templates/deployment.yaml
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web, tier: front}}
spec:
  replicas: 1
  template:
    spec:
      serviceAccountName: web
      containers:
      - {name: web, image: "registry.example/web:1.0", env: [{name: A, value: "1"}]}
      - {name: side, image: "registry.example/side@sha256:aaaa"}
"""
ACCOUNT = """\
---
# Source: web/templates/account.yaml
apiVersion: v1
kind: ServiceAccount
metadata: {name: web, namespace: web}
---
# Source: web/templates/binding.yaml
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: web, namespace: web}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: web}
subjects: [{kind: ServiceAccount, name: web}]
"""
SETTINGS = """\
---
# Source: web/templates/settings.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {a: "1"}
"""
JOB = """\
---
# Source: web/templates/job.yaml
apiVersion: batch/v1
kind: Job
metadata: {generateName: migrate-}
"""
CHART = WEB + ACCOUNT + SETTINGS
EXTRA = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: extra}\ndata: {on: yes}\n"


@pytest.fixture
def transform(kustomize: str, tmp_path: Path) -> Transform:
    return Transform(kustomize, tmp_path)


def test_nothing_to_change_starts_nothing(transform: Transform) -> None:
    outcome = transform.same(service(), CHART)
    assert outcome.builds == 0
    assert outcome.names == ["ServiceAccount/web", "RoleBinding/web", "ConfigMap/settings", "Deployment/web"]
    assert outcome.manifests[3].source == "chart template web/templates/deployment.yaml"


def test_a_strategic_merge_patch_merges_lists_by_their_key(transform: Transform) -> None:
    more = patch(
        "spec: {template: {spec: {containers: [{name: web, env: [{name: B, value: '2'}]}]}}}", kind="Deployment"
    )
    outcome = transform.same(service(patches=(more,)), CHART)
    assert outcome.builds == 1
    web = outcome["Deployment/web"]["spec"]["template"]["spec"]["containers"]
    assert web[0]["env"] == [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}]
    assert [container["name"] for container in web] == ["web", "side"]


def test_a_patch_can_name_its_object_itself(transform: Transform) -> None:
    named = patch("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: null, b: '2'}")
    outcome = transform.same(service(patches=(named,)), CHART)
    assert outcome["ConfigMap/settings"]["data"] == {"b": "2"}


def test_a_patch_of_two_documents_is_two_patches(transform: Transform) -> None:
    both = patch("data: {b: '2'}\n---\ndata: {c: '3'}\n", kind="ConfigMap")
    outcome = transform.same(service(patches=(both,)), CHART)
    assert outcome["ConfigMap/settings"]["data"] == {"a": "1", "b": "2", "c": "3"}


def test_a_patch_can_delete_its_object(transform: Transform) -> None:
    outcome = transform.same(service(patches=(patch("$patch: delete", kind="ConfigMap"),)), CHART)
    assert "ConfigMap/settings" not in outcome.names


def test_operations_run_in_sequence_with_other_patches(transform: Transform) -> None:
    patches = (
        patch("[{op: add, path: /metadata/labels/new, value: a/b}]", kind="Deployment"),
        patch("[{op: replace, path: /spec/replicas, value: 3}]", labelSelector="new,tier in (front, x)"),
        patch(
            "[{op: test, path: /spec/replicas, value: 3}, {op: remove, path: /spec/replicas}]", kind="D.*", name=".*eb"
        ),
    )
    web = transform.same(service(patches=patches), CHART)["Deployment/web"]
    assert web["metadata"]["labels"] == {"app": "web", "tier": "front", "new": "a/b"}
    assert "replicas" not in web["spec"]


def test_operations_on_an_account_write_its_namespace_into_bindings(transform: Transform) -> None:
    """Kustomize does that, so the binding, which no patch meets, has to be there."""
    label = patch("[{op: add, path: /metadata/labels, value: {a: b}}]", kind="ServiceAccount")
    outcome = transform.same(service(patches=(label,)), CHART)
    assert outcome["RoleBinding/web"]["subjects"] == [{"kind": "ServiceAccount", "name": "web", "namespace": "web"}]


def test_a_renamed_object_is_renamed_where_it_is_named(transform: Transform) -> None:
    rename = patch("[{op: replace, path: /metadata/name, value: other}]", kind="ConfigMap")
    refers = WEB + "      volumes: [{name: v, configMap: {name: settings}}]\n" + SETTINGS
    outcome = transform.same(service(patches=(rename,)), refers)
    (volume,) = outcome["Deployment/web"]["spec"]["template"]["spec"]["volumes"]
    assert volume["configMap"]["name"] == "other"


def test_images(transform: Transform) -> None:
    images = (
        image("registry.example/web", new_name="mirror.example/web", new_tag="2.0"),
        image("mirror.example/web", digest="sha256:bbbb"),
        image("registry.example/s(i|x)de", new_tag="3"),
    )
    web = transform.same(service(images=images), CHART)["Deployment/web"]
    assert [container["image"] for container in web["spec"]["template"]["spec"]["containers"]] == [
        "mirror.example/web@sha256:bbbb",
        "registry.example/side:3",
    ]


def test_an_image_that_a_patch_brings_is_replaced(transform: Transform) -> None:
    brings = patch("spec: {template: {spec: {containers: [{name: new, image: brought}]}}}", kind="Deployment")
    outcome = transform.same(service(patches=(brings,), images=(image("brought", new_tag="9"),)), CHART)
    containers = outcome["Deployment/web"]["spec"]["template"]["spec"]["containers"]
    assert {one["name"]: one["image"] for one in containers}["new"] == "brought:9"


def test_metadata_goes_on_every_object_and_nowhere_else(transform: Transform) -> None:
    made = service(labels=(("team", "a"),), annotations=(("note", "b: c"),), resources=("/services/web/extra.yaml",))
    outcome = transform.same(made, CHART, {"web/extra.yaml": EXTRA})
    for one in outcome.manifests:
        assert one.value["metadata"]["labels"]["team"] == "a"
        assert one.value["metadata"]["annotations"] == {"note": "b: c"}
    assert outcome["Deployment/web"]["metadata"]["labels"] == {"app": "web", "tier": "front", "team": "a"}
    assert "metadata" not in outcome["Deployment/web"]["spec"]["template"]


def test_a_yaml_file_is_read_as_kustomize_reads_it(transform: Transform) -> None:
    outcome = transform.same(service(resources=("/services/web/extra.yaml",)), CHART, {"web/extra.yaml": EXTRA})
    assert outcome["ConfigMap/extra"]["data"] == {"on": "yes"}
    assert {one.source for one in outcome.manifests if "extra" in str(one.value)} == {
        "resource services/web/extra.yaml"
    }


def test_a_kustomization_beside_a_chart(transform: Transform) -> None:
    files = {
        "web/more/kustomization.yaml": "namePrefix: my-\nresources: [../extra, settings.yaml]\n",
        "web/more/settings.yaml": EXTRA,
        "web/extra/kustomization.yaml": "configMapGenerator: [{name: generated, literals: [a=b]}]\n",
    }
    refers = WEB + "      volumes: [{name: v, configMap: {name: my-extra}}, {name: w, configMap: {name: generated}}]\n"
    outcome = transform.same(service(resources=("/services/web/more",)), refers, files)
    (generated,) = [name for name in outcome.names if "generated" in name]
    assert generated.startswith("ConfigMap/my-generated-")
    volumes = outcome["Deployment/web"]["spec"]["template"]["spec"]["volumes"]
    assert volumes[1]["configMap"]["name"] == generated.removeprefix("ConfigMap/")


def test_a_directory_is_built_as_it_is(transform: Transform) -> None:
    files = {
        "web/kustomization.yaml": "resources: [b.yaml, a.yaml]\nsortOptions: {order: fifo}\n",
        "web/a.yaml": EXTRA,
        "web/b.yaml": EXTRA.replace("extra", "zzz"),
    }
    made = service(resources=("/services/web",), labels=(("team", "a"),))
    outcome = transform(made, "", files)
    assert outcome.names == ["ConfigMap/zzz", "ConfigMap/extra"]
    assert outcome["ConfigMap/zzz"]["metadata"]["labels"] == {"team": "a"}


FRAGMENTS = {
    "namespace": {"namespace": "other"},
    "names": {"namePrefix": "a-", "nameSuffix": "-z"},
    "labels": {"labels": [{"pairs": {"x": "y"}, "includeSelectors": True}], "commonAnnotations": {"c": "d"}},
    "replicas": {"replicas": [{"name": "web", "count": 7}]},
    "generator": {
        "configMapGenerator": [{"name": "g", "files": ["k=/services/web/extra.yaml", "/services/web/extra.yaml"]}]
    },
    "plain generator": {
        "generatorOptions": {"disableNameSuffixHash": True},
        "secretGenerator": [{"name": "g", "envs": ["/services/web/g.env"]}],
    },
    "merging generator": {"configMapGenerator": [{"name": "settings", "behavior": "merge", "literals": ["b=2"]}]},
    "component": {"components": ["/services/web/component"]},
    "replacements": {
        "replacements": [
            {
                "source": {"kind": "ConfigMap", "name": "settings", "fieldPath": "data.a"},
                "targets": [{"select": {"kind": "Deployment"}, "fieldPaths": ["metadata.labels.app"]}],
            }
        ]
    },
    "transformers": {"transformers": ["/services/web/transformer.yaml"]},
    "patches": {"patches": [{"path": "/services/web/more.yaml", "target": {"kind": "ConfigMap"}}]},
    "first in, first out": {"sortOptions": {"order": "fifo"}},
}
FRAGMENT_FILES = {
    "web/extra.yaml": EXTRA,
    "web/g.env": "A=1\n",
    "web/component/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"
    "patches: [{path: p.yaml, target: {kind: ConfigMap}}]\n",
    "web/component/p.yaml": "- {op: add, path: /data/b, value: component}\n",
    "web/transformer.yaml": "apiVersion: builtin\nkind: PrefixTransformer\nmetadata: {name: p}\nprefix: t-\n"
    "fieldSpecs: [{path: metadata/name}]\n",
    "web/more.yaml": "kind: X\nmetadata: {name: x}\ndata: {b: fragment}\n",
}


@pytest.mark.parametrize("fragment", FRAGMENTS.values(), ids=FRAGMENTS)
def test_a_fragment_acts_on_everything(transform: Transform, fragment: dict[str, object]) -> None:
    made = service(
        kustomize=fragment,
        resources=("/services/web/extra.yaml",),
        labels=(("team", "a"),),
        patches=(patch("spec: {replicas: 2}", kind="Deployment"),),
        images=(image("registry.example/web", new_tag="2"),),
    )
    assert transform.same(made, CHART, FRAGMENT_FILES).manifests


def test_what_a_fragment_does(transform: Transform) -> None:
    outcome = transform(service(kustomize=FRAGMENTS["component"]), CHART, FRAGMENT_FILES)
    assert outcome["ConfigMap/settings"]["data"] == {"a": "1", "b": "component"}
    outcome = transform(service(kustomize=FRAGMENTS["transformers"]), CHART, FRAGMENT_FILES)
    assert "ConfigMap/t-settings" in outcome.names
    outcome = transform(service(kustomize=FRAGMENTS["patches"]), CHART, FRAGMENT_FILES)
    assert outcome["ConfigMap/settings"]["data"] == {"a": "1", "b": "fragment"}
    outcome = transform(service(kustomize=FRAGMENTS["plain generator"]), CHART, FRAGMENT_FILES)
    assert outcome["Secret/g"]["data"] == {"A": "MQ=="}
    outcome = transform(service(kustomize=FRAGMENTS["first in, first out"]), CHART, FRAGMENT_FILES)
    assert outcome.names[0] == "Deployment/web"


def test_patches_of_the_service_come_after_the_fragments(transform: Transform) -> None:
    made = service(kustomize=FRAGMENTS["patches"], patches=(patch("data: {b: service}", kind="ConfigMap"),))
    assert transform.same(made, CHART, FRAGMENT_FILES)["ConfigMap/settings"]["data"]["b"] == "service"


def test_objects_without_a_name_pass_by_in_their_place(transform: Transform) -> None:
    made = service(labels=(("team", "a"),), patches=(patch("spec: {replicas: 2}", kind="Deployment"),))
    outcome = transform.same(made, WEB + JOB + SETTINGS)
    job = "Job with generateName migrate-"
    assert outcome.names == ["ConfigMap/settings", "Deployment/web", job]
    assert outcome[job]["metadata"] == {"generateName": "migrate-", "labels": {"team": "a"}}
    assert transform.same(service(), f"{JOB}---\n{WEB}").names == [job, "Deployment/web"]


LISTS = """\
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: b}}
- apiVersion: v1
  kind: ConfigMapList
  items: [{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}]
---
apiVersion: example.com/v1
kind: AllowList
metadata: {name: mine}
---
{apiVersion: v1, kind: SecretList, items: null}
"""


def test_lists_are_opened(transform: Transform) -> None:
    outcome = transform.same(service(), LISTS)
    assert outcome.names == ["ConfigMap/a", "ConfigMap/b", "AllowList/mine"]


NOTES = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: a
  annotations:
    config.kubernetes.io/path: x
    config.kubernetes.io/origin: "path: y"
    internal.config.kubernetes.io/index: "1"
    number: 5
    truth: true
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: b, annotations: {config.kubernetes.io/local-config: "true"}}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: c, annotations: {config.kubernetes.io/local-config: "false"}}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: d, annotations: {}, labels: {}}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: e, annotations: null}}
"""


def test_what_kustomize_does_to_annotations_is_done_to_all(transform: Transform) -> None:
    outcome = transform.same(service(), NOTES)
    assert outcome.builds == 0
    assert outcome["ConfigMap/a"]["metadata"]["annotations"] == {"number": "5", "truth": "true"}
    assert "ConfigMap/b" not in outcome.names
    assert outcome["ConfigMap/d"]["metadata"] == {"name": "d", "labels": {}}


ORDER = "\n---\n".join(
    f"{{apiVersion: {version}, kind: {kind}, metadata: {{name: {name}{namespace}}}}}"
    for version, kind, name, namespace in [
        ("v1", "Pod", "b", ", namespace: a"),
        ("v1", "Pod", "a", ", namespace: b"),
        ("v1", "Pod", "a", ""),
        ("v1", "Pod", "a-b", ", namespace: a"),
        ("v1", "Namespace", "z", ""),
        ("a.example/v1", "Namespace", "w", ""),
        ("~.example/v1", "Namespace", "x", ""),
        ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "a", ""),
        ("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration", "a", ""),
        ("apps/v1", "Deployment", "a", ""),
        ("apps/v1beta1", "Deployment", "b", ""),
        ("extensions/v1", "Deployment", "c", ""),
        ("zz.example/v1", "Thing", "a", ""),
        ("Zz.example/v1", "Thing", "b", ""),
        ("é.example/v1", "Thing", "c", ""),
        ("batch/v1", "Job", "a", ""),
        ("v1", "Secret", "a", ""),
        ("v1", "ConfigMap", "a", ""),
        ("policy/v1", "PodDisruptionBudget", "a", ""),
        ("a.example/v1", "Service", "a", ""),
        ("v1", "Service", "a", ""),
    ]
)


def test_the_order_is_kustomizes(transform: Transform) -> None:
    outcome = transform.same(service(), ORDER)
    assert outcome.names[:2] == ["Namespace/z", "Namespace/w"]
    assert outcome.names[-1] == "ValidatingWebhookConfiguration/a"


def test_numbers_and_texts_arrive_as_argo_cd_reads_them(transform: Transform) -> None:
    data = (
        '{"apiVersion": "v1", "kind": "X", "metadata": {"name": "a"}, "spec": {"f": 1.50, "e": 1e3, "big": 12345678901234567890,'
        ' "large": 1e21, "small": 1.5e-7, "no": "no", "oct": "0o7", "day": "2020-01-01", "time": "12:30", "is": "=", "null": null,'
        ' "smile": "\U0001f600", "tab": "a\\tb", "merge": "<<", "text": "a  b \\n c\\n", "<": "<a&b>", "y": "y", "nil": [null]}}'
    )
    outcome = transform.same(service(), data)
    changed = transform.same(service(patches=(patch("spec: {x: 'off'}", kind="X"),)), data)
    assert {**outcome["X/a"]["spec"], "x": "off"} == changed["X/a"]["spec"]
    assert outcome["X/a"]["spec"]["e"] == 1000
