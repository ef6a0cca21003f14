"""The order in which `kustomize build` prints objects, for those that never went through it.

In: manifests. Out: the same ones, ordered. The rule is Kustomize 5.8's default, "legacy" (api
0.21.2, SortOrderTransformer): some kinds first, some last, the rest by group, version, kind,
namespace and name, compared as text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..manifest import Identity, Manifest, identity

_FIRST = (
    "Namespace ResourceQuota StorageClass CustomResourceDefinition ServiceAccount PodSecurityPolicy "
    "Role ClusterRole RoleBinding ClusterRoleBinding ConfigMap Secret Endpoints Service LimitRange "
    "PriorityClass PersistentVolume PersistentVolumeClaim Deployment StatefulSet CronJob "
    "PodDisruptionBudget"
).split()
_LAST = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
_RANK = {kind: place - len(_FIRST) for place, kind in enumerate(_FIRST)}
_RANK |= {kind: 1 + place for place, kind in enumerate(_LAST)}


def key(found: Identity) -> tuple[int, str, str]:
    """What Kustomize sorts an object by."""
    type_text = f"{found.group or '~G'}_{found.version or '~V'}_{found.kind or '~K'}"
    if found.kind == "Namespace" and not found.group:
        type_text = ""  # the real Namespace comes before other groups' ones
    return _RANK.get(found.kind, 0), type_text, f"{found.namespace or '~X'}|{found.name or '~N'}"


def ordered(manifests: Iterable[Manifest]) -> list[Manifest]:
    """`manifests` as `kustomize build` would print them."""
    return sorted(manifests, key=lambda manifest: key(identity(manifest.value)))


def with_nameless(objects: Sequence[Manifest], printed: Sequence[tuple[Identity | None, Manifest]]) -> list[Manifest]:
    """`objects`, and among them what Kustomize refuses, each in its place in the chart's output.

    `printed` is that output in order, with the identity of every object that went on and None for
    those without a name. Such an object follows the last one printed before it that is still there.
    """
    places = {identity(manifest.value): place for place, manifest in enumerate(objects)}
    after: dict[int, list[Manifest]] = {}
    place = -1
    for found, manifest in printed:
        if found is None:
            after.setdefault(place, []).append(manifest)
        else:
            place = places.get(found, place)
    merged = list(after.get(-1, []))
    for place, manifest in enumerate(objects):
        merged += [manifest, *after.get(place, [])]
    return merged
