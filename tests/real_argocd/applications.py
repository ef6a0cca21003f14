"""The Applications of a cluster as `generate` makes them, and what repo-server adds to objects."""

from __future__ import annotations

import json
from typing import Any

from cmp_server import Application

TRACKING = "argocd.argoproj.io/tracking-id"
PATHS = "argocd.argoproj.io/manifest-generate-paths"


def as_application(generated: dict[str, Any]) -> Application:
    """A generated Application as what the tests send to repo-server."""
    source = generated["spec"]["source"]
    parameters = {each["name"]: each["string"] for each in source["plugin"].get("parameters", [])}
    return Application(
        name=generated["metadata"]["name"],
        path=source["path"],
        parameters=parameters,
        namespace=generated["spec"]["destination"].get("namespace", ""),
        paths=generated["metadata"]["annotations"].get(PATHS, ""),
    )


def normalised(manifests: list[str]) -> list[Any]:
    """Parsed objects without the annotation by which Argo CD finds what belongs to an Application."""
    objects = [json.loads(each) for each in manifests]
    for each in objects:
        annotations = each["metadata"].get("annotations", {})
        annotations.pop(TRACKING, None)
        if not annotations:
            each["metadata"].pop("annotations", None)
    return objects
