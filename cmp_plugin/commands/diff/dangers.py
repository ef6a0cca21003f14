"""What of a change deserves a second look: data that goes, what Kubernetes refuses, what stops working.

In: one object's change, as `render.compare` gives it. Out: sentences with a rank. The rules are Kubernetes'
own (validation of updates in k8s.io/kubernetes pkg/apis) and Argo CD's (what is pruned, what is kept).
Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ...render.compare import ABSENT, ADDED, CHANGED, REMOVED, Change, Field
from ...render.manifest import mapping, strings

LOSS, REFUSED, LOOK = 0, 1, 2
_SYNC_OPTIONS = "argocd.argoproj.io/sync-options"
_HOOKS = ("argocd.argoproj.io/hook", "helm.sh/hook")


class Danger(NamedTuple):
    """`rank`: LOSS, REFUSED or LOOK. `kind`: a word for machines. `text`: goes on after the object's name."""

    rank: int
    kind: str
    text: str


_GONE = {
    ("", "Namespace"): "is deleted with everything in it",
    ("", "PersistentVolumeClaim"): "is deleted, and its data with it unless the volume is retained",
    ("", "PersistentVolume"): "is deleted",
    ("apiextensions.k8s.io", "CustomResourceDefinition"): "is deleted with every object of its kind",
    ("apps", "StatefulSet"): "is deleted",
    ("argoproj.io", "AppProject"): "is deleted",
}

# (group, kind) -> fields that cannot be changed.
_IMMUTABLE: dict[tuple[str, str], tuple[str, ...]] = {
    ("apps", "Deployment"): ("spec.selector",),
    ("apps", "DaemonSet"): ("spec.selector",),
    ("apps", "ReplicaSet"): ("spec.selector",),
    ("batch", "Job"): ("spec.template", "spec.selector", "spec.completionMode"),
    ("", "PersistentVolume"): ("spec.csi", "spec.nfs", "spec.hostPath", "spec.local"),
    ("storage.k8s.io", "StorageClass"): ("provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"),
    ("storage.k8s.io", "VolumeAttributesClass"): ("driverName", "parameters"),
    ("rbac.authorization.k8s.io", "RoleBinding"): ("roleRef",),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): ("roleRef",),
    ("scheduling.k8s.io", "PriorityClass"): ("value", "preemptionPolicy"),
    ("node.k8s.io", "RuntimeClass"): ("handler",),
    ("networking.k8s.io", "IngressClass"): ("spec.controller",),
    ("", "Service"): ("spec.clusterIP", "spec.clusterIPs[0]", "spec.loadBalancerClass", "spec.healthCheckNodePort"),
    ("", "Secret"): ("type",),
    ("apiextensions.k8s.io", "CustomResourceDefinition"): (
        "spec.scope",
        "spec.group",
        "spec.names.kind",
        "spec.names.plural",
    ),
}
# Where all of `spec` is fixed but for these.
_MUTABLE: dict[tuple[str, str], tuple[str, ...]] = {
    ("apps", "StatefulSet"): (
        *("spec.replicas", "spec.ordinals", "spec.template", "spec.updateStrategy", "spec.minReadySeconds"),
        *("spec.revisionHistoryLimit", "spec.persistentVolumeClaimRetentionPolicy"),
    ),
    ("", "PersistentVolumeClaim"): ("spec.resources.requests", "spec.volumeAttributesClassName"),
}
_SCALED = {("apps", "Deployment"), ("apps", "StatefulSet"), ("apps", "ReplicaSet")}
_QUANTITY = re.compile(r"([0-9.]+)([KMGTPE]i?|k|)")
_POWERS = {"": 1, **{letter: 1000 ** (n + 1) for n, letter in enumerate("kMGTPE")}, "K": 1000}
_POWERS |= {f"{letter}i": 1024 ** (n + 1) for n, letter in enumerate("KMGTPE")}


def dangers(change: Change) -> list[Danger]:
    """What to say about a change, loudest first."""
    if change.change == ADDED:
        return []
    if change.change == REMOVED:
        if is_kept(change.before or {}):
            return [Danger(LOOK, "kept", "is no longer rendered; its annotation keeps it in the cluster")]
        kind = change.key[:2]
        return [Danger(LOSS if kind in _GONE else REFUSED, "deleted", _GONE.get(kind, "is deleted"))]
    return sorted({*_refused(change), *_of_kind(change)})


def is_kept(value: Mapping[str, Any]) -> bool:
    """Whether an annotation tells Argo CD not to prune the object."""
    annotations = strings(mapping(dict(value), "metadata"), "annotations")
    return annotations.get("helm.sh/resource-policy") == "keep" or "Prune=false" in _sync_options(annotations)


