"""The order in which `kustomize build` prints objects, for those that never went through it.

In: manifests. Out: the same ones, ordered. The rule is Kustomize 5.8's default, "legacy" (api
0.21.2, SortOrderTransformer): some kinds first, some last, the rest by group, version, kind,
namespace and name, compared as text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...fleet.service import ResolvedService
from ..manifest import Identity, Manifest, identity, is_nameless
from .metadata import with_metadata

_FIRST = (
    "Namespace ResourceQuota StorageClass CustomResourceDefinition ServiceAccount PodSecurityPolicy "
    "Role ClusterRole RoleBinding ClusterRoleBinding ConfigMap Secret Endpoints Service LimitRange "
    "PriorityClass PersistentVolume PersistentVolumeClaim Deployment StatefulSet CronJob "
    "PodDisruptionBudget"
).split()
_LAST = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
_RANK = {kind: position - len(_FIRST) for position, kind in enumerate(_FIRST)}
_RANK |= {kind: 1 + position for position, kind in enumerate(_LAST)}


def key(current: Identity) -> tuple[int, str, str]:
    """What Kustomize sorts an object by."""
    type_text = f"{current.group or '~G'}_{current.version or '~V'}_{current.kind or '~K'}"
    if current.kind == "Namespace" and not current.group:
        type_text = ""  # the real Namespace comes before other groups' ones
    return _RANK.get(current.kind, 0), type_text, f"{current.namespace or '~X'}|{current.name or '~N'}"


def ordered(manifests: Iterable[Manifest]) -> list[Manifest]:
    """`manifests` as `kustomize build` would print them."""
    return sorted(manifests, key=lambda manifest: key(identity(manifest.value)))


def with_nameless(objects: Sequence[Manifest], printed: Sequence[Manifest], service: ResolvedService) -> list[Manifest]:
    """`objects`, and among them those without a name, which Kustomize refuses, with the service's metadata.

    `printed` is the chart's output. An object without a name follows the last one printed before it that is
    still there.
    """
    positions = {identity(manifest.value): position for position, manifest in enumerate(objects)}
    after: dict[int, list[Manifest]] = {}
    position = -1
    for manifest in printed:
        if is_nameless(manifest.value):
            after.setdefault(position, []).extend(with_metadata([manifest], service))
        else:
            position = positions.get(identity(manifest.value), position)
    merged = list(after.get(-1, []))
    for position, manifest in enumerate(objects):
        merged += [manifest, *after.get(position, [])]
    return merged
