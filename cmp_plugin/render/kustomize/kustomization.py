"""A service as one kustomization: the value of a kustomization.yaml, and which files it needs.

In: a resolved service, and where its files and directories can be found from the kustomization. Out:
plain data. The transform and `expand` both build on it; they differ in where things lie.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from ...errors import CmpError, Errors, InputError, Location, did_you_mean
from ...fleet.service import ResolvedService
from ...goyaml.load import Node, dump_values, plain
from ...specs.paths import FRAGMENT_LISTS, GENERATOR_LISTS
from .patches import PLACEHOLDER, Entry
from .references import keeps_names

VERSION = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"}
_GENERATORS = ("configMapGenerator", "secretGenerator")
_LISTS_OF_PATCHES = ("patches", "patchesJson6902", "replacements")
_LISTS = {*("patchesStrategicMerge", "images", "labels", *FRAGMENT_LISTS, *_GENERATORS, *_LISTS_OF_PATCHES)}
_KNOWN = {
    *("apiVersion", "kind", "metadata", "openapi", "namePrefix", "nameSuffix", "namespace"),
    *("commonLabels", "labels", "commonAnnotations", "patchesStrategicMerge", "images", "imageTags"),
    *("replicas", "vars", "sortOptions", "generatorOptions", "buildMetadata"),
    *(*FRAGMENT_LISTS, *_GENERATORS, *_LISTS_OF_PATCHES),
}
_ELSEWHERE = {
    "bases": "Kustomize's older name for resources",
    "helmCharts": "a service has its `chart`",
    "helmGlobals": "a service has its `chart`",
    "helmChartInflationGenerator": "a service has its `chart`",
}
# What acts before the patches of the service do.
_EARLY = {"components", "patches", "patchesStrategicMerge", *_GENERATORS, "generators"}
# What acts after them, and so says nothing about what they hit.
_LATE = {
    *("namePrefix", "nameSuffix", "namespace", "commonLabels", "labels", "commonAnnotations", "images"),
    *("imageTags", "replicas", "replacements", "transformers", "validators", "patchesJson6902", "vars"),
    *("sortOptions", "buildMetadata"),
}


class Places(NamedTuple):
    """How the kustomization names a file and a directory, given by canonical path and place."""

    file: Callable[[str, Location], str]
    directory: Callable[[str, Location], str]
    is_directory: Callable[[str], bool]


def check_fragment(service: ResolvedService) -> None:
    """Raises Errors: fields of the fragment that Kustomize does not know or that belong elsewhere."""
    errors: list[CmpError] = []
    for key, node in _fields(service.kustomize).items():
        at = node.start
        if wrong := _wrong_type(key, node):
            errors.append(InputError(f"{service.label}: kustomize.{key} must be {wrong}", at))
        elif key in _ELSEWHERE:
            errors.append(InputError(f"{service.label}: no {key} here", at, _ELSEWHERE[key]))
        elif key not in _KNOWN:
            message = f'{service.label}: unknown key "{key}" in kustomize'
            errors.append(InputError(message, at, did_you_mean(key, _KNOWN)))
    if errors:
        raise Errors(errors)


def has_fragment(service: ResolvedService) -> bool:
    """Whether there is a kustomization fragment with anything in it."""
    return bool(_fields(service.kustomize))


def _wrong_type(key: str, node: Node) -> str:
    """What a field that is looked into here should be, or nothing; Kustomize looks at the rest."""
    if key in ("openapi", "generatorOptions"):
        return "" if isinstance(node.value, dict) else "a mapping"
    if key in _LISTS and not isinstance(node.value, list):
        return "a list"
    mappings = all(isinstance(item.value, dict) for item in _items(node))
    return "a list of mappings" if key in _GENERATORS and not mappings else ""


def changes_everything(service: ResolvedService) -> bool:
    """Whether the fragment could change any object, so that Kustomize must see all of them."""
    fragment = plain(service.kustomize) if service.kustomize else {}
    harmless = {"apiVersion", "kind", "metadata", "generatorOptions", *_GENERATORS}
    generators = [item for name in _GENERATORS for item in fragment.get(name) or []]
    return not (set(fragment) <= harmless and keeps_names(generators, fragment.get("generatorOptions") or {}))


def adds_to_objects(service: ResolvedService) -> bool:
    """Whether a generator of the fragment merges into, or replaces, an object of the chart."""
    fields = _fields(service.kustomize)
    generators = [plain(item) for name in _GENERATORS for item in _items(fields.get(name))]
    return any(one.get("behavior") in ("merge", "replace") for one in generators if isinstance(one, dict))


def fragment_namespace(service: ResolvedService) -> bool:
    """Whether the fragment has a `namespace` field."""
    return "namespace" in _fields(service.kustomize)


def acts_before_patches(service: ResolvedService) -> bool:
    """Whether the fragment adds or changes objects that the service's patches then meet."""
    return any(key in _EARLY for key in _fields(service.kustomize))