def _sync_options(annotations: Mapping[str, str]) -> list[str]:
    return [option.strip() for option in annotations.get(_SYNC_OPTIONS, "").split(",")]


def _refused(change: Change) -> Iterator[Danger]:
    """Fields that no update may change."""
    annotations = strings(mapping(dict(change.after or {}), "metadata"), "annotations")
    if any(hook in annotations for hook in _HOOKS):
        return  # deleted and made anew at every sync
    options = _sync_options(annotations)
    replaced = "Replace=true" in options and "Force=true" in options
    for path in dict.fromkeys(filter(None, (_fixed(field, change) for field in change.fields))):
        if replaced:
            yield Danger(LOOK, "replaced", f"is deleted and made anew, as {path} changes")
        else:
            yield Danger(REFUSED, "immutable", f"cannot change {path}: Kubernetes refuses it, delete the object first")


def _fixed(field: Field, change: Change) -> str:
    """The fixed field that `field` is or lies in, or an empty string."""
    kind, path = change.key[:2], field.path
    # What the API server has filled in itself is not known here: only a change of a written value is one.
    filled_in = kind == ("", "Service") and field.change != CHANGED
    for fixed in _IMMUTABLE.get(kind, ()):
        if _lies_in(path, fixed) and not filled_in:
            return fixed
    if kind in _MUTABLE and path.startswith("spec.") and not any(_lies_in(path, free) for free in _MUTABLE[kind]):
        return ".".join(path.split(".")[:2]).partition("[")[0]
    if kind in (("", "Secret"), ("", "ConfigMap")) and (change.before or {}).get("immutable") is True:
        return path if path.startswith(("data", "binaryData", "immutable")) else ""
    return ""


def _lies_in(path: str, fixed: str) -> bool:
    return path == fixed or (path.startswith(fixed) and path[len(fixed)] in ".[")


def _of_kind(change: Change) -> Iterator[Danger]:
    kind = change.key[:2]
    for field in change.fields:
        if kind == ("apiextensions.k8s.io", "CustomResourceDefinition"):
            yield from _of_definition(field)
        elif kind == ("", "Service") and field.path == "spec.type":
            yield Danger(LOOK, "service-type", f"becomes another type: {_told(field)}")
        elif kind in _SCALED and field.path == "spec.replicas" and field.after == 0:
            yield Danger(LOOK, "scaled-to-zero", "is scaled to nothing")
        elif (
            kind == ("", "PersistentVolumeClaim")
            and field.path == "spec.resources.requests.storage"
            and _shrinks(field)
        ):
            yield Danger(REFUSED, "immutable", "cannot shrink: Kubernetes refuses it")
        elif kind == ("argoproj.io", "Application"):
            yield from _of_application(field)


def _of_definition(field: Field) -> Iterator[Danger]:
    """Versions of a CustomResourceDefinition."""
    if field.steps[:2] != ("spec", "versions") or len(field.steps) < 3:
        return
    version = field.steps[2].strip("[]")
    if len(field.steps) == 3 and field.change == REMOVED:
        yield Danger(LOSS, "crd-version", f"no longer has version {version}")
    elif field.steps[3:] == ("served",) and field.after is not True:
        yield Danger(LOSS, "crd-version", f"no longer serves version {version}")
    elif field.steps[3:] == ("storage",) and field.after is True:
        yield Danger(LOOK, "crd-storage", f"stores its objects as {version} from now on")


def _of_application(field: Field) -> Iterator[Danger]:
    if field.path in ("spec.destination.name", "spec.destination.server"):
        yield Danger(REFUSED, "destination", "goes to another cluster; what it made on the old one stays there")
    elif field.path == "metadata.name":
        yield Danger(REFUSED, "renamed", "gets another name: the old Application is deleted with its objects")
    elif field.path == "spec.project":
        yield Danger(LOOK, "project", f"moves to another project: {_told(field)}")


def _told(field: Field) -> str:
    before, after = ("not set" if value is ABSENT else str(value) for value in (field.before, field.after))
    return f"{before} -> {after}"


def _shrinks(field: Field) -> bool:
    """Whether a quantity becomes smaller; no for what is not a quantity."""
    sizes: list[float] = []
    for quantity in (field.before, field.after):
        match = _QUANTITY.fullmatch(str(quantity))
        if not match or match[1].count(".") > 1:
            return False
        sizes.append(float(match[1]) * _POWERS[match[2]])
    return sizes[1] < sizes[0]
