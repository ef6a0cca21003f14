"""One service on one cluster: its layers merged, interpolated and checked -> a `ResolvedService` to render.

In: a `Request`, the same whether it was read from a fleet or from Argo CD's parameter `inputs`.
Out: `Resolved`, or None for a service that is switched off. Reads files only through the tree.
"""

from __future__ import annotations

from typing import NamedTuple

from ..errors import CmpError, Errors, InputError, Location, labelled
from ..goyaml.load import Node, load_all
from ..specs.defaults import FLAGS, KUBERNETES
from ..specs.interpolate import Scope, all_references, interpolated
from ..specs.kustomization_fields import fragment_field
from ..specs.merge import split_appends
from ..specs.rules import NAME
from ..system.files import FileTree
from .chart import chart_of_block
from .layers import CHART_FIELDS, Merged, merge_layers, merged_fields, text_field
from .request import Request
from .service import Append, Chart, Image, Patch, ResolvedService, Resource
from .service_layers import all_layers, is_kustomization, own_layers

MAX_RELEASE = 53  # Helm's own limit, as its resources get longer names still
# What decides which chart a service has, and beyond that what references in these fields may need.
PINS = ("enabled", "chart", "version", "revision")
PIN_FIELDS = (*PINS, "namespace", "vars")
KUBE_VERSION_HINT = f'write kubernetes: {{version: "{KUBERNETES}"}} in the cluster, a profile or fleet.yaml'


class Resolved(NamedTuple):
    """A service to render, and what its Application is made of."""

    service: ResolvedService
    depends_on: tuple[Node, ...]
    application: Node
    revision: str
    merged: Merged
    values: Node


class Pin(NamedTuple):
    """Which chart in which version a service has on a cluster. `version`: the field, for where it was written.

    `off_at`: where the service is switched off, and then there is nothing else.
    """

    chart: Chart | None
    version: Node | None
    revision: str
    off_at: Location | None = None


def resolve(request: Request) -> Resolved | None:
    """What to render, or None when the merged `enabled` is false. Raises the errors of the whole block."""
    merged = merge_layers(all_layers(request), request.tree)
    try:
        return _resolved(request, merged)
    except CmpError as error:
        raise labelled(error, f"{request.facts.cluster}/{request.key}") from None


def _resolved(request: Request, merged: Merged) -> Resolved | None:
    scope = _scope(request, merged.fields)
    if scope is None:
        return None
    namespace = scope.facts.get("service.namespace", "")
    errors: list[CmpError] = []
    fields = _collected(merged.fields, scope, errors)
    values = _collected(merged.values, scope, errors)
    patches = _patches(merged, scope, request.tree, errors)
    if errors:
        raise Errors(errors)
    chart = chart_of_block(fields)
    _check_chart(request, chart, merged, fields, namespace)
    service = _service(request, fields, chart, values, merged, patches, namespace)
    return Resolved(
        service,
        tuple(fields.elements("dependsOn")),
        fields.get("application") or Node({}, request.facts.at),
        text_field(fields, "revision"),
        merged,
        values,
    )


def pin(request: Request) -> Pin:
    """What decides which chart a service has; `request` may be narrowed to PIN_FIELDS.

    Raises the errors of these fields alone: what else is wrong with the block keeps nobody from its chart.
    """
    fields = merged_fields((*request.below, *own_layers(request), *request.above))
    pins = Node({key: child for key, child in fields.entries().items() if key in PINS}, fields.at)
    try:
        if all_references(pins):
            scope = _scope(request, fields)
            is_on, pins = scope is not None, interpolated(pins, scope) if scope is not None else pins
        else:
            is_on = _flag(pins, "enabled")
        if is_on:
            return Pin(chart_of_block(pins), pins.get("version"), text_field(pins, "revision"))
    except CmpError as error:
        raise labelled(error, f"{request.facts.cluster}/{request.key}") from None
    return Pin(None, None, "", pins.entries()["enabled"].at)


def _scope(request: Request, fields: Node) -> Scope | None:
    """What references in a merged block see, the service's namespace among it; None when it is switched off."""
    own_vars = fields.entries("vars")
    scope = request.facts.scope(own_vars, name=request.key)
    if not _flag(fields, "enabled", scope=scope):
        return None
    namespace, written = request.namespace, fields.get("namespace")
    if not namespace and written is not None:
        namespace = text_field(Node({"namespace": interpolated(written, scope)}, written.at), "namespace")
    return request.facts.scope(own_vars, name=request.key, namespace=namespace)


def switched_off_at(request: Request) -> Location:
    """Where the `enabled: false` was written that takes the service off its cluster."""
    return pin(request).off_at or request.facts.at


def _collected(node: Node, scope: Scope, errors: list[CmpError]) -> Node:
    try:
        return interpolated(node, scope)
    except Errors as wrong:
        errors.extend(wrong.errors)
        return node


def _flag(fields: Node, name: str, scope: Scope | None = None) -> bool:
    found = fields.get(name)
    if found is None:
        return FLAGS.get(name, False)
    if scope is not None and all_references(found):
        found = interpolated(found, scope)
    if not isinstance(found.value, bool):
        raise InputError(f"{name} must be true or false, and so must the var that it refers to", found.at)
    return found.value


