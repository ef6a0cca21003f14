"""What becomes of every object's metadata at the end of a build, done here for what passes by.

In: an object. Out: the same object as Kustomize would have left it (api 0.21.2, krusty.Run and
resmap.RemoveBuildAnnotations): the service's labels and annotations added, Kustomize's notes to itself
removed, annotations as text. Changes no object it is given.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from ...fleet.service import ResolvedService
from ..manifest import Manifest, mapping

_LOCAL = "config.kubernetes.io/local-config"
_NOTES = {
    *("config.kubernetes.io/index", "config.kubernetes.io/path", "config.k8s.io/id"),
    *("config.kubernetes.io/origin", "alpha.config.kubernetes.io/transformations"),
    *(
        f"internal.config.kubernetes.io/{name}"
        for name in (
            "previousKinds previousNames previousNamespaces prefixes suffixes allowNameChange "
            "allowKindChange refBy generatorBehavior needsHashSuffix path index seqindent id "
            "annotations-migration-resource-id helm-generated"
        ).split()
    ),
}
# Notes that would make Kustomize act: a chart has no business to write them.
COMMANDS = {
    f"internal.config.kubernetes.io/{name}"
    for name in "previousKinds previousNames previousNamespaces prefixes suffixes needsHashSuffix".split()
}


def finished(manifests: Iterable[Manifest], service: ResolvedService, add: bool) -> Iterator[Manifest]:
    """Objects as a build leaves them, without those that are local configuration only.

    `add`: the service's labels and annotations are still to be added.
    """
    labels, annotations = (service.labels, service.annotations) if add else ((), ())
    for manifest in manifests:
        metadata = dict(mapping(manifest.value, "metadata"))
        if labels:
            metadata["labels"] = {**mapping(metadata, "labels"), **dict(labels)}
        notes = {**mapping(metadata, "annotations"), **dict(annotations)}
        if notes.get(_LOCAL, "false") != "false":
            continue
        metadata.pop("annotations", None)
        kept = {key: _text(value) for key, value in notes.items() if key not in _NOTES}
        if kept:
            metadata["annotations"] = kept
        yield Manifest({**manifest.value, "metadata": metadata}, manifest.source)


def _text(value: Any) -> str:
    """An annotation's value: what is no text becomes its JSON, as the API server takes only text."""
    return value if isinstance(value, str) else json.dumps(value)
