"""Whatever patches, images, metadata and resources do, Kustomize need not see the rest.

Generated mixtures on objects of real charts: the transform's bytes with what Kustomize must see are
those with everything.
"""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from program import CHECKOUT

from cmp_plugin.errors import CmpError
from cmp_plugin.goyaml.load import Document, dump_json, load_manifests
from cmp_plugin.render.manifest import Manifest, identity
from services import Transform, image, patch, service

REAL = Path(CHECKOUT, "..", "shared", "real")
CHARTS = [
    "cert-manager-v1.21.1",
    "cni-1.30.3",
    "crossplane-2.3.4",
    "ingress-nginx-4.15.1",
    "istiod-1.30.3",
    "sealed-secrets-2.18.5",
]

pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason="the real charts' output is not beside the checkout")


# What a patch of another object reaches into: references without a namespace.
REFERENCES = """
apiVersion: v1
kind: ServiceAccount
metadata: {name: referred, namespace: here}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: referring}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: x}
subjects: [{kind: ServiceAccount, name: referred}, {kind: ServiceAccount, name: plain}]
---
apiVersion: v1
kind: Service
metadata: {name: referred, namespace: here}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: referring}
webhooks: [{name: a, clientConfig: {service: {name: referred}}}]
---
apiVersion: batch/v1
kind: Job
metadata: {generateName: nameless-}
"""


def documents(chart: str) -> list[Document]:
    """The chart's objects without its definitions: they are large, and the same to Kustomize."""
    printed = load_manifests(gzip.decompress((REAL / chart / "manifests.yaml.gz").read_bytes()))
    kept = [one for one in printed if one.value["kind"] != "CustomResourceDefinition"]
    return [*kept[::2], *load_manifests(REFERENCES.encode()), *kept[1::2]]


OBJECTS = {chart: documents(chart) for chart in CHARTS} if REAL.is_dir() else {}

FILES = {
    "web/file.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: from-file}\ndata: {yes: no}\n",
    "web/plain/kustomization.yaml": "resources: [a.yaml]\ncommonAnnotations: {plain: dir}\n"
    "generatorOptions: {disableNameSuffixHash: true}\nconfigMapGenerator: [{name: generated, literals: [a=b]}]\n",
    "web/plain/a.yaml": "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: plain}\n",
    "web/spaced/kustomization.yaml": "resources: [a.yaml]\nnamespace: kube-system\n",
    "web/spaced/a.yaml": "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: cert-manager-webhook}\n---\n"
    "apiVersion: v1\nkind: Service\nmetadata: {name: istiod}\n",
    "web/named/kustomization.yaml": "configMapGenerator: [{name: istio, literals: [a=b]}, {name: rel-crossplane, literals: [a=b]}]\n",
}
RESOURCES = ["/services/web/file.yaml", "/services/web/plain", "/services/web/spaced", "/services/web/named"]
BODIES = [
    "metadata: {labels: {added: x}}",
    "metadata: {annotations: {added: x}}",
    "spec: {replicas: 3}",
    "spec: {template: {spec: {containers: [{name: added, image: added}]}}}",
    "$patch: delete",
]
OPERATIONS = [
    "[{op: add, path: /metadata/annotations, value: {a: b}}]",
    "[{op: add, path: /metadata/labels, value: {app: all}}]",
    "[{op: add, path: /spec, value: {replaced: true}}]",
    "[{op: test, path: /kind, value: Service}, {op: remove, path: /metadata/labels}]",
    "[{op: replace, path: /metadata/name, value: renamed}]",
]


@st.composite
def target(draw: st.DrawFn, objects: list[Document]) -> dict[str, str]:
    """What selects one object that is there, or all of a kind, or by a label."""
    found = identity(value := draw(st.sampled_from(objects)).value)
    labels = list((value["metadata"].get("labels") or {}).items())
    choices = [
        {"kind": found.kind},
        {"kind": found.kind, "name": found.name},
        {"name": found.name[:4] + ".*"},
        {"group": found.group or "apps", "version": "v1", "kind": found.kind + "|Service"},
        *([{"labelSelector": f"{key}={text}"} for key, text in labels[:3]]),
        *([{"namespace": found.namespace, "kind": "Service.*"}] if found.namespace else []),
    ]
    return draw(st.sampled_from(choices))


@st.composite
def mixture(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    chart = draw(st.sampled_from(CHARTS))
    objects = OBJECTS[chart]
    patches = []
    for number in range(draw(st.integers(0, 3))):
        text = draw(st.sampled_from(BODIES + OPERATIONS))
        patches.append(patch(text, called=f"p{number}", optional=draw(st.booleans()), **draw(target(objects))))
    names = draw(
        st.lists(
            st.sampled_from([".*/crossplane", "docker.io/istio/.*", "added", ".*cert-manager.*", "nothing"]),
            max_size=2,
            unique=True,
        )
    )
    resources = draw(st.lists(st.sampled_from(RESOURCES), max_size=2, unique=True))
    return chart, {
        "patches": tuple(patches),
        "images": tuple(image(name, new_tag="new", optional=True) for name in names),
        "resources": resources,
        "labels": draw(st.sampled_from([(), (("team", "a"), ("app", "over"))])),
        "annotations": draw(st.sampled_from([(), (("note", "b"),)])),
    }


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn=mixture())
def test_the_rest_may_pass_by(kustomize: str, tmp_path: Path, drawn: tuple[str, dict[str, Any]]) -> None:
    chart, fields = drawn
    transform, made = Transform(kustomize, tmp_path), service(**fields)
    try:
        narrow = transform(made, OBJECTS[chart], FILES)
    except CmpError as error:
        with pytest.raises(CmpError) as caught:
            transform(made, OBJECTS[chart], FILES, whole=True)
        assert str(caught.value) == str(error)
        return
    full = transform(made, OBJECTS[chart], FILES, whole=True)
    assert narrow.builds <= full.builds
    assert [text(one) for one in narrow.manifests] == [text(one) for one in full.manifests]


def text(manifest: Manifest) -> str:
    return dump_json(manifest.value)
