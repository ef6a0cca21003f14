"""Which two objects are the same for the API server: the rule of the checks, `validate`, `diff`, `explain`, `import`.

In: objects as plain values, the namespace of those that name none, what CustomResourceDefinitions say of
custom kinds. Out: keys, equal exactly when the objects are the same: group, kind, namespace where the kind has
one, name; never the version. Kustomize tells objects apart by another rule, see `manifest.Identity`. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

from .manifest import CLUSTER_SCOPED, identity, mapping, text

Owner = TypeVar("Owner")
# (group, kind) -> whether objects of a custom kind are in no namespace.
Scopes = Mapping[tuple[str, str], bool]

# Kubernetes' own kinds without a namespace: those that Kustomize knows, in any version, and those that it does not
# (k8s.io/api 0.37.2, `+genclient:nonNamespaced`, but for reviews, which are never stored).
_CLUSTER_SCOPED = {(group, kind) for group, _, kind in CLUSTER_SCOPED} | {
    (group, kind)
    for group, kinds in {
        "admissionregistration.k8s.io": "MutatingAdmissionPolicy MutatingAdmissionPolicyBinding",
        "certificates.k8s.io": "ClusterTrustBundle",
        "networking.k8s.io": "IPAddress ServiceCIDR",
        "resource.k8s.io": "DeviceClass DeviceTaintRule ResourcePoolStatusRequest ResourceSlice",
        "storage.k8s.io": "VolumeAttributesClass",
        "storagemigration.k8s.io": "StorageVersionMigration",
    }.items()
    for kind in kinds.split()
}
# Kinds that Kubernetes once served from two groups, the same objects from both: the group that is left (as in Argo CD,
# gitops-engine's obsoleteExtensionsKinds, and Ingress).
_MOVED = {
    ("extensions", "DaemonSet"): "apps",
    ("extensions", "Deployment"): "apps",
    ("extensions", "ReplicaSet"): "apps",
    ("extensions", "Ingress"): "networking.k8s.io",
    ("extensions", "NetworkPolicy"): "networking.k8s.io",
    ("extensions", "PodSecurityPolicy"): "policy",
}
# A heuristic: nearly all custom kinds of such a name have no namespace (ClusterIssuer, ClusterSecretStore), which is
# taken for granted when no CustomResourceDefinition is there to tell. The exceptions are Cluster API's and OLM's.
_SOUNDS_CLUSTER_SCOPED = re.compile(r"Cluster(?!(Class|ResourceSet|ResourceSetBinding|ServiceVersion)$)[A-Z]")


class Key(NamedTuple):
    """What makes two objects the same one. Without a name, `name` is its generateName and `*`."""

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


def scopes_of(objects: Iterable[dict[str, Any]]) -> Scopes:
    """What the CustomResourceDefinitions among `objects` say of their kinds."""
    specs = [mapping(value, "spec") for value in objects if value.get("kind") == "CustomResourceDefinition"]
    return {
        (text(spec, "group"), text(mapping(spec, "names"), "kind")): spec.get("scope") == "Cluster" for spec in specs
    }


def key_of(value: dict[str, Any], namespace: str, scopes: Scopes) -> Key:
    """The key of an object; `namespace` is what its service is applied to."""
    group, _, kind, name, own = identity(value)
    group = _MOVED.get((group, kind), group)
    cluster_scoped = (group, kind) in _CLUSTER_SCOPED or scopes.get(
        (group, kind), not own and bool(_SOUNDS_CLUSTER_SCOPED.match(kind))
    )
    name = name or f"{text(mapping(value, 'metadata'), 'generateName')}*"
    return Key(group, kind, "" if cluster_scoped else own or namespace, name)


def duplicates(
    objects: Iterable[tuple[Owner, dict[str, Any], str]], scopes: Scopes
) -> Iterator[tuple[Key, Owner, Owner]]:
    """Each object that was there before, with the owners of the first one and of this one.

    `objects`: owner, value, namespace of those that name none. What has no kind or no name yet is no duplicate.
    """
    owners: dict[Key, Owner] = {}
    for owner, value, namespace in objects:
        key = key_of(value, namespace, scopes)
        if key in owners and key.kind and identity(value).name:
            yield key, owners[key], owner
        owners.setdefault(key, owner)