def kustomization(
    service: ResolvedService,
    places: Places,
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
        key: _placed(key, node, places) for key, node in _fields(service.kustomize).items() if late or key not in _LATE
    }
    names = set(images)
    added: dict[str, list[Any]] = {
        "resources": [*objects, *(_resource(one.path, one.at, places) for one in service.resources)],
        "patches": [patch_entry(entry) for entry in entries],
        "images": [_image(image) for image in service.images if image.name in names],
        "labels": [_labels(service)] if metadata and service.labels else [],
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


def _image(image: Any) -> dict[str, str]:
    given = {"newName": image.new_name, "newTag": image.new_tag, "digest": image.digest}
    return {"name": image.name, **{key: value for key, value in given.items() if value}}


def _labels(service: ResolvedService) -> dict[str, Any]:
    return {"pairs": dict(service.labels), "includeSelectors": False, "includeTemplates": False}


def _annotations(service: ResolvedService) -> str:
    """`commonAnnotations` would reach into templates; the transformer itself takes other places."""
    transformer = {
        "apiVersion": "builtin",
        "kind": "AnnotationsTransformer",
        "metadata": {"name": "annotations"},
        "annotations": dict(service.annotations),
        "fieldSpecs": [{"path": "metadata/annotations", "create": True}],
    }
    return dump_values(transformer).decode()


def _fields(fragment: Node | None) -> dict[str, Node]:
    if fragment is None or not isinstance(fragment.value, dict):
        return {}
    return {key: node for key, node in fragment.value.items() if node.value is not None}


def _placed(key: str, node: Node, places: Places) -> Any:
    """A field of the fragment with its paths as the kustomization can name them."""
    if key in _GENERATORS:
        return [_generator(item, places) for item in _items(node)]
    if key in _LISTS_OF_PATCHES:
        return [_with_path(item, places) for item in _items(node)]
    if key == "openapi":
        return _with_path(node, places)
    if key in FRAGMENT_LISTS or key == "patchesStrategicMerge":
        return [_resource(str(item.value), item.at, places) for item in _items(node)]
    return plain(node)


def _resource(path: str, at: Location, places: Places) -> str:
    """A file or directory; what is no canonical path is YAML written in place."""
    if not path.startswith("/") or "\n" in path:
        return path
    return places.directory(path, at) if places.is_directory(path) else places.file(path, at)


def _with_path(node: Node, places: Places) -> Any:
    value = plain(node)
    if isinstance(value, dict) and isinstance(node.value, dict) and isinstance(value.get("path"), str):
        value["path"] = _resource(value["path"], node.value["path"].at, places)
    return value


def _generator(node: Node, places: Places) -> Any:
    value = plain(node)
    fields = node.value if isinstance(node.value, dict) else {}
    for name in GENERATOR_LISTS:
        if name in fields:
            value[name] = [_source(item, places) for item in _items(fields[name])]
    if "env" in fields:
        value["env"] = _source(fields["env"], places)
    return value


def _source(node: Node, places: Places) -> str:
    """`key=path`, or a path whose last part is the key."""
    key, equals, path = str(node.value).rpartition("=")
    return key + equals + _resource(path, node.at, places)


def _items(node: Node | None) -> list[Node]:
    return node.value if node is not None and isinstance(node.value, list) else []