def _service(
    request: Request,
    fields: Node,
    chart: Chart | None,
    values: Node,
    merged: Merged,
    patches: tuple[Patch, ...],
    namespace: str,
) -> ResolvedService:
    facts, settings = request.facts, request.settings
    fragment, resources = _fragment(fields, merged)
    kept, appends = split_appends(values)
    metadata = fields.get("metadata") or Node({}, facts.at)
    return ResolvedService(
        cluster=facts.cluster,
        name=request.key,
        entry=request.entry,
        at=Location(request.spec.at.file),
        namespace=namespace,
        release=_release(request, fields),
        chart=chart,
        include_crds=_flag(fields, "includeCRDs"),
        skip_tests=_flag(fields, "skipTests"),
        values=kept,
        appends=tuple(Append(path, items, items.start) for path, items in sorted(appends)),
        resources=resources,
        kustomize=fragment,
        patches=patches,
        images=_images(fields, merged),
        labels=_pairs(metadata, "labels"),
        annotations=_pairs(metadata, "annotations"),
        allow=frozenset(str(item.value) for item in fields.elements("allow")),
        kube_version=facts.kube_version,
        api_versions=facts.api_versions,
        helm_range=settings.helm,
        kustomize_range=settings.kustomize,
        tools_strict=settings.strict,
        mirrors=settings.mirrors,
        lock_optional=settings.lock_optional,
    )


def _check_chart(request: Request, chart: Chart | None, merged: Merged, fields: Node, namespace: str) -> None:
    """What belongs to a chart and what a chart needs."""
    if chart is None:
        for name in CHART_FIELDS:
            if name in merged.named:
                raise InputError(f"`{name}` has no meaning, this service has no chart", merged.named[name])
        return
    if is_kustomization(request):
        raise InputError(f"services/{request.entry} is a kustomization, it cannot get a chart", chart.at)
    if not namespace:
        raise InputError("a service with a chart needs a `namespace`", chart.at)
    if not request.facts.kube_version:
        raise InputError("the Kubernetes version is needed to render a chart", request.facts.at, KUBE_VERSION_HINT)
    release = _release(request, fields)
    if len(release) > MAX_RELEASE or not NAME.fullmatch(release):
        written = fields.get("releaseName")
        message = f'"{release}" is no release name: a DNS-1123 name of at most {MAX_RELEASE} letters'
        raise InputError(message, written.at if written else request.facts.at, "set `releaseName`")


def _release(request: Request, fields: Node) -> str:
    return request.release or text_field(fields, "releaseName") or request.key


def _fragment(fields: Node, merged: Merged) -> tuple[Node | None, tuple[Resource, ...]]:
    """The fragment without its resources, and all resources: the layers', then the fragment's."""
    fragment = fields.get("kustomize")
    items = list(merged.resources)
    if fragment is not None:
        for key, child in fragment.entries().items():
            for wrong in fragment_field(key, child, final=True):
                raise wrong
        items.extend(fragment.elements("resources"))
        rest = {key: child for key, child in fragment.entries().items() if key != "resources"}
        fragment = Node(rest, fragment.at, fragment.key) if rest else None
    resources = {str(item.value): Resource(str(item.value), item.at) for item in reversed(items)}
    order = dict.fromkeys(str(item.value) for item in items)
    return fragment, tuple(resources[path] for path in order)


def _patches(merged: Merged, scope: Scope, tree: FileTree, errors: list[CmpError]) -> tuple[Patch, ...]:
    patches: list[Patch] = []
    for name, (fields, only_defaults) in merged.patches.items():
        try:
            patches.append(_patch(name, interpolated(fields, scope), only_defaults, tree))
        except CmpError as error:
            errors.append(error)
    return tuple(patches)


def _patch(name: str, fields: Node, only_defaults: bool, tree: FileTree) -> Patch:
    body, path = fields.get("patch"), fields.get("path")
    at = fields.start
    if body is None and path is None:
        raise InputError(f'patch "{name}" has neither `patch` nor `path`', at)
    if path is not None:
        data = tree.read(str(path.value), path.at)
        bodies = load_all(data, str(path.value)[1:])
    elif body is not None and isinstance(body.value, str):
        # A block begins below its `|`, indented by two; other texts count from their own line.
        start = body.at._replace(line=max(body.at.line - 1, 0))
        if "\n" in body.value and body.key is not None:
            start = body.at._replace(column=body.key.column + 2)
        bodies = load_all(body.value.encode(), body.at.file, at=start)
    else:
        assert body is not None
        bodies = [body]
    if not bodies:
        raise InputError(f'patch "{name}" is empty', at)
    optional = only_defaults or _flag(fields, "optional")
    return Patch(name, at, fields.get("target"), tuple(bodies), optional)


def _images(fields: Node, merged: Merged) -> tuple[Image, ...]:
    images: list[Image] = []
    for name, image in sorted(fields.entries("images").items()):
        new_name, new_tag, digest = (text_field(image, key) for key in ("newName", "newTag", "digest"))
        optional = name not in merged.images
        images.append(Image(name, image.start, new_name, new_tag, digest, optional))
    return tuple(images)


def _pairs(metadata: Node, field: str) -> tuple[tuple[str, str], ...]:
    found = metadata.get(field) or metadata
    texts = ((key, child) for key, child in sorted(metadata.entries(field).items()) if child.value is not None)
    return tuple((key, text_field(found, key)) for key, _ in texts)
