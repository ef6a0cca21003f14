"""One service on one cluster, resolved: everything a render is made of besides files.

Comes out of `resolve`, goes into `render`. Paths are canonical: fleet-relative with a leading `/`,
already checked to be allowed; `FileTree` reads them. All strings are interpolated. Frozen.
"""

from __future__ import annotations

from typing import NamedTuple

from ..errors import Location
from ..goyaml.load import Node


class Chart(NamedTuple):
    """Where a chart comes from: `path`, or `repo` with `name`, or `oci`; `version` for the last two."""

    at: Location
    path: str = ""
    repo: str = ""
    name: str = ""
    oci: str = ""
    version: str = ""


class Append(NamedTuple):
    """`key+` in values whose base is the chart's own list: items to add at `path` (keys)."""

    path: tuple[str, ...]
    items: Node
    at: Location


class Patch(NamedTuple):
    """One named patch. `bodies` holds mappings (strategic merge) or a single list (JSON6902).

    `optional`: matching nothing is no error (the spec says `optional`, or it stands in `defaults` and no higher
    layer mentions it). `target` is the selector as written, or None.
    """

    name: str
    at: Location
    target: Node | None
    bodies: tuple[Node, ...]
    optional: bool

    @property
    def is_json6902(self) -> bool:
        """Whether it is a list of operations, and not a partial object."""
        return len(self.bodies) == 1 and isinstance(self.bodies[0].value, list)


class Image(NamedTuple):
    """Replace image `name` (Kustomize's `images`); empty strings are unset."""

    name: str
    at: Location
    new_name: str
    new_tag: str
    digest: str
    optional: bool


class Resource(NamedTuple):
    """A kustomize directory or a YAML file added to the chart's output."""

    path: str
    at: Location


class ResolvedService(NamedTuple):
    """What one render is made of. `name` is the key on the cluster, `entry` the catalogue's name."""

    cluster: str
    name: str
    entry: str
    at: Location
    namespace: str
    release: str
    chart: Chart | None
    include_crds: bool
    skip_tests: bool
    values: Node
    appends: tuple[Append, ...]
    resources: tuple[Resource, ...]
    kustomize: Node | None
    patches: tuple[Patch, ...]
    images: tuple[Image, ...]
    labels: tuple[tuple[str, str], ...]
    annotations: tuple[tuple[str, str], ...]
    allow: frozenset[str]
    kube_version: str
    api_versions: tuple[str, ...]
    helm_range: str
    kustomize_range: str
    tools_strict: bool
    mirrors: tuple[tuple[str, str], ...] = ()
    lock_optional: bool = False

    @property
    def label(self) -> str:
        """`cluster/service`, for errors."""
        return f"{self.cluster}/{self.name}"

    @property
    def directory(self) -> str:
        """The canonical directory of its entry in the catalogue."""
        return f"/services/{self.entry}"
