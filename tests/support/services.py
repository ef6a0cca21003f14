"""Services made by hand, and trees for them, for tests of what comes after `resolve`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from cmp_plugin.errors import CmpError, Location
from cmp_plugin.fleet.service import Chart, Image, Patch, ResolvedService, Resource
from cmp_plugin.goyaml.load import Document, Node, load_all, load_manifests, node
from cmp_plugin.render.chart import objects_in
from cmp_plugin.render.checks import check, check_objects
from cmp_plugin.render.context import RenderContext
from cmp_plugin.render.kustomize.build import Kustomizer
from cmp_plugin.render.kustomize.references import references_of
from cmp_plugin.render.manifest import Manifest, described, emit
from cmp_plugin.render.render import after_helm
from cmp_plugin.system.files import FileTree
from cmp_plugin.system.process import Deadline
from cmp_plugin.system.workdir import workdir
from cmp_plugin.tools.discovery import Tool

PLACE = Location("services/web/service.yaml")
AT = Location("services/web/service.yaml", 7, 3)


def patch(text: str, *, called: str = "p", optional: bool = False, **target: str) -> Patch:
    """A patch as a spec would hold it: its text stands in patch.yaml, so that places are known."""
    bodies = tuple(load_all(text.encode(), "services/web/patch.yaml"))
    return Patch(called, AT, node(target, AT) if target else None, bodies, optional)


def image(name: str, new_name: str = "", new_tag: str = "", digest: str = "", optional: bool = False) -> Image:
    """An image replacement."""
    return Image(name, AT, new_name, new_tag, digest, optional)


def service(**fields: Any) -> ResolvedService:
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
    return ResolvedService(
        **{**defaults, **fields},
        resources=resources,
        kustomize=node(fragment, AT) if fragment is not None else None,
    )


def chart(path: str) -> Chart:
    """A chart in the repository."""
    return Chart(AT, path=path)


def lay_out(root: Path, files: Mapping[str, str]) -> FileTree:
    """A fleet at `root` with these files below services/ (or at any path that begins with `/`)."""
    for name, text in files.items():
        path = root / (name[1:] if name.startswith("/") else f"services/{name}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (root / "services").mkdir(exist_ok=True)
    return FileTree(os.path.realpath(root), ("/services", "/profiles", "/clusters/one"))


@dataclass(frozen=True)
class Outcome:
    """What a transform made, and how often Kustomize was started for it."""

    manifests: list[Manifest]
    builds: int

    @property
    def names(self) -> list[str]:
        return [described(one.value) for one in self.manifests]

    def __getitem__(self, name: str) -> Any:
        """The value of the object called `Kind/name`."""
        (found,) = [one.value for one in self.manifests if described(one.value) == name]
        return found


class Transform(NamedTuple):
    """The transform with a real Kustomize, on a fleet of a few files."""

    kustomize: str
    root: Path

    def __call__(
        self,
        made: ResolvedService,
        documents: Sequence[Document] | str = "",
        files: Mapping[str, str] = {},
        whole: bool = False,
    ) -> Outcome:
        if isinstance(documents, str):
            documents = load_manifests(documents.encode())
        printed = objects_in(documents)
        with workdir() as directory:
            context = RenderContext(made, lay_out(self.root, files), directory, Deadline(120))
            kustomizer = Kustomizer(context, Tool(self.kustomize, "5.8.2"))
            references = references_of(made, context.tree)
            check_objects(made, printed)
            manifests = after_helm(context, references, printed, kustomizer, everything=whole)
            check(made, manifests)
            return Outcome(manifests, kustomizer.builds)

    def same(
        self, made: ResolvedService, documents: Sequence[Document] | str, files: Mapping[str, str] = {}
    ) -> Outcome:
        """The outcome, after it was compared with the one for which Kustomize saw everything."""
        narrow, full = self(made, documents, files), self(made, documents, files, whole=True)
        assert lines(narrow) == lines(full)
        return narrow

    def error(self, made: ResolvedService, documents: str = "", files: Mapping[str, str] = {}) -> str:
        """The text of the error that it ends with."""
        with pytest.raises(CmpError) as caught:
            self(made, documents, files)
        return str(caught.value)


def lines(outcome: Outcome) -> list[str]:
    """One line an object, as it is emitted."""
    return emit(outcome.manifests).decode().splitlines()
