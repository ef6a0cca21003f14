"""What becomes of every object's metadata at the end of a build, done here for what passes by.

In: an object. Out: the same object as Kustomize would have left it (api 0.21.2, krusty.Run and
resmap.RemoveBuildAnnotations): the service's labels and annotations added, Kustomize's notes to itself
removed, annotations as text. Changes no object it is given.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

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


def with_metadata(manifests: Iterable[Manifest], service: ResolvedService) -> Iterator[Manifest]:
    """Objects as a build with the service's labels and annotations leaves them.

    Those that are local configuration only are left out.
    """
    for manifest in manifests:
        metadata = dict(mapping(manifest.value, "metadata"))
        if service.labels:
            metadata["labels"] = {**mapping(metadata, "labels"), **dict(service.labels)}
        annotations = {**mapping(metadata, "annotations"), **dict(service.annotations)}
        if annotations.get(_LOCAL, "false") != "false":
            continue
        metadata.pop("annotations", None)
        # What is not text becomes its JSON: the API server takes only text.
        kept = {
            key: value if isinstance(value, str) else json.dumps(value)
            for key, value in annotations.items()
            if key not in _NOTES
        }
        if kept:
            metadata["annotations"] = kept
        yield Manifest({**manifest.value, "metadata": metadata}, manifest.source)
