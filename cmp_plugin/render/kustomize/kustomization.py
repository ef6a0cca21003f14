"""A service as one kustomization: the value of a kustomization.yaml, and which files it needs.

In: a resolved service, and where its files and directories can be found from the kustomization. Out:
plain data. A render and `expand` both build on it; they differ in where things lie.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from ...errors import Location
from ...fleet.service import Image, ResolvedService
from ...goyaml.load import Node, dump_values, plain
from ...specs.kustomization_fields import FIELDS, GENERATORS, with_paths
from ...system.files import FileTree
from ..manifest import Manifest
from .patches import PLACEHOLDER, Entry
from .references import keeps_names

VERSION = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}


class Naming(NamedTuple):
    """How the kustomization names a file and a directory, given by canonical path, and where that is written."""

    file: Callable[[str, Location], str]
    directory: Callable[[str, Location], str]
    is_directory: Callable[[str], bool]


def has_fragment(service: ResolvedService) -> bool:
    """Whether there is a kustomization fragment with anything in it."""
    return bool(_fields(service.kustomize))


def is_directory_alone(service: ResolvedService, printed: Sequence[Manifest], tree: FileTree) -> bool:
    """Whether the service is a kustomization and nothing else, to be built as it is."""
    more = printed or service.chart or has_fragment(service) or service.patches or service.images
    return not more and len(service.resources) == 1 and tree.is_dir(service.resources[0].path)


def changes_everything(service: ResolvedService) -> bool:
    """Whether the fragment could change any object, so that Kustomize must see all of them."""
    fields = _fields(service.kustomize)
    adds_only = all(FIELDS[key].is_local and FIELDS[key].stage in ("about", "adds") for key in fields)
    options = plain(fields["generatorOptions"]) if "generatorOptions" in fields else {}
    return not (adds_only and keeps_names(_generators(fields), options))


def adds_to_objects(service: ResolvedService) -> bool:
    """Whether a generator of the fragment merges into, or replaces, an object of the chart."""
    return any(
        generator.get("behavior") in ("merge", "replace") for generator in _generators(_fields(service.kustomize))
    )


def _generators(fields: dict[str, Node]) -> list[dict[str, Any]]:
    return [plain(item) for name in GENERATORS if name in fields for item in fields[name].elements()]


def fragment_namespace(service: ResolvedService) -> bool:
    """Whether the fragment has a `namespace` field."""
    return "namespace" in _fields(service.kustomize)


def acts_before_patches(service: ResolvedService) -> bool:
    """Whether the fragment adds or changes objects that the service's patches then meet."""
    return any(FIELDS[key].stage in ("adds", "before") for key in _fields(service.kustomize))


def kustomization(
    service: ResolvedService,
    naming: Naming,
    *,
    objects: Sequence[str] = (),
    entries: Iterable[Entry] = (),
    late: bool = True,
    metadata: bool = False,
    images: Iterable[str] = (),
) -> dict[str, Any]:
    """The value of kustomization.yaml: `objects` (files of ours), resources, fragment, patches.

    `late`: with what Kustomize does after patches; `metadata`: with the service's labels and
    annotations; `images`: the names of those images of the service to replace.
    """
    fragment = {
        key: plain(with_paths(key, node, lambda path: path.with_value(_resource(str(path.value), path.at, naming))))
        for key, node in _fields(service.kustomize).items()
        if late or FIELDS[key].stage not in ("after", "prints")
    }
    names = set(images)
    labels = {"pairs": dict(service.labels), "includeSelectors": False, "includeTemplates": False}
    added: dict[str, list[Any]] = {
        "resources": [*objects, *(_resource(resource.path, resource.at, naming) for resource in service.resources)],
        "patches": [patch_entry(entry) for entry in entries],
        "images": [_image_entry(image) for image in service.images if image.name in names],
        "labels": [labels] if metadata and service.labels else [],
        "transformers": [_annotations(service)] if metadata and service.annotations else [],
    }
    lists = {key: [*fragment.get(key, []), *items] for key, items in added.items()}
    return {**fragment, **{key: items for key, items in lists.items() if items}, **VERSION}


def patch_entry(entry: Entry) -> dict[str, Any]:
    """One of Kustomize's `patches`."""
    return {"patch": dump_values(patch_body(entry)).decode(), **entry.kustomize_target}


def patch_body(entry: Entry) -> Any:
    """The content of a patch, with the kind and name that Kustomize wants even beside a target."""
    if entry.operations:
        return entry.plain_operations
    if entry.selector is None:
        return entry.body
    metadata = entry.body.get("metadata") or {}
    return {**PLACEHOLDER, **entry.body, "metadata": {**PLACEHOLDER["metadata"], **metadata}}


def _image_entry(image: Image) -> dict[str, str]:
    values = {"newName": image.new_name, "newTag": image.new_tag, "digest": image.digest}
    return {"name": image.name, **{key: value for key, value in values.items() if value}}


def _annotations(service: ResolvedService) -> str:
    """`commonAnnotations` would reach into templates; the transformer itself takes the fields that it is told."""
    transformer = {
        "apiVersion": "builtin",
        "kind": "AnnotationsTransformer",
        "metadata": {"name": "annotations"},
        "annotations": dict(service.annotations),
        "fieldSpecs": [{"path": "metadata/annotations", "create": True}],
    }
    return dump_values(transformer).decode()


def _fields(fragment: Node | None) -> dict[str, Node]:
    """The fields of a fragment that are not null; `resolve` has checked that Kustomize knows them."""
    entries = fragment.entries() if fragment is not None else {}
    return {key: node for key, node in entries.items() if node.value is not None}


def _resource(path: str, at: Location, naming: Naming) -> str:
    """A file or directory; what is no canonical path is YAML written in place."""
    if not path.startswith("/") or "\n" in path:
        return path
    return naming.directory(path, at) if naming.is_directory(path) else naming.file(path, at)
