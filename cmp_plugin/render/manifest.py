"""One object of a render: its value, where it came from, what identifies it, and the stream of all of them.

In: plain values as a reader gave them, so anything may be missing or of the wrong type. Out: facts; the bytes
that Argo CD reads. Raises nothing about an object's content: that is `checks`' matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from ..goyaml.load import dump_json

# What Kustomize's own OpenAPI data calls cluster-scoped (kyaml/openapi 0.21.2,
# precomputedIsNamespaceScoped). Every other kind, known or not, has a namespace.
_CLUSTER_SCOPED = {
    "admissionregistration.k8s.io": "MutatingWebhookConfiguration ValidatingWebhookConfiguration",
    "apiextensions.k8s.io": "CustomResourceDefinition",
    "apiregistration.k8s.io": "APIService",
    "certificates.k8s.io": "CertificateSigningRequest",
    "networking.k8s.io": "IngressClass",
    "node.k8s.io": "RuntimeClass",
    "rbac.authorization.k8s.io": "ClusterRole ClusterRoleBinding",
    "scheduling.k8s.io": "PriorityClass",
    "storage.k8s.io": "CSIDriver CSINode StorageClass VolumeAttachment",
}
_CLUSTER_SCOPED_V1 = "ComponentStatus Namespace Node NodeProxyOptions PersistentVolume".split()
_OTHERS = {
    ("admissionregistration.k8s.io", "v1", "ValidatingAdmissionPolicy"),
    ("admissionregistration.k8s.io", "v1", "ValidatingAdmissionPolicyBinding"),
    ("flowcontrol.apiserver.k8s.io", "v1beta1", "FlowSchema"),
    ("flowcontrol.apiserver.k8s.io", "v1beta1", "PriorityLevelConfiguration"),
    ("policy", "v1beta1", "PodSecurityPolicy"),
}
CLUSTER_SCOPED = frozenset(
    {
        (group, version, kind)
        for group, kinds in _CLUSTER_SCOPED.items()
        for kind in kinds.split()
        for version in ("v1", "v1beta1")
    }
    | {("", "v1", kind) for kind in _CLUSTER_SCOPED_V1}
    | _OTHERS
)

# What Kustomize writes where an object of such a kind would have its namespace.
NOWHERE = "_non_namespaceable_"


class Manifest(NamedTuple):
    """One object. `source`: what an error calls its origin, such as `chart template x.yaml`."""

    value: dict[str, Any]
    source: str


class Identity(NamedTuple):
    """What tells objects apart. Whatever is missing or no string is an empty string."""

    group: str
    version: str
    kind: str
    name: str
    namespace: str

    @property
    def scope(self) -> str:
        """The namespace as Kustomize compares it: none is `default`, cluster-scoped is `NOWHERE`."""
        if self[:3] in CLUSTER_SCOPED:
            return NOWHERE
        return self.namespace or "default"

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


def identity(value: dict[str, Any]) -> Identity:
    """What identifies an object."""
    group, slash, version = text(value, "apiVersion").partition("/")
    if not slash:
        group, version = "", group
    metadata = mapping(value, "metadata")
    return Identity(group, version, text(value, "kind"), text(metadata, "name"), text(metadata, "namespace"))


def described(value: dict[str, Any]) -> str:
    """`Kind/name` for an error; an object without a name goes by its generateName."""
    key = identity(value)
    generated = text(mapping(value, "metadata"), "generateName")
    if not key.name and generated:
        return f"{key.kind} with generateName {generated}"
    return f"{key.kind or 'object without kind'}/{key.name or '?'}"


def is_nameless(value: dict[str, Any]) -> bool:
    """Whether the API server is to make up the name. Kustomize refuses such objects."""
    metadata = mapping(value, "metadata")
    return not metadata.get("name") and bool(text(metadata, "generateName"))


def text(value: dict[str, Any], key: str) -> str:
    """A field that should be a string, else an empty one."""
    child = value.get(key)
    return child if isinstance(child, str) else ""


def mapping(value: dict[str, Any], key: str) -> dict[str, Any]:
    """A field that should be a mapping, else an empty one."""
    child = value.get(key)
    return child if isinstance(child, dict) else {}


def strings(value: dict[str, Any], key: str) -> dict[str, str]:
    """The labels or annotations in a metadata mapping that are strings."""
    return {k: v for k, v in mapping(value, key).items() if isinstance(v, str)}


def is_list(value: dict[str, Any]) -> bool:
    """Whether Kustomize takes this for a list of objects: a kind that ends in `List`, and `items`."""
    return text(value, "kind").endswith("List") and "items" in value


def flatten_lists(manifests: Iterable[Manifest]) -> Iterator[Manifest]:
    """Every object, those inside of lists instead of the lists; a malformed list stays as it is."""
    for manifest in manifests:
        items = manifest.value["items"] or [] if is_list(manifest.value) else None
        if isinstance(items, list) and all(isinstance(item, dict) for item in items):
            yield from flatten_lists(Manifest(item, manifest.source) for item in items)
        else:
            yield manifest


def emit(manifests: Iterable[Manifest]) -> bytes:
    """The stream: one line an object in their order, compact JSON, sorted keys, UTF-8, a newline at each end."""
    return "".join(f"{dump_json(manifest.value)}\n" for manifest in manifests).encode()
