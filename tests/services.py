"""Services made by hand, and trees for them, for tests of what comes after `resolve`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cmp_plugin.errors import Location
from cmp_plugin.service import Chart, Image, Patch, Resource, Service
from cmp_plugin.tree import Tree
from cmp_plugin.yamlfile import Node, load_all, node

PLACE = Location("services/web/service.yaml")
AT = Location("services/web/service.yaml", 7, 3)


def patch(text: str, name: str = "p", lenient: bool = False, **target: str) -> Patch:
    """A patch as a spec would hold it: its text stands in patch.yaml, so that places are known."""
    bodies = tuple(load_all(text.encode(), "services/web/patch.yaml"))
    return Patch(name, AT, node(target, AT) if target else None, bodies, lenient)


def image(name: str, new_name: str = "", new_tag: str = "", digest: str = "", lenient: bool = False) -> Image:
    """An image replacement."""
    return Image(name, AT, new_name, new_tag, digest, lenient)


def service(**fields: Any) -> Service:
    """The service `web` on the cluster `one`, empty but for `fields`."""
    resources = tuple(Resource(path, AT) for path in fields.pop("resources", ()))
    fragment = fields.pop("kustomize", None)
    defaults: dict[str, Any] = {
        "cluster": "one",
        "name": "web",
        "entry": "web",
        "at": PLACE,
        "namespace": "web",
        "release": "web",
        "chart": None,
        "include_crds": True,
        "skip_tests": True,
        "values": Node({}, AT),
        "appends": (),
        "patches": (),
        "images": (),
        "labels": (),
        "annotations": (),
        "allow": frozenset(),
        "kube_version": "1.34.0",
        "api_versions": (),
        "helm_range": "~4.3",
        "kustomize_range": "~5.8",
        "tools_strict": True,
    }
    return Service(
        **{**defaults, **fields},
        resources=resources,
        kustomize=node(fragment, AT) if fragment is not None else None,
    )


def chart(path: str) -> Chart:
    """A chart in the repository."""
    return Chart(AT, path=path)


def lay_out(root: Path, files: Mapping[str, str]) -> Tree:
    """A fleet at `root` with these files below services/ (or at any path that begins with `/`)."""
    for name, text in files.items():
        path = root / (name[1:] if name.startswith("/") else f"services/{name}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (root / "services").mkdir(exist_ok=True)
    return Tree(os.path.realpath(root), ("/services", "/profiles", "/clusters/one"))
